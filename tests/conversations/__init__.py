"""The list, its conversations and the settings."""
