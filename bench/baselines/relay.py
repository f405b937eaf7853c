"""The floor: copies the provider's bytes into WebSocket frames, with aiohttp on both sides."""

import os
import sys
from collections.abc import AsyncIterator

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

UPSTREAM = web.AppKey("upstream", ClientSession)


async def relay(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    prompt = (await socket.receive_json())["prompt"]
    body = {"model": "bench", "stream": True, "messages": [{"role": "user", "content": prompt}]}
    url = f"{os.environ['OPENAI_BASE_URL']}/chat/completions"
    async with request.app[UPSTREAM].post(url, json=body) as response:
        async for data in response.content.iter_any():
            await socket.send_bytes(data)
    await socket.close()
    return socket


async def upstream(app: web.Application) -> AsyncIterator[None]:
    async with ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(None)) as session:
        app[UPSTREAM] = session
        yield


def main(port: int) -> None:
    app = web.Application()
    app.router.add_get("/ws/", relay)
    app.cleanup_ctx.append(upstream)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
