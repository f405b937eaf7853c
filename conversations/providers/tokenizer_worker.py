"""Counts tokens in a process of its own: the library takes half a second to load and holds the interpreter's lock while
it works, which would delay every Stop. Reads lines of JSON, each a list of texts, and answers each with a list of
counts.

`token_counter` runs it by its path, so that it imports nothing of the product.
"""

import json
import os
import signal
import sys
from collections.abc import Callable

ENCODING = "o200k_base"
"""The encoding of OpenAI's newer models. For other models the counts are estimates."""

BATCH_SIZE = 50_000
"""Characters that one call of the library counts."""


def counter() -> Callable[[str], int]:
    """The function that counts the tokens of a text.

    The public `Encoding` also builds tables for decoding, which takes twice the memory, so it is only the fallback for
    a release that has moved the undocumented function.
    """
    try:
        from bpe_openai import _bindings

        count: Callable[[str], int] = _bindings.tokenizer_for_encoding(ENCODING).count
    except (ImportError, AttributeError):
        from bpe_openai import get_encoding

        encoding = get_encoding(ENCODING)
        return lambda text: len(encoding.encode_ordinary(text))
    return count


def main() -> None:
    """Answer lines until the input ends."""
    count = counter()
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
