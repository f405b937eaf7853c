"""The program that counts tokens, a process of its own: its library loads for half a second and holds the interpreter
while it works, which no stop is to wait for. Reads a line of JSON with a list of texts, writes one with their counts.

Run by `tokens`, by its path, so that it imports nothing of the product.
"""

import json
import os
import signal
import sys

PIECE = 50_000
"""Characters that are counted at once."""


def main() -> None:
    from bpe_openai import _bindings  # the package's own Encoding also makes tables to decode with: twice the memory

    count = _bindings.tokenizer_for_encoding("o200k_base").count
    for line in sys.stdin:
        counts = [
            sum(count(text[start : start + PIECE]) for start in range(0, len(text), PIECE)) for text in json.loads(line)
        ]
        sys.stdout.write(f"{json.dumps(counts)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's; this one ends with its input
    os.nice(10)
    main()
