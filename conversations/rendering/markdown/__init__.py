"""Markdown to safe HTML, whole or as it grows. Pure: no Django, no database."""
