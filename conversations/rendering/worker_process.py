"""The program that renders what takes longer than the event loop can wait: code in colours, formulas, long blocks.

Regular expressions hold the interpreter, so a thread would not do. Reads Markdown and writes HTML, one piece of work
after the other (`exchange`); run by `rendering`.
"""

import os
import select
import signal
import sys
from typing import IO

import msgspec

from . import highlighting, markdown, time_limit

NICE = 5
"""The server's own threads go first."""

_work = msgspec.msgpack.Decoder(markdown.Work).decode
_step = msgspec.msgpack.Encoder().encode


def main(source: IO[bytes], target: IO[bytes]) -> None:
    cold = list(highlighting.USUAL)
    while (asked := read(source)) is not None:
        write(target, _step(markdown.step(_work(asked))))
        while cold and not select.select([source], [], [], 0)[0]:  # while nobody waits
            highlighting.load(cold.pop(0))


def read(source: IO[bytes]) -> bytes | None:
    """The next message; None at the end."""
    head = source.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    message = source.read(size)
    return message if len(message) == size else None


def write(target: IO[bytes], message: bytes) -> None:
    target.write(len(message).to_bytes(4, "big"))
    target.write(message)
    target.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's; this one ends with its input
    os.nice(NICE)
    time_limit.enable()
    main(sys.stdin.buffer, sys.stdout.buffer)
