"""The product: conversations with language models that really stop."""
