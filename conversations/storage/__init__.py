"""Saves answers, and reaches the database without holding up the event loop."""
