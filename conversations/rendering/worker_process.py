"""The child program that renders what takes longer than the event loop can wait: coloured code, formulas, long blocks.

Regular expressions hold the interpreter's lock, so a thread would not do. It reads tasks from its standard input and
writes their results to its standard output, one after the other; `worker` starts it and talks to it.
"""

import os
import select
import signal
import sys
from typing import IO

import msgspec

from conversations.rendering.markdown import cpu_limit, highlighting, task

NICE = 5
"""Added to the priority number, so that the server's own threads go first."""

_decode_task = msgspec.msgpack.Decoder(task.Task).decode
_encode_result = msgspec.msgpack.Encoder().encode


def main(source: IO[bytes], target: IO[bytes]) -> None:
    """Perform tasks until the input ends. While none waits, load the lexers of common languages."""
    not_loaded = list(highlighting.COMMON)
    while (message := read(source)) is not None:
        write(target, _encode_result(task.perform(_decode_task(message))))
        while not_loaded and not select.select([source], [], [], 0)[0]:
            highlighting.load(not_loaded.pop(0))


def read(source: IO[bytes]) -> bytes | None:
    """The next message: its length in four bytes, then its content. None at the end. Blocks."""
    head = source.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    message = source.read(size)
    return message if len(message) == size else None


def write(target: IO[bytes], message: bytes) -> None:
    """Write a message for `read`. Blocks."""
    target.write(len(message).to_bytes(4, "big"))
    target.write(message)
    target.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server; this program ends with its input
    os.nice(NICE)
    cpu_limit.enable()
    main(sys.stdin.buffer, sys.stdout.buffer)
