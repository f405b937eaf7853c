"""What concerns a person: their session, preferences, language and time zone."""
