"""Rendering Markdown as HTML."""
