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


class Part(msgspec.Struct):
    type: str = ""
    text: str = ""


class Delta(msgspec.Struct):
    content: str | list[Part] | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content if part.type == "text")
        return self.content or ""

    @property
    def busy(self) -> bool:
        """The model works on something that is not the text."""
        return bool(self.reasoning_content or self.reasoning or self.tool_calls)


class Choice(msgspec.Struct):
    delta: Delta | None = None
    finish_reason: str | None = None


class Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Chunk(msgspec.Struct):
    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None


DONE = b"[DONE]"

_decode = msgspec.json.Decoder(Chunk).decode


class Lines:
    """Cuts bytes into lines, whatever the ends of the network's packets."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that are whole now, without their ends. Raises ProviderError, behind them, when the rest grows over
        the limit."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        yield from lines
        if len(self._rest) > self._longest:
            raise ProviderError(Outcome(EndReason.TOO_LARGE, detail=f"a line of over {self._longest} bytes"))

    def rest(self) -> bytes:
        """What stands behind the last end of a line."""
        return self._rest


def parse(line: bytes) -> Chunk | None:
    """One line as a chunk; None for lines that say nothing. Raises ProviderError for an error object or bad data."""
    if not line.startswith(b"data:"):
        return None
    data = line[5:].strip()
    if not data or data == DONE:
        return None
    try:
        chunk = _decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        detail = "data that is not a chunk of a chat completion"
        raise ProviderError(Outcome(EndReason.PROVIDER_FAILED, code="malformed", detail=detail)) from error
    if chunk.error is not None:
        raise ProviderError(_from_error_object(chunk.error))
    return chunk


def is_done(line: bytes) -> bool:
    return line.startswith(b"data:") and line[5:].strip() == DONE


def texts(chunk: Chunk) -> Iterator[str]:
    for choice in chunk.choices or ():
        if choice.delta is not None and (text := choice.delta.text):
            yield text.replace("\0", "")  # PostgreSQL's text takes no NUL


def _from_error_object(error: Any) -> Outcome:
    """An error in mid-stream: `{"error": {"code": 429, "message": …}}`, or a bare sentence. The message stays out:
    providers quote keys and addresses in it."""
    code = error.get("code") or error.get("type") if isinstance(error, dict) else None
    reason = EndReason.PROVIDER_FAILED
    if str(code) in ("429", "rate_limit_exceeded", "rate_limit_error"):
        reason = EndReason.RATE_LIMITED
    return Outcome(reason, code=str(code or "error")[:40], detail="an error object in the stream")
