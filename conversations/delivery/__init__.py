"""What viewers are sent of an answer, and the sockets that it is sent over."""
