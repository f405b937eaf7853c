"""Carrying out what a page asks: show a conversation, start an answer, stop one."""
