"""The bytes of a Chat Completions stream, as events. No I/O.

Server-sent events (WHATWG HTML, "Server-sent events") whose data is one JSON object of the API's
`chat.completion.chunk` form. What providers send beside it is passed over: comments, event names, roles, empty choices.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from .lifecycle import Outcome
from .outcomes import EndReason


class ProviderError(Exception):
    """The provider failed, in a way that has a reason. Carries what to store; never a secret or an address."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


class Part(msgspec.Struct, gc=False):
    type: str = ""
    text: str = ""


class Delta(msgspec.Struct, gc=False):
    content: str | list[Part] | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None

    @property
    def text(self) -> str:
        content = self.content
        if isinstance(content, list):
            content = "".join(part.text for part in content if part.type == "text")
        return content.replace("\0", "") if content else ""  # PostgreSQL's text takes no NUL

    @property
    def busy(self) -> bool:
        """The model works on something that is not the text."""
        return bool(self.reasoning_content or self.reasoning or self.tool_calls)


class Choice(msgspec.Struct, gc=False):
    delta: Delta | None = None
    finish_reason: str | None = None


class Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(msgspec.Struct, gc=False):
    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None


DONE = b"[DONE]"

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
        raise ProviderError(_from_error_object(chunk.error))
    return chunk


def _from_error_object(error: Any) -> Outcome:
    """An error in mid-stream: `{"error": {"code": 429, "message": …}}`, or a bare sentence. The message stays out:
    providers quote keys and addresses in it."""
    code = error.get("code") or error.get("type") if isinstance(error, dict) else None
    reason = EndReason.PROVIDER_FAILED
    if str(code) in ("429", "rate_limit_exceeded", "rate_limit_error"):
        reason = EndReason.RATE_LIMITED
    return Outcome(reason, code=str(code or "error")[:40], detail="an error object in the stream")
