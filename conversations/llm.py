"""Messages in, deltas out: the only module that imports openai.

The SDK gives client, authentication, errors and transport. The loop over tokens reads the raw bytes and decodes them
with msgspec, because building the SDK's objects for every token costs several times as much.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Protocol, cast

import httpx2
import msgspec
import openai
from django.conf import settings
from openai import AsyncOpenAI, AsyncStream, DefaultAioHttpClient
from openai._response import AsyncAPIResponse

from . import listing, metrics
from .chunks import Chunk, Events, ProviderError, Usage
from .endpoints import Endpoint
from .lifecycle import Outcome
from .listing import Listed
from .outcomes import EndReason
from .tap import Tap

Parameters = Mapping[str, float | None]
"""Of a request, by the API's names; those that are None are left to the endpoint."""

Turn = dict[str, str]
"""One message of the history as the API takes it: `role` and `content`."""


STREAMED = {
    "content-type": "application/json",
    "accept-encoding": "identity",
    "x-stainless-raw-response": "stream",  # to the SDK: give out the response as it stands, unread
}


class Sink(Protocol):
    """Takes what a stream says, at once and without waiting."""

    def opened(self) -> None: ...
    def delta(self, text: str, pieces: int) -> None:
        """`pieces`: how many chunks it came in, mostly as many as it has tokens."""

    def alive(self) -> None: ...
    def finished(self, reason: str) -> None: ...
    def usage(self, tokens_in: int | None, tokens_out: int | None) -> None: ...
    def taken(self) -> float:
        """All that had arrived was handed over. Returns the seconds for which nothing more is wanted."""
        ...


