"""Looking after the service: health, retention, clean-up, accounting, the summary."""
