"""Operating the service: readiness, retention, clean-up, token accounting, the summary."""
