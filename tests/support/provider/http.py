"""Reads HTTP requests and writes response heads and events for the fake provider."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One request as received: its path, its headers (names in lower case) and the parsed JSON body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Json
    at: float = field(default_factory=time.monotonic)

    @property
    def messages(self) -> list[Json]:
        return list(self.body.get("messages", []))

    @property
    def contents(self) -> list[str]:
        return [str(message.get("content", "")) for message in self.messages]

    def place_of(self, text: str) -> int:
        """The index of the last message with this text; -1 without one."""
        return max((place for place, content in enumerate(self.contents) if text in content), default=-1)


def event(payload: Json) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Fake", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request on a connection; None if the other side has closed it."""
    try:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await read_body(reader, headers)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    method, path, _ = first.split(" ", 2)
    return Request(method, path.partition("?")[0], headers, json.loads(body) if body else {})


async def read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return body
