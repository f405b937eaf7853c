"""What it costs, measured against something in the same run."""
