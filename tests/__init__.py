"""Tests of the product through its real parts: HTTP, the socket, PostgreSQL, a provider over HTTP, a browser."""
