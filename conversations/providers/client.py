"""Messages in, deltas out: the only module that imports openai.

The SDK gives client, authentication, errors and transport. The loop over tokens reads the raw bytes and decodes them
with msgspec, because building the SDK's objects for every token costs several times as much.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Protocol

import httpx2
import msgspec
import openai
from django.conf import settings
from openai import AsyncOpenAI, AsyncStream

from conversations.rules.provider_errors import ProviderError, decode_body, from_response
from conversations.rules.status import EndReason, Outcome
from conversations.telemetry import metrics

from . import model_list_format
from .connection_errors import why
from .endpoints import Endpoint
from .model_list_format import Listed
from .paced_reader import Tap
from .sse import Choice, Chunk, Events
from .transport import Transport

MOST_BYTES = 8_388_608
"""Of a list of models. The longest known is of half a megabyte."""

DRAIN = 0.1
"""Seconds to wait for the end of the body behind `[DONE]`: a connection that is read to its end can be used again."""

MOST_CONNECTIONS = 10_000
IDLE = 15.0
"""Seconds for which an unused connection is kept."""

Parameters = Mapping[str, float | None]
"""Of a request, by the API's names; those that are None are left to the endpoint."""

Turn = dict[str, str]
"""One message of the history as the API takes it: `role` and `content`."""


class Sink(Protocol):
    """Takes what a stream says, at once and without waiting."""

    def opened(self) -> None: ...
    def delta(self, text: str, pieces: int) -> None:
        """`pieces`: how many chunks it came in, mostly as many as it has tokens."""

    def alive(self, thoughts: int = 0, characters: int = 0) -> None:
        """Something arrived that is no text: a comment, a sign of progress, or so many chunks of thinking."""

    def finished(self, reason: str) -> None: ...
    def usage(self, tokens_in: int, tokens_out: int) -> None: ...
    def taken(self) -> float:
        """All that had arrived was handed over. Returns the seconds for which nothing more is wanted."""
        ...


