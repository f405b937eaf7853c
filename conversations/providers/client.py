"""The client of one endpoint: sends messages and streams the answer. The only module that imports openai.

The SDK provides the client, authentication and errors. The stream is read as raw bytes and decoded with msgspec:
building the SDK's objects for each token costs several times as much.
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

from conversations.rules.provider_error_outcomes import ProviderError, decode_body, from_response
from conversations.rules.status import EndReason, Outcome
from conversations.telemetry import metrics

from . import model_list
from .connection_error_text import describe_cause
from .endpoints import Endpoint
from .model_list import ListedModel
from .paced_reader import PacedReader
from .prompt_turn import Turn
from .sse import Choice, Chunk, ChunkParser
from .transport import Transport

MAX_LIST_BYTES = 8_388_608
"""Bytes of a list of models. The longest known list has half a megabyte."""

DRAIN_TIMEOUT = 0.1
"""Seconds to wait after `[DONE]` for the end of the body: only then can the connection be reused."""

MAX_CONNECTIONS = 10_000
KEEP_ALIVE = 15.0
"""Seconds for which an unused connection stays open."""

Parameters = Mapping[str, float | None]
"""Parameters of a request, by the API's names. The endpoint decides about those that are None."""


class Sink(Protocol):
    """Receives a stream. No method may wait."""

    def opened(self) -> None:
        """The response's headers have arrived."""

    def delta(self, text: str, chunks: int) -> None:
        """More text, from this many chunks; a chunk usually holds one token."""

    def alive(self, thoughts: int = 0, characters: int = 0) -> None:
        """Something arrived: text, a comment, or thinking in `thoughts` chunks of `characters` in all."""

    def finished(self, reason: str) -> None:
        """The provider gave a finish reason."""

    def usage(self, tokens_in: int, tokens_out: int) -> None:
        """The provider gave its count of tokens."""

    def batch_read(self) -> float:
        """Everything that had arrived has been passed on. Returns how many seconds to read nothing."""
        ...


