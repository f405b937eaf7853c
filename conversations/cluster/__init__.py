"""How the processes of one installation work together: notifications, shared presence, following each other's rows."""
