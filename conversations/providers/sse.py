"""The bytes of a Chat Completions stream, as events. No I/O.

Server-sent events (WHATWG HTML, "Server-sent events") whose data is one JSON object of the API's
`chat.completion.chunk` form. What providers send beside it is passed over: comments, event names, roles, empty choices.
"""

from collections.abc import Iterator
from typing import Any, TypeGuard

import msgspec

from conversations.rules.provider_errors import ProviderError as ProviderError
from conversations.rules.provider_errors import from_stream
from conversations.rules.status import EndReason, Outcome


class Part(msgspec.Struct, gc=False):
    type: str = ""
    text: str = ""


class Delta(msgspec.Struct, gc=False):
    content: str | list[Part] | None = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None

    @property
    def text(self) -> str:
        """What the model says to the person; also why it refuses to answer (`refusal`)."""
        content = self.content or self.refusal
        if isinstance(content, list):
            content = "".join(part.text for part in content if part.type == "text")
        return content.replace("\0", "") if content else ""  # PostgreSQL's text takes no NUL

    @property
    def thought(self) -> int:
        """Characters of what the model thinks. They are not shown, but they cost."""
        thoughts = (self.reasoning_content, self.reasoning)
        return max(len(thought) if isinstance(thought, str) else 0 for thought in thoughts)


class Choice(msgspec.Struct, gc=False):
    delta: Delta | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct, gc=False):
    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None

    def tokens(self) -> tuple[int, int] | None:
        """(in, out), if this chunk says so in numbers that can be."""
        if not isinstance(self.usage, dict):
            return None
        into, out = self.usage.get("prompt_tokens"), self.usage.get("completion_tokens")
        return (into, out) if _believed(into) and _believed(out) else None


BELIEVED = 10_000_000
"""Tokens; a provider that says more, or less than none, is not believed."""

DONE = b"[DONE]"


def _believed(count: object) -> TypeGuard[int]:
    return type(count) is int and 0 <= count <= BELIEVED


_decode = msgspec.json.Decoder(Chunk).decode


class Events:
    """Cuts bytes into events, whatever the ends of the network's packets. `any`: there was a chunk. `done`: there was
    the mark behind the last one."""

    def __init__(self, longest: int) -> None:
        self.any = False
        self.done = False
        self._longest = longest
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """The chunks whose lines are whole now, up to `DONE`. Raises ProviderError, behind them, for an error object,
        for bad data, and when the rest grows over the limit."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        said = [data for line in lines if line.startswith(b"data:") and (data := line[5:].strip())]
        if DONE in said:
            self.done = True
            del said[said.index(DONE) :]
        self.any |= bool(said)
        yield from map(_parse, said)
        if len(self._rest) > self._longest and not self.done:
            raise ProviderError(Outcome(EndReason.TOO_LARGE, detail=f"a line of over {self._longest} bytes"))

    def end(self) -> Iterator[Chunk]:
        """The same of what stands behind the last end of a line."""
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
