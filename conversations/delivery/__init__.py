"""What viewers get of an answer, and the sockets they get it by."""
