"""Tests that drive the real product: HTTP, the socket, PostgreSQL, a provider over HTTP and a browser."""
