"""The Markdown parser: pulldown-cmark, which is written in Rust, through pyromark.

Only this module depends on pyromark's interface. All spans are byte offsets into the UTF-8 of the source.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import pyromark

from .errors import TooComplexError

OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_MATH
    | pyromark.Options.ENABLE_FOOTNOTES
    | pyromark.Options.ENABLE_GFM
)

MAX_ROUNDS = 10
"""Maximum searches of a block for link definitions: making one visible may reveal another."""


def is_panic(error: BaseException) -> bool:
    """Whether the parser hit a bug of its own. PyO3 raises a panic as a BaseException, not as an Exception."""
    return type(error).__name__ == "PanicException"


def html(source: str) -> str:
    """The HTML that the parser itself writes. It is neither restricted nor sanitised."""
    return pyromark.html(source, options=OPTIONS)


def events(source: str) -> Iterable[Any]:
    """The parser's events. Link definitions take effect, and also stay in the text. Raises TooComplexError."""
    if "]:" not in source:
        return pyromark.events(source, options=OPTIONS)
    source, definitions = _show_definitions(source)

    def resolve(link: Any) -> tuple[str, str] | None:
        return definitions.get(_normalized(link["reference"]))

    return pyromark.events(source, options=OPTIONS, broken_link_callback=resolve)


def spans(source: str, kinds: Collection[str]) -> list[tuple[int, int]]:
    """The spans (start, end) of all events of these kinds, in order."""
    return [
        (span["start"], span["end"])
        for event, span in pyromark.events_with_range(source, options=OPTIONS)
        if isinstance(event, dict) and any(kind in kinds for kind in (*event, *_started(event)))
    ]


def top_level_spans(source: str) -> Iterator[tuple[int, int]]:
    """The spans (start, end) of the top-level blocks, in order."""
    depth = 0
    for event, span in pyromark.events_with_range(source, options=OPTIONS):
        if depth == 0:
            yield span["start"], span["end"]
        if isinstance(event, dict):
            depth += ("Start" in event) - ("End" in event)


def _started(event: Any) -> Iterable[str]:
    tag = event.get("Start", ())
    return (tag,) if isinstance(tag, str) else tag


def _show_definitions(source: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """Turn link definitions into visible text by a backslash. Returns the new source and what they define:
    {label: (destination, title)}."""
    known: dict[str, tuple[str, str]] = {}
    for _ in range(MAX_ROUNDS):
        found = pyromark.reference_definitions(source, options=OPTIONS)
        if not found:
            return source, known
        data, end, parts = source.encode(), 0, []
        for label, definition in found.items():
            known.setdefault(_normalized(label), (definition["dest"], definition["title"] or ""))
            start = definition["span"]["start"]
            parts.append(data[end:start])
            end = start
        source = b"\\".join([*parts, data[end:]]).decode()
    raise TooComplexError


def _normalized(label: str) -> str:
    """The label as CommonMark compares it (section 4.7)."""
    return " ".join(label.split()).casefold()
