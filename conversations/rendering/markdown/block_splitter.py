"""Cuts a Markdown text into top-level blocks, which are rendered one by one.

The place of a cut depends only on the lines before it, never on how the text arrived.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from . import parser

_ENDS_WITH_BLANK_LINE = re.compile(rb"\n[ \t]*\n\Z")


def split(text: str) -> list[str]:
    """`text` cut at the beginnings of its top-level blocks. The parts joined are `text` again."""
    data = text.encode()
    try:
        cuts = [0, *_cuts(text, data), len(data)]
    except BaseException as error:
        if not parser.is_panic(error):
            raise
        return [text]
    return [data[begin:end].decode() for begin, end in pairwise(cuts) if begin < end]


def _cuts(text: str, data: bytes) -> Iterator[int]:
    """The byte offsets in `data`, the UTF-8 of `text`, at which blocks begin; without the one at 0."""
    last_cut, previous_end = 0, 0
    for start, end in parser.top_level_spans(text):
        line = data.rfind(b"\n", 0, start) + 1
        if previous_end <= line and last_cut < line and _may_cut(data, previous_end, line):
            yield line
            last_cut = line
        previous_end = max(previous_end, end)


def _may_cut(data: bytes, previous_end: int, line: int) -> bool:
    """Whether the block that begins at offset `line` stays a block of its own, whatever follows. The block before it
    ends at `previous_end`.

    Only link definitions look back: `[a]:` is a paragraph until the next line makes it a definition, and the line
    after a definition is a paragraph until its last line makes it the title. So neither is cut off from the text
    before it, unless a blank line ends both.
    """
    if data[line : line + 4].lstrip(b" ").startswith(b"["):
        return False
    between = data[previous_end:line]
    return not between.strip() or _ENDS_WITH_BLANK_LINE.search(between) is not None
