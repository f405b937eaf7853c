"""Reports to operators: metrics, one log line for each generation, the security log."""
