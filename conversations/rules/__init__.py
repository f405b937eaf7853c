"""What is decided, without I/O: statuses and reasons, who wins, who counts as a viewer, what fits into a window."""
