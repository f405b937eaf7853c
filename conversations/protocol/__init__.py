"""What a page and the server say to each other (docs/protocol.md): typed commands in, events out."""
