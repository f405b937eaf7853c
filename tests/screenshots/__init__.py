"""Screenshots of the running product: `make screenshots` writes them to docs/screenshots/."""
