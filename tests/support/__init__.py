"""Shared building blocks: servers, a provider, people, sockets, browsers."""
