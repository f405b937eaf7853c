"""The person behind a request or a socket: session, preferences, language and time zone."""
