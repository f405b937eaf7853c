"""What a request or a socket knows of its person: session, preferences, language and time zone."""
