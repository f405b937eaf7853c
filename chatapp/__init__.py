"""Wiring: settings, addresses, the server and its database. The product itself is in `conversations`."""
