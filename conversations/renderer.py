"""The program that renders what takes longer than the event loop can wait: code in colours, formulas, long blocks.

Regular expressions hold the interpreter, so a thread would not do. Reads Markdown and writes HTML, one piece of work
after the other (`exchange`); run by `rendering`.
"""

import os
import signal
import sys
from typing import BinaryIO

import msgspec

from conversations import highlighting, markdown, patience

NICE = 5
"""The server's own threads go first."""

_work = msgspec.msgpack.Decoder(markdown.Work).decode
_step = msgspec.msgpack.Encoder().encode


def main(source: BinaryIO, target: BinaryIO) -> None:
    while (asked := read(source)) is not None:
        write(target, _step(markdown.step(_work(asked))))


def read(source: BinaryIO) -> bytes | None:
    """The next message; None at the end."""
    head = source.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    message = source.read(size)
    return message if len(message) == size else None


def write(target: BinaryIO, message: bytes) -> None:
    target.write(len(message).to_bytes(4, "big"))
    target.write(message)
    target.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's; this one ends with its input
    os.nice(NICE)
    patience.enable()
    highlighting.warm_up()
    main(sys.stdin.buffer, sys.stdout.buffer)
