"""Counts tokens in a process of its own: the library takes half a second to load and holds the interpreter's lock while
it works, which would delay every Stop. Reads lines of JSON, each a list of texts, and answers each with a list of
counts.

`token_counter` runs it by its path, so that it imports nothing of the product.
"""

import json
import os
import signal
import sys

BATCH_SIZE = 50_000
"""Characters that one call of the library counts."""


def main() -> None:
    from bpe_openai import _bindings  # the package's own Encoding also builds decoding tables: twice the memory

    count = _bindings.tokenizer_for_encoding("o200k_base").count
    for line in sys.stdin:
        counts = [
            sum(count(text[start : start + BATCH_SIZE]) for start in range(0, len(text), BATCH_SIZE))
            for text in json.loads(line)
        ]
        sys.stdout.write(f"{json.dumps(counts)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server; this process ends with its input
    os.nice(10)
    main()
