"""Where answers come from, and what is sent there."""
