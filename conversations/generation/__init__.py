"""The live generations of this process."""
