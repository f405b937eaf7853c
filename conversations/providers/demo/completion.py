"""One request to the demo model and its answer, in the form of OpenAI's Chat Completions."""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

from .answers import answer, rest, title

# Ways to ask for the rest of an answer, the product's own and those that people type.
_CONTINUE_PROMPT = re.compile(
    r"\W*(please\s+)?(continue|go on|carry on|keep going)\b|.*\b(cut off|go on exactly)\b", re.IGNORECASE | re.DOTALL
)
# A way to ask for the title of a conversation: the product's own.
_TITLE_PROMPT = re.compile(r"Give this conversation a title\b")
_MAX_REQUEST_PROMPT = 400
_TOKEN = re.compile(r" ?\w{1,8}|[^\w\s]{1,3}|\s+")


class RefusedError(Exception):
    """A request that the endpoint does not serve, with a sentence for the developer."""

    def __init__(self, status: int, sentence: str, code: str | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request that has been read. `turns` are pairs of role and text."""

    model: str
    turns: list[tuple[str, str]]
    stream: bool
    include_usage: bool
    limit: int | None


class Completion:
    """The answer to one request."""

    def __init__(self, request: ParsedRequest, turn: int) -> None:
        self.request = request
        tokens = split(reply(request.turns, turn))
        self.tokens = tokens if request.limit is None else tokens[: request.limit]
        self.finish_reason = "stop" if len(self.tokens) == len(tokens) else "length"
        self._head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": request.model}

    def chunk(self, delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}

    def usage_chunk(self) -> dict[str, Any]:
        return {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": self._usage()}

    def whole(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": "".join(self.tokens)}
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage()}

    def _usage(self) -> dict[str, int]:
        prompt = sum(len(split(text)) for _, text in self.request.turns)
        written = len(self.tokens)
        return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}


def split(text: str) -> list[str]:
    """`text` in parts about as long as the tokens of a model."""
    return _TOKEN.findall(text)


def reply(turns: list[tuple[str, str]], turn: int) -> str:
    """The answer to a conversation, or the rest of the partial answer that it ends with."""
    said = [(role, text) for role, text in turns if role in {"user", "assistant"}]
    last = said[-1][1] if said and said[-1][0] == "user" else ""
    if len(said) > 1 and len(last) <= _MAX_REQUEST_PROMPT and _TITLE_PROMPT.match(last):
        return title(next((text for role, text in said if role == "user"), ""))
    if (
        len(said) > 1
        and said[-2][0] == "assistant"
        and len(last) <= _MAX_REQUEST_PROMPT
        and _CONTINUE_PROMPT.match(last)
    ):
        said.pop()
    prompt = next((text for role, text in reversed(said) if role == "user"), "")
    if said and said[-1][0] == "assistant" and said[-1][1]:
        return rest(prompt, said[-1][1])
    return answer(prompt, turn)


def read_request(body: bytes, model: str) -> ParsedRequest:
    """The request in `body`. Raises RefusedError."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "The request is not valid JSON.") from None
    if not isinstance(data, dict):
        raise RefusedError(400, "The request is not a JSON object.")
    if data.get("model") != model:
        raise RefusedError(404, f"The model {data.get('model')!r} does not exist.", "model_not_found")
    options = data.get("stream_options")
    return ParsedRequest(
        model=model,
        turns=_turns(data.get("messages")),
        stream=data.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        limit=_limit(data),
    )


def _limit(data: dict[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        limit = data.get(name)
        if limit is None:
            continue
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise RefusedError(400, f"{name} is not a positive integer.")
        return limit
    return None


def _turns(messages: Any) -> list[tuple[str, str]]:
    if not isinstance(messages, list) or not messages:
        raise RefusedError(400, "messages is not a list with at least one message.")
    return [_turn(message) for message in messages]


def _turn(message: Any) -> tuple[str, str]:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise RefusedError(400, "A message is not an object with a role.")
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str))
    if content is not None and not isinstance(content, str):
        raise RefusedError(400, "The content of a message is not text.")
    return message["role"], content or ""
