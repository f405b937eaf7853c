"""A response is read only up to a fixed size and time, however much the provider sends and however slowly."""

import asyncio
import gzip
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from conversations.providers import client, transport
from conversations.providers.endpoints import Endpoint
from conversations.rules.provider_error_outcomes import ProviderError
from tests.support import generations
from tests.support.pausing_reader import PausingReader

MEGABYTE = 1_000_000
MAX_WAIT = 5.0


def peak(server):
    """The peak memory of the server so far, in megabytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def test_endless_error_body_is_cut_off(asking, server):
    asked, exchange = asking
    before = peak(server)
    exchange.send_headers(500)
    written = 0
    with suppress(ConnectionError):
        while written < 400 * MEGABYTE:
            exchange.write_raw(b"x" * MEGABYTE)
            written += MEGABYTE
    assert written < 50 * MEGABYTE  # most of it is in the operating system's buffers
    assert asked.outcome == ("error", "provider_failed")
    assert generations.get(asked).error_code == "500"
    assert peak(server) - before < 30


def test_dripping_error_body_times_out(asking):
    asked, exchange = asking
    began = time.monotonic()
    exchange.send_headers(400)
    with suppress(ConnectionError):
        while time.monotonic() - began < 60:
            exchange.write_raw(b"x")
            exchange._closed.wait(0.2)
    assert time.monotonic() - began < transport.ERROR_TIMEOUT + MAX_WAIT
    assert asked.outcome == ("error", "provider_rejected")


def test_compressed_error_bomb_is_not_unpacked(asking, server):
    asked, exchange = asking
    assert exchange.request.headers["accept-encoding"] == "identity"
    bomb = gzip.compress(bytes(200 * MEGABYTE), 1)
    before = peak(server)
    exchange.respond(502, {"Content-Encoding": "gzip"}, bomb)
    assert asked.outcome == ("error", "provider_failed")
    assert peak(server) - before < 30


@asynccontextmanager
async def saying(*head, forever):
    """An endpoint that answers every request with this head and then endlessly with `forever`."""

    answers = set()

    async def answer(reader, writer):
        answers.add(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        gone = asyncio.ensure_future(reader.read())
        with suppress(ConnectionError):
            writer.write(b"\r\n".join((b"HTTP/1.1 200 OK", *head)))
            while not gone.done():
                writer.write(forever)
                await writer.drain()
                await asyncio.sleep(0.001)
        await asyncio.gather(gone, return_exceptions=True)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    upstream = client.ProviderClient(
        Endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", "k", connect_timeout=2)
    )
    try:
        yield upstream
    finally:
        await upstream.close()
        server.close()
        await asyncio.gather(*answers)


async def test_endless_model_list_is_cut_off(monkeypatch):
    monkeypatch.setattr(client, "MAX_LIST_BYTES", MEGABYTE)
    async with saying(b"", b"", forever=b'{"id": "a"},' * 1000) as upstream:
        with pytest.raises(ProviderError) as raised:
            await upstream.models()
        assert raised.value.outcome.detail == "a list of models without end"


async def test_dripping_model_list_times_out():
    began = time.monotonic()
    async with saying(b"Content-Length: 100000", b"", b"[", forever=b"") as upstream:
        with pytest.raises(ProviderError) as raised:
            await upstream.models()
    assert raised.value.outcome.detail == "it did not answer in time"
    assert time.monotonic() - began < MAX_WAIT


async def test_endless_headers_are_cut_off():
    async with saying(forever=b"X-Bees: hum\r\n" * 1000) as upstream:
        with pytest.raises(ProviderError) as raised:
            await asyncio.wait_for(upstream.stream("a", [{"role": "user", "content": "b"}], PausingReader()), MAX_WAIT)
        assert raised.value.outcome.detail == "what it says is not HTTP"


async def test_malformed_model_lists_are_refused():
    for body in (b"5", b'{"data": 5}', b"<html>", b'"', b"\xff", b"[" * 100_000):
        length = b"Content-Length: %d" % len(body)
        async with saying(length, b"", body, forever=b"") as upstream:
            with pytest.raises(ProviderError) as raised:
                await upstream.models()
            assert raised.value.outcome.code == "malformed"


async def test_unstorable_model_names_are_left_out():
    names = '"a\\u0000b", "c\\nd", "\\u001b[2J", "", 5, null, {"x": 1}, "good-model"'
    body = ('{"data": [7, ' + ", ".join(f'{{"id": {name}}}' for name in names.split(", ")) + "]}").encode()
    async with saying(b"Content-Length: %d" % len(body), b"", body, forever=b"") as upstream:
        assert [model.name for model in await upstream.models()] == ["good-model"]
