"""What a provider says when it refuses or fails, as an outcome. No I/O.

Providers say the same in many words, so codes are looked at first and then known phrases. Their sentences never come
out of here: they quote keys, addresses and prompts. What comes out is a code of known shape, and numbers.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from .status import CODE, NO_CREDIT, EndReason, Outcome

MAX_TEXT = 16_384
"""Characters of an error in which phrases are looked for."""

MAX_RETRY_AFTER = 86_400
"""Seconds; a provider that asks to wait longer is not quoted."""

CONTEXT_WINDOWS = range(64, 100_000_000)
"""Tokens that a context can be of."""

TOO_LONG_CODES = frozenset(
    {
        "context_length_exceeded",  # OpenAI, Groq, OpenRouter
        "exceed_context_size_error",  # llama.cpp
        "context_window_exceeded",
        "contextwindowexceedederror",  # LiteLLM
        "model_context_window_exceeded",
        "string_above_max_length",
    }
)
TOO_LONG_PHRASES = re.compile(
    r"maximum context length|context length exceeded|context size|contextwindowexceeded|exceeds? (the )?context"
    r"|maximum model length|prompt is too long|input is too long|exceed context limit|maximum context window"
    r"|input token count|`inputs` tokens",
    re.IGNORECASE,
)
WINDOW_PHRASES = re.compile(
    r"maximum (?:context|model) length (?:is|of) (\d+)"  # OpenAI, OpenRouter, vLLM
    r"|context size \((\d+)"  # llama.cpp, also through LiteLLM
    r"|> (\d+) maximum"  # Anthropic
    r"|context limit[^.]{0,80}> (\d+)"  # Anthropic, where the answer's limit is too much
    r"|with (\d+) maximum context"  # Mistral
    r"|tokens allowed \((\d+)\)"  # Gemini
    r"|must be <= (\d+)",  # Text Generation Inference
    re.IGNORECASE,
)
NO_CREDIT_CODES = frozenset({"insufficient_quota", "insufficient_credits", "billing_hard_limit_reached", "402"})
RATE_LIMIT_CODES = frozenset({"429", "rate_limit_exceeded", "rate_limit_error", "rate_limited", "too_many_requests"})
TOO_LONG_STATUSES = frozenset({400, 413, 422, 500})
"""Statuses under which a text that is too long is refused; 500: servers that wrap every error of another one in it."""


class ProviderError(Exception):
    """The provider failed, in a way that has a reason. Carries what to store; never a secret or an address. `window`:
    the model's context in tokens, where the error names it. `about_usage`: it may be that asking for usage is what was
    refused."""

    def __init__(self, outcome: Outcome, window: int | None = None, *, about_usage: bool = False) -> None:
        super().__init__(" ".join(filter(None, (outcome.reason.value, outcome.code, outcome.detail))))
        self.outcome = outcome
        self.window = window
        self.about_usage = about_usage


def from_response(status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
    """A refusal instead of an answer. `body`: as decoded JSON, or text."""
    codes = _codes(body)
    if status in TOO_LONG_STATUSES and _too_long(codes, body):
        return _context_exceeded(body, f"HTTP status {status}")
    if status == 402 or codes & NO_CREDIT_CODES:
        return ProviderError(Outcome(EndReason.PROVIDER_REJECTED, NO_CREDIT, f"HTTP status {status}"))
    code, detail = str(status), " ".join(sorted(codes))[:200]
    wait = _seconds(headers.get("retry-after", ""))
    if status == 429:
        return ProviderError(Outcome(EndReason.RATE_LIMITED, code, detail, wait))
    if status >= 500:
        return ProviderError(Outcome(EndReason.PROVIDER_FAILED, code, detail, wait))
    about_usage = status in (400, 422) and any("stream_options" in text for text in _texts(body))
    return ProviderError(Outcome(EndReason.PROVIDER_REJECTED, code, detail), about_usage=about_usage)


def from_stream(error: object) -> ProviderError:
    """An error object where a part of the answer was expected: `{"code": 429, "message": …}`, or a bare sentence."""
    codes = _codes(error)
    if _too_long(codes, error):
        return _context_exceeded(error, "an error object in the stream")
    reason = EndReason.PROVIDER_FAILED
    if codes & NO_CREDIT_CODES:
        return ProviderError(Outcome(EndReason.PROVIDER_REJECTED, NO_CREDIT, "an error object in the stream"))
    if codes & RATE_LIMIT_CODES:
        reason = EndReason.RATE_LIMITED
    return ProviderError(Outcome(reason, _first_code(error) or "error", "an error object in the stream"))


def safe_code(value: object) -> str:
    """A provider's word as it may be stored and shown to administrators; "" where it is no such word."""
    word = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return word if CODE.fullmatch(word) else ""


def _context_exceeded(body: object, detail: str) -> ProviderError:
    window = _window(body)
    if window is not None:
        detail = f"{detail}; the model's context is {window} tokens"
    return ProviderError(Outcome(EndReason.CONTEXT_EXCEEDED, "context_exceeded", detail), window)


def _too_long(codes: frozenset[str], body: object) -> bool:
    return bool(codes & TOO_LONG_CODES) or any(TOO_LONG_PHRASES.search(text) for text in _texts(body))


def _window(body: object) -> int | None:
    for error in _objects(body):
        if isinstance(tokens := error.get("n_ctx"), int) and tokens in CONTEXT_WINDOWS:
            return tokens
    for text in _texts(body):
        if found := WINDOW_PHRASES.search(text.replace(",", "")):
            tokens = int(next(filter(None, found.groups()))[:12])
            return tokens if tokens in CONTEXT_WINDOWS else None
    return None


def _codes(body: object) -> frozenset[str]:
    """`code` and `type` of the error, in lower case, as far as they are words."""
    found = (safe_code(error.get(name)) for error in _objects(body) for name in ("code", "type"))
    return frozenset(word.lower() for word in found if word)


def _first_code(body: object) -> str:
    return next(filter(None, (safe_code(e.get(name)) for e in _objects(body) for name in ("code", "type"))), "")


def _objects(body: object) -> Iterator[dict[str, Any]]:
    """The error object and, where one is wrapped in another (`{"error": {…}}`), the inner one as well."""
    if isinstance(body, dict):
        yield body
        if isinstance(inner := body.get("error"), dict):
            yield inner


def _texts(body: object) -> Iterator[str]:
    """What the error says: its sentences, or all of it where it has another shape."""
    said = [error.get(name) for error in _objects(body) for name in ("message", "detail", "error")]
    for text in (body, *said):
        if isinstance(text, str):
            yield text[:MAX_TEXT]
        elif isinstance(text, list):
            yield repr(text)[:MAX_TEXT]


def decode_body(data: bytes) -> object:
    """The body of an error, as JSON where it is that."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return data.decode("utf-8", "replace")


def _seconds(value: str) -> int | None:
    """`Retry-After` in seconds, where it says something that a person can wait for (RFC 9110, 10.2.3)."""
    plain = value.isascii() and value.isdigit() and len(value) < 10
    return int(value) if plain and 0 < int(value) <= MAX_RETRY_AFTER else None
