"""The HTML of messages: Markdown to safe HTML, and the fragments that pages and sockets share."""
