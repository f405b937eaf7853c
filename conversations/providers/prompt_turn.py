"""One message of a prompt, as the API expects it."""

Turn = dict[str, str]
"""`role` and `content`."""
