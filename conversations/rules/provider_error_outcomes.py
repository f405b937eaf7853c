"""Turns the errors of providers into outcomes.

Providers word the same error differently, so this checks their codes first and known phrases second. It never passes
their sentences on, because they quote keys, addresses and prompts; it returns only codes of a known shape, and numbers.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from .status import CODE, NO_CREDIT, EndReason, Outcome

MAX_TEXT = 16_384
"""Characters of an error that are searched for phrases."""

MAX_RETRY_AFTER = 86_400
"""Maximum `Retry-After` that is passed on to people, in seconds."""

CONTEXT_WINDOWS = range(64, 100_000_000)
"""Plausible sizes of a context window, in tokens."""

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
"""HTTP statuses with which providers reject a text that is too long. 500 comes from servers that wrap all errors of an
upstream server in it."""


class ProviderError(Exception):
    """A provider failed. `outcome` can be stored and shown: it contains no secret and no address.

    `window` is the model's context window in tokens, if the error names it. `about_usage` is True if the provider may
    have rejected the request only because it asks for usage (`stream_options`).
    """

    def __init__(self, outcome: Outcome, window: int | None = None, *, about_usage: bool = False) -> None:
        super().__init__(" ".join(filter(None, (outcome.reason.value, outcome.code, outcome.detail))))
        self.outcome = outcome
        self.window = window
        self.about_usage = about_usage


def from_response(status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
    """Return the error for an HTTP response with an error status. `body` is decoded JSON, or text."""
    codes = _codes(body)
    if status in TOO_LONG_STATUSES and _too_long(codes, body):
        return _context_exceeded(body, f"HTTP status {status}")
    if status == 402 or codes & NO_CREDIT_CODES:
        return ProviderError(Outcome(EndReason.PROVIDER_REJECTED, NO_CREDIT, f"HTTP status {status}"))
    code, detail = str(status), " ".join(sorted(codes))[:200]
    wait = _retry_after(headers.get("retry-after", ""))
    if status == 429:
        return ProviderError(Outcome(EndReason.RATE_LIMITED, code, detail, wait))
    if status >= 500:
        return ProviderError(Outcome(EndReason.PROVIDER_FAILED, code, detail, wait))
    about_usage = status in (400, 422) and any("stream_options" in text for text in _texts(body))
    return ProviderError(Outcome(EndReason.PROVIDER_REJECTED, code, detail), about_usage=about_usage)


def from_stream(error: object) -> ProviderError:
    """Return the error for an error object in place of a chunk: `{"code": 429, "message": …}`, or just a sentence."""
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
    """Return a provider's code if it may be stored and shown to administrators, else ""."""
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
    """The `code` and `type` of the error in lower case, without any that are not codes."""
    found = (safe_code(error.get(name)) for error in _objects(body) for name in ("code", "type"))
    return frozenset(word.lower() for word in found if word)


def _first_code(body: object) -> str:
    return next(filter(None, (safe_code(e.get(name)) for e in _objects(body) for name in ("code", "type"))), "")


def _objects(body: object) -> Iterator[dict[str, Any]]:
    """Yield the error object, and the one inside it if it wraps another (`{"error": {…}}`)."""
    if isinstance(body, dict):
        yield body
        if isinstance(inner := body.get("error"), dict):
            yield inner


def _texts(body: object) -> Iterator[str]:
    """Yield the sentences of the error, or the whole error if it has another shape."""
    said = [error.get(name) for error in _objects(body) for name in ("message", "detail", "error")]
    for text in (body, *said):
        if isinstance(text, str):
            yield text[:MAX_TEXT]
        elif isinstance(text, list):
            yield repr(text)[:MAX_TEXT]


def decode_body(data: bytes) -> object:
    """Return the body of an error as decoded JSON, or as text if it is not JSON."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return data.decode("utf-8", "replace")


def _retry_after(value: str) -> int | None:
    """Return `Retry-After` in seconds; None for a date, nonsense, or longer than a person waits (RFC 9110, 10.2.3)."""
    plain = value.isascii() and value.isdigit() and len(value) < 10
    return int(value) if plain and 0 < int(value) <= MAX_RETRY_AFTER else None
