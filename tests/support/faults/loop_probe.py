"""Measures how long a server's event loop was blocked: a separate program that requests `/healthz`, which needs only
the loop, every few milliseconds. When its input ends, it prints how many seconds each response took.

    python loop_probe.py PORT
"""

import json
import select
import socket
import sys
import time

INTERVAL = 0.003
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
END = b"alive"


def main(port: int) -> None:
    taken: list[float] = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while not select.select([sys.stdin], [], [], INTERVAL)[0]:
            taken.append(ask(connection))
    sys.stdout.write(f"{json.dumps(taken)}\n")


def ask(connection: socket.socket) -> float:
    began = time.monotonic()
    connection.sendall(REQUEST)
    answer = b""
    while END not in answer:
        answer += connection.recv(65536) or sys.exit("the server closed the connection")
    return time.monotonic() - began


if __name__ == "__main__":
    main(int(sys.argv[1]))