class Provider:
    """A client of one endpoint, shared by all generations of the process."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._tells_usage = True
        # No time limit on reading: comments keep a silent stream alive, so the generation counts tokens instead.
        # No retries: a POST that was sent may have been billed. No redirects: the key goes to this address only.
        self._patience = endpoint.connect_timeout or settings.CHAT_CONNECT_TIMEOUT
        timeout = httpx2.Timeout(None, connect=self._patience, pool=self._patience)
        http_client = DefaultAioHttpClient(
            timeout=timeout,
            limits=httpx2.Limits(max_connections=10_000, max_keepalive_connections=100, keepalive_expiry=15),
            follow_redirects=False,
        )
        self._client = AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.key or "none",
            http_client=http_client,
            max_retries=0,
            timeout=timeout,
        )

    async def stream(self, model: str, messages: Sequence[Turn], sink: Sink, **parameters: float | None) -> None:
        """Stream one answer into `sink`, until `[DONE]` or the end of the stream. `parameters`: of the request, by the
        API's names; those that are None are left to the endpoint.

        Raises ProviderError. Safe to cancel at any moment: the connection to the provider is closed before
        CancelledError leaves.
        """
        events = Events(settings.CHAT_MAX_LINE)
        try:
            async with AsyncExitStack() as stack:
                stack.enter_context(metrics.UPSTREAMS.track_inprogress())
                response = await self._open(model, messages, parameters)
                stack.push_async_callback(response.close)
                sink.opened()
                tap = stack.enter_context(Tap(response))
                async for data in tap:
                    try:
                        _take(events.feed(data), sink)
                    finally:
                        tap.rest(sink.taken())
                    if events.done:
                        return
                _take(events.end(), sink)
                sink.taken()
        except openai.OpenAIError as error:
            raise ProviderError(_outcome(error)) from error
        except httpx2.HTTPError as error:
            if events.any:
                raise ProviderError(Outcome(EndReason.TRUNCATED, code="cut_off")) from error
            raise ProviderError(_unreachable(error)) from error
        if not events.any:
            detail = "the answer was not a stream of chat completion chunks"
            raise ProviderError(Outcome(EndReason.PROVIDER_FAILED, code="malformed", detail=detail))

    async def _open(self, model: str, messages: Sequence[Turn], parameters: Parameters) -> AsyncAPIResponse[Any]:
        """Ask with usage; a provider that refuses that is asked without, from then on. What it refused, it has not
        billed."""
        try:
            return await self._ask(_body(model, messages, parameters, usage=self._tells_usage))
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if not self._tells_usage or "stream_options" not in error.message:
                raise
            self._tells_usage = False
            return await self._ask(_body(model, messages, parameters, usage=False))

    async def _ask(self, body: bytes) -> AsyncAPIResponse[Any]:
        """The SDK's request for a streamed completion, without what `completions.create` does before it: that looks
        through every message of the history for types to convert, which grows with the conversation."""
        return cast(
            AsyncAPIResponse[Any],
            await self._client.post(
                "/chat/completions",
                content=body,
                cast_to=object,
                options={"headers": STREAMED, "security": {"bearer_auth": True}},
                stream=True,
                stream_cls=AsyncStream[Any],
            ),
        )

    async def models(self) -> tuple[Listed, ...]:
        """The models that the endpoint lists, by name. Raises ProviderError."""
        try:
            options: Any = {"timeout": self._patience, "security": {"bearer_auth": True}}
            return listing.read(await self._client.get("/models", cast_to=object, options=options))
        except openai.OpenAIError as error:
            raise ProviderError(_outcome(error)) from error
        except httpx2.HTTPError as error:
            raise ProviderError(_unreachable(error)) from error
        except (ValueError, AttributeError, TypeError) as error:
            raise ProviderError(Outcome(EndReason.PROVIDER_FAILED, "malformed", "not a list of models")) from error

    async def close(self) -> None:
        await self._client.close()


def _body(model: str, messages: Sequence[Turn], parameters: Parameters, *, usage: bool) -> bytes:
    given: dict[str, object] = {name: value for name, value in parameters.items() if value is not None}
    if usage:
        given["stream_options"] = {"include_usage": True}
    return msgspec.json.encode({"model": model, "messages": messages, "stream": True, **given})


def _take(chunks: Iterable[Chunk], sink: Sink) -> None:
    """Hand on what they say; text that arrived together in one piece."""
    texts: list[str] = []
    try:
        for chunk in chunks:
            for choice in chunk.choices or ():
                if choice.delta is not None:
                    if text := choice.delta.text:
                        texts.append(text)
                    elif choice.delta.busy:
                        sink.alive()
                if choice.finish_reason:
                    _hand_over(texts, sink)
                    sink.finished(choice.finish_reason)
            if isinstance(chunk.usage, Usage):
                sink.usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
    finally:
        _hand_over(texts, sink)


def _hand_over(texts: list[str], sink: Sink) -> None:
    if texts:
        sink.delta("".join(texts), len(texts))
        texts.clear()


def _unreachable(error: Exception) -> Outcome:
    return Outcome(EndReason.PROVIDER_UNREACHABLE, detail=type(error).__name__)


def _outcome(error: openai.OpenAIError) -> Outcome:
    """The reason behind an error of the SDK. Its message stays out: it may quote the key or the address."""
    if isinstance(error, openai.APIConnectionError):
        return _unreachable(error.__cause__ if isinstance(error.__cause__, Exception) else error)
    if not isinstance(error, openai.APIStatusError):
        return Outcome(EndReason.PROVIDER_FAILED, detail=type(error).__name__)
    code = str(error.status_code)
    if error.status_code == 429:
        return Outcome(EndReason.RATE_LIMITED, code=code, retry_after=_seconds(error.response.headers))
    if error.status_code >= 500:
        return Outcome(EndReason.PROVIDER_FAILED, code=code, retry_after=_seconds(error.response.headers))
    return Outcome(EndReason.PROVIDER_REJECTED, code=code)


def _seconds(headers: httpx2.Headers) -> int | None:
    """`Retry-After` in seconds, where it says something that a person can wait for (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "")
    return int(value) if value.isascii() and value.isdigit() and 0 < int(value) <= 86_400 else None
