"""The messages between a page and the server (docs/protocol.md): typed commands in, events out."""
