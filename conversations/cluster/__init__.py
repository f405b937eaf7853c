"""How the processes of an installation work together: notifications, shared presence, following each other's
generations."""
