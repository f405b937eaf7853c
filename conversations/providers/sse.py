"""Parses the bytes of a Chat Completions stream into chunks. No I/O.

The stream consists of server-sent events (WHATWG HTML, "Server-sent events"); the data of each is one JSON object of
the API's form `chat.completion.chunk`. Everything else is ignored: comments, event names, roles, empty choices.
"""

from collections.abc import Iterator
from typing import Any, TypeGuard

import msgspec

from conversations.rules.provider_error_outcomes import ProviderError, from_stream
from conversations.rules.status import EndReason, Outcome


class Part(msgspec.Struct, gc=False):
    """Part of a content that is a list."""

    type: str = ""
    text: str = ""


class Delta(msgspec.Struct, gc=False):
    """What a chunk adds to the message."""

    content: str | list[Part] | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None

    @property
    def text(self) -> str:
        """The text for the person. A model that refuses to answer sends its reason in `refusal`."""
        content = self.content or self.refusal
        if isinstance(content, list):
            content = "".join(part.text for part in content if part.type == "text")
        return content.replace("\0", "") if content else ""  # PostgreSQL's text takes no NUL

    @property
    def thought(self) -> int:
        """Characters of thinking, which is billed but not shown."""
        thoughts = (self.reasoning_content, self.reasoning)
        return max(len(thought) if isinstance(thought, str) else 0 for thought in thoughts)


class Choice(msgspec.Struct, gc=False):
    """One of the alternatives that a request may ask for; the product asks for one."""

    delta: Delta | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct, gc=False):
    """One chunk: the fields of `chat.completion.chunk` that are used."""

    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None

    def tokens(self) -> tuple[int, int] | None:
        """(in, out), if this chunk has plausible counts."""
        if not isinstance(self.usage, dict):
            return None
        into, out = self.usage.get("prompt_tokens"), self.usage.get("completion_tokens")
        return (into, out) if _is_plausible(into) and _is_plausible(out) else None


MAX_TOKENS = 10_000_000
"""A larger count of tokens is not plausible and is ignored."""

DONE = b"[DONE]"
"""The data of the last event."""


def _is_plausible(count: object) -> TypeGuard[int]:
    return type(count) is int and 0 <= count <= MAX_TOKENS


_decode = msgspec.json.Decoder(Chunk).decode


class ChunkParser:
    """Parses one stream, in whatever portions its bytes arrive. `received`: at least one chunk or `DONE` has come.
    `done`: `DONE` has come."""

    def __init__(self, max_line: int) -> None:
        """`max_line`: bytes."""
        self.received = False
        self.done = False
        self._max_line = max_line
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """The chunks that these bytes complete, up to `DONE`. Then raises ProviderError for an error object or invalid
        data, or if an incomplete line exceeds `max_line` bytes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        said = [data for line in lines if line.startswith(b"data:") and (data := line[5:].strip())]
        if DONE in said:
            self.done = True
            del said[said.index(DONE) :]
        self.received |= bool(said)
        yield from map(_parse, said)
        if len(self._rest) > self._max_line and not self.done:
            raise ProviderError(Outcome(EndReason.TOO_LARGE, detail=f"a line of over {self._max_line} bytes"))

    def end(self) -> Iterator[Chunk]:
        """The chunk in the last line, which may lack its line break. Raises ProviderError."""
        return self.feed(b"\n")


def _parse(data: bytes) -> Chunk:
    try:
        chunk = _decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        detail = "data that is not a chunk of a chat completion"
        raise ProviderError(Outcome(EndReason.PROVIDER_FAILED, code="malformed", detail=detail)) from error
    if chunk.error is not None:
        raise from_stream(chunk.error)
    return chunk
