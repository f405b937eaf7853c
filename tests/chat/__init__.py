"""Asking, editing, regenerating and continuing, and which commands are refused."""
