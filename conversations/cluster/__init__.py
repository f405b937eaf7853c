"""Cooperation of the processes of an installation: notifications, shared presence, following each other's
generations."""
