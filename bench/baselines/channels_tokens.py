"""Django Channels under Daphne: the `openai` iterator and one `send` per token. It neither formats nor saves."""

import json

from django.conf import settings

settings.configure(SECRET_KEY="not a secret: this program has no users", INSTALLED_APPS=["channels"])

import django  # noqa: E402

django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402
from openai import AsyncOpenAI  # noqa: E402

client = AsyncOpenAI()


class ChatConsumer(AsyncWebsocketConsumer):
    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        prompt = json.loads(text_data or "{}")["prompt"]
        stream = await client.chat.completions.create(
            model="bench", messages=[{"role": "user", "content": prompt}], stream=True
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                await self.send(text_data=json.dumps({"content": chunk.choices[0].delta.content}))
        await self.send(text_data=json.dumps({"done": True}))


application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/", ChatConsumer.as_asgi())])})
