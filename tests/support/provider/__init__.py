"""The fake provider of language models, in several forms."""