class ProviderClient:
    """A client of one endpoint, shared by all generations of the process."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._reports_usage = True
        self._connect_timeout = endpoint.connect_timeout or settings.CHAT_CONNECT_TIMEOUT
        self._client = self._create()

    def _create(self) -> AsyncOpenAI | None:
        """The SDK's client; None if the address cannot be used.

        No read timeout: the generation has its own. No retries: a POST may have been billed. No redirects: the key is
        sent to this address only. No compression: a body could decompress to any size.
        """
        timeout = httpx2.Timeout(None, connect=self._connect_timeout, pool=self._connect_timeout)
        try:
            transport = Transport(
                httpx2.URL(self.endpoint.base_url), max_connections=MAX_CONNECTIONS, keep_alive=KEEP_ALIVE
            )
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
        """Stream one answer into `sink`, until `[DONE]` or the end of the stream. `parameters`: see `Parameters`.

        Raises ProviderError. Safe to cancel at any moment: the connection to the provider is closed before
        CancelledError propagates.
        """
        parser = ChunkParser(settings.CHAT_MAX_LINE)
        try:
            async with AsyncExitStack() as stack:
                stack.enter_context(metrics.UPSTREAMS.track_inprogress())
                response = await self._open(model, messages, parameters)
                stack.push_async_callback(response.aclose)
                sink.opened()
                reader = stack.enter_context(PacedReader(response))
                await _read(reader, parser, sink)
        except httpx2.HTTPError as error:
            if parser.received:
                raise ProviderError(
                    Outcome(EndReason.TRUNCATED, code="cut_off", detail=describe_cause(error))
                ) from error
            raise _unreachable(error) from error
        if not parser.received:
            detail = "the answer was not a stream of chat completion chunks"
            raise ProviderError(Outcome(EndReason.PROVIDER_FAILED, code="malformed", detail=detail))

    async def _open(self, model: str, messages: Sequence[Turn], parameters: Parameters) -> httpx2.Response:
        """Request the answer with usage, or without it if the provider refuses that: a refused request is not billed.
        Later requests leave usage out only if the second request succeeds: a refusal for another reason may mention
        usage because it quotes the request."""
        try:
            return await self._post(_request_body(model, messages, parameters, usage=self._reports_usage))
        except ProviderError as error:
            if not (self._reports_usage and error.about_usage):
                raise
        response = await self._post(_request_body(model, messages, parameters, usage=False))
        self._reports_usage = False
        return response

    async def _post(self, body: bytes) -> httpx2.Response:
        """Post a request for a streamed completion. The SDK's `completions.create` would first search every message of
        the history for types to convert, which takes longer the longer the conversation is."""
        path = "/chat/completions"
        return await self._send(
            lambda client: client.post(path, content=body, cast_to=object, stream=True, stream_cls=AsyncStream[Any])
        )

    async def _send(self, send: Callable[[AsyncOpenAI], Awaitable[AsyncStream[Any]]]) -> httpx2.Response:
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

    async def models(self) -> tuple[ListedModel, ...]:
        """The models that the endpoint lists, sorted by name. Raises ProviderError. May be cancelled."""
        try:
            return model_list.parse(await self.fetch_list())
        except ValueError as error:
            raise ProviderError(Outcome(EndReason.PROVIDER_FAILED, "malformed", "not a list of models")) from error

    async def fetch_list(self) -> object:
        """The endpoint's list of models as decoded JSON: at most `MAX_LIST_BYTES`, within the connect timeout. Raises
        ProviderError. May be cancelled."""
        try:
            async with asyncio.timeout(self._connect_timeout):
                return decode_body(await self._read_list())
        except (TimeoutError, httpx2.HTTPError) as error:
            raise _unreachable(error) from error

    async def _read_list(self) -> bytes:
        response = await self._send(
            lambda client: client.get("/models", cast_to=object, stream=True, stream_cls=AsyncStream[Any])
        )
        read = bytearray()
        try:
            async for data in response.aiter_bytes():
                read += data
                if len(read) > MAX_LIST_BYTES:
                    raise ProviderError(Outcome(EndReason.PROVIDER_FAILED, "malformed", "a list of models without end"))
        finally:
            await response.aclose()
        return bytes(read)

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.close()


async def _read(reader: PacedReader, parser: ChunkParser, sink: Sink) -> None:
    """Read to `[DONE]` or the end of the body."""
    body = aiter(reader)
    async for data in body:
        try:
            _pass_on(parser.feed(data), sink)
        finally:
            reader.pause(sink.batch_read())
        if parser.done:
            reader.resume()
            await _drain(body)
            return
    _pass_on(parser.end(), sink)
    sink.batch_read()


async def _drain(body: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(DRAIN_TIMEOUT):
            async for _data in body:
                pass


def _request_body(model: str, messages: Sequence[Turn], parameters: Parameters, *, usage: bool) -> bytes:
    given: dict[str, object] = {name: value for name, value in parameters.items() if value is not None}
    if usage:
        given["stream_options"] = {"include_usage": True}
    return msgspec.json.encode({"model": model, "messages": messages, "stream": True, **given})


def _pass_on(chunks: Iterable[Chunk], sink: Sink) -> None:
    """Pass chunks on to `sink`, with their text joined."""
    texts: list[str] = []
    sink.alive()
    try:
        for chunk in chunks:
            for choice in chunk.choices or ():
                _pass_on_choice(choice, texts, sink)
            if (counts := chunk.tokens()) is not None:
                sink.usage(*counts)
    finally:
        _pass_on_text(texts, sink)


def _pass_on_choice(choice: Choice, texts: list[str], sink: Sink) -> None:
    if choice.delta is not None:
        if text := choice.delta.text:
            texts.append(text)
        elif thought := choice.delta.thought:
            sink.alive(1, thought)
    if choice.finish_reason:
        _pass_on_text(texts, sink)
        sink.finished(choice.finish_reason)


def _pass_on_text(texts: list[str], sink: Sink) -> None:
    if texts:
        sink.delta("".join(texts), len(texts))
        texts.clear()


def _unreachable(error: BaseException) -> ProviderError:
    return ProviderError(Outcome(EndReason.PROVIDER_UNREACHABLE, detail=describe_cause(error)))
