"""The rules without I/O."""
