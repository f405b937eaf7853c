"""Markdown to safe HTML, and the HTML of messages."""
