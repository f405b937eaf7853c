"""Fake providers of language models."""
