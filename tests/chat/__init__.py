"""Asking, editing, regenerating, continuing, and what is refused."""