class Provider:
    """A client of one endpoint, shared by all generations of the process."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._tells_usage = True
        self._patience = endpoint.connect_timeout or settings.CHAT_CONNECT_TIMEOUT
        self._client = self._made()

    def _made(self) -> AsyncOpenAI | None:
        """The SDK's client; None where nothing can be sent to such an address.

        No time limit on reading: the generation has its own. No retries: a POST that was sent may have been billed. No
        redirects: the key goes to this address only. Nothing compressed: it could unpack to any size.
        """
        timeout = httpx2.Timeout(None, connect=self._patience, pool=self._patience)
        try:
            transport = Transport(httpx2.URL(self.endpoint.base_url), most=MOST_CONNECTIONS, idle=IDLE)
            return AsyncOpenAI(
                base_url=self.endpoint.base_url,
                api_key=self.endpoint.key or "none",
                http_client=httpx2.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False),
                max_retries=0,
                timeout=timeout,
                default_headers={
                    "accept-encoding": "identity",
                    "authorization": f"Bearer {self.endpoint.key or 'none'}",
                    "content-type": "application/json",
                },
            )
        except (httpx2.InvalidURL, ValueError):
            return None

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
                stack.push_async_callback(response.aclose)
                sink.opened()
                tap = stack.enter_context(Tap(response))
                await _read(tap, events, sink)
        except httpx2.HTTPError as error:
            if events.any:
                raise ProviderError(Outcome(EndReason.TRUNCATED, code="cut_off", detail=why(error))) from error
            raise _unreachable(error) from error
        if not events.any:
            detail = "the answer was not a stream of chat completion chunks"
            raise ProviderError(Outcome(EndReason.PROVIDER_FAILED, code="malformed", detail=detail))

    async def _open(self, model: str, messages: Sequence[Turn], parameters: Parameters) -> httpx2.Response:
        """Ask with usage; a provider that refuses that is asked without. What it refused, it has not billed. Where that
        helps, it is asked so from then on: a refusal that quotes the request also has the word in it."""
        try:
            return await self._ask(_body(model, messages, parameters, usage=self._tells_usage))
        except ProviderError as error:
            if not (self._tells_usage and error.about_usage):
                raise
        response = await self._ask(_body(model, messages, parameters, usage=False))
        self._tells_usage = False
        return response

    async def _ask(self, body: bytes) -> httpx2.Response:
        """The SDK's request for a streamed completion, without what `completions.create` does before it: that looks
        through every message of the history for types to convert, which grows with the conversation."""
        path = "/chat/completions"
        return await self._sent(
            lambda client: client.post(path, content=body, cast_to=object, stream=True, stream_cls=AsyncStream[Any])
        )

    async def _sent(self, send: Callable[[AsyncOpenAI], Awaitable[AsyncStream[Any]]]) -> httpx2.Response:
        """The response with its body unread. Raises ProviderError."""
        if self._client is None:
            raise ProviderError(Outcome(EndReason.PROVIDER_UNREACHABLE, detail="its address cannot be used"))
        try:
            return (await send(self._client)).response
        except openai.APIConnectionError as error:
            raise _unreachable(error) from error
        except openai.APIStatusError as error:
            body = decode_body(error.response.content)
            raise from_response(error.status_code, body, error.response.headers) from error
        except openai.OpenAIError as error:
            raise ProviderError(Outcome(EndReason.PROVIDER_FAILED, detail=type(error).__name__)) from error

    async def models(self) -> tuple[Listed, ...]:
        """The models that the endpoint lists, by name. Raises ProviderError."""
        try:
            return model_list_format.read(await self.listed())
        except ValueError as error:
            raise ProviderError(Outcome(EndReason.PROVIDER_FAILED, "malformed", "not a list of models")) from error

    async def listed(self) -> object:
        """What the endpoint says about its models, as decoded JSON. Takes no longer than opening a connection may, and
        no more than `MOST_BYTES`. Raises ProviderError."""
        try:
            async with asyncio.timeout(self._patience):
                return decode_body(await self._list())
        except (TimeoutError, httpx2.HTTPError) as error:
            raise _unreachable(error) from error

    async def _list(self) -> bytes:
        response = await self._sent(
            lambda client: client.get("/models", cast_to=object, stream=True, stream_cls=AsyncStream[Any])
        )
        read = bytearray()
        try:
            async for data in response.aiter_bytes():
                read += data
                if len(read) > MOST_BYTES:
                    raise ProviderError(Outcome(EndReason.PROVIDER_FAILED, "malformed", "a list of models without end"))
        finally:
            await response.aclose()
        return bytes(read)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


async def _read(tap: Tap, events: Events, sink: Sink) -> None:
    """All that comes, to `[DONE]` or the end of the body."""
    body = aiter(tap)
    async for data in body:
        try:
            _take(events.feed(data), sink)
        finally:
            tap.rest(sink.taken())
        if events.done:
            tap.wake()
            await _drain(body)
            return
    _take(events.end(), sink)
    sink.taken()


async def _drain(body: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(DRAIN):
            async for _data in body:
                pass


def _body(model: str, messages: Sequence[Turn], parameters: Parameters, *, usage: bool) -> bytes:
    given: dict[str, object] = {name: value for name, value in parameters.items() if value is not None}
    if usage:
        given["stream_options"] = {"include_usage": True}
    return msgspec.json.encode({"model": model, "messages": messages, "stream": True, **given})


def _take(chunks: Iterable[Chunk], sink: Sink) -> None:
    """Hand on what they say; text that arrived together in one piece. Whatever arrives is a sign of life."""
    texts: list[str] = []
    sink.alive()
    try:
        for chunk in chunks:
            for choice in chunk.choices or ():
                _take_choice(choice, texts, sink)
            if (counts := chunk.tokens()) is not None:
                sink.usage(*counts)
    finally:
        _hand_over(texts, sink)


def _take_choice(choice: Choice, texts: list[str], sink: Sink) -> None:
    if choice.delta is not None:
        if text := choice.delta.text:
            texts.append(text)
        elif thought := choice.delta.thought:
            sink.alive(1, thought)
    if choice.finish_reason:
        _hand_over(texts, sink)
        sink.finished(choice.finish_reason)


def _hand_over(texts: list[str], sink: Sink) -> None:
    if texts:
        sink.delta("".join(texts), len(texts))
        texts.clear()


def _unreachable(error: BaseException) -> ProviderError:
    return ProviderError(Outcome(EndReason.PROVIDER_UNREACHABLE, detail=why(error)))
