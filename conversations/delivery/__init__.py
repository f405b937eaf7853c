"""Sends answers to their viewers, over the sockets of this process."""
