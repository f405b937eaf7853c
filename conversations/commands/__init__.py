"""Carrying out what a person asks: begin an answer, show a conversation, stop."""
