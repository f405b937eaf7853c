"""What operators read of a process: metrics, one log line for each generation, the security log."""
