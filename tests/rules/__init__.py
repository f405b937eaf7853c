"""The rules that need no I/O."""
