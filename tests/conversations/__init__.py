"""The list of conversations, what people do with a conversation, and their settings."""
