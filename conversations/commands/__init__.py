"""Carries out a page's commands: show a conversation, start an answer, stop one."""
