"""The page's WebSocket: passes commands in and events out."""
