"""The demo model over real HTTP: its texts, its format, and that it stops when the client disconnects."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from conversations.providers.demo import answers, server
from conversations.providers.demo.completion import reply, split
from conversations.providers.demo.samples import SAMPLES
from conversations.providers.demo.server import Demo
from conversations.providers.prompt import CONTINUE_INSTRUCTION
from conversations.rendering.markdown.stream import render

FAST = 100_000.0
PROMPTS = ("Compare tea and coffee in a table", "Write Python code", "Plan a hike, as a list", "Hm?", "Grüße *an* <b>")


@contextlib.asynccontextmanager
async def running(rate: float = FAST) -> AsyncIterator[tuple[Demo, aiohttp.ClientSession]]:
    demo = await server.start(rate)
    try:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {demo.key}"}) as session:
            yield demo, session
    finally:
        await demo.close()


def asking(*contents: str, **fields: Any) -> dict[str, Any]:
    """A request whose messages alternate between the person and the model."""
    roles = ("user", "assistant")
    turns = [{"role": roles[place % 2], "content": content} for place, content in enumerate(contents)]
    return {"model": "demo", "messages": turns, **fields}


async def events(response: aiohttp.ClientResponse) -> list[Any]:
    """The objects in the events of the stream; `[DONE]` as a string."""
    assert response.status == 200
    assert response.content_type == "text/event-stream"
    data = [part.removeprefix("data: ") for part in (await response.text()).split("\n\n") if part]
    return [part if part == "[DONE]" else json.loads(part) for part in data]


def words_of(chunks: list[Any]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"])


async def test_demo_lists_its_model():
    async with running() as (demo, session), session.get(f"{demo.base_url}/models") as response:
        listed = await response.json()
    assert [model["id"] for model in listed["data"]] == [demo.model]


async def test_streams_in_the_form_of_chat_completions():
    asked = asking("Hello", stream=True, stream_options={"include_usage": True})
    async with running() as (demo, session), session.post(f"{demo.base_url}/chat/completions", json=asked) as response:
        first, *tokens, last, usage, done = await events(response)
    assert done == "[DONE]"
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert {chunk["object"] for chunk in (first, *tokens, last, usage)} == {"chat.completion.chunk"}
    assert {chunk["id"] for chunk in (first, *tokens, last, usage)} == {first["id"]}
    assert {chunk["choices"][0]["finish_reason"] for chunk in tokens} == {None}
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == len(tokens) == len(split(words_of(tokens)))
    assert words_of(tokens) in answers.variants("Hello")


async def test_usage_is_sent_only_on_request():
    asked = asking("Hello", stream=True)
    async with running() as (demo, session), session.post(f"{demo.base_url}/chat/completions", json=asked) as response:
        assert all("usage" not in chunk for chunk in await events(response))


async def test_answers_without_streaming():
    asked = asking("Hello")
    async with running() as (demo, session), session.post(f"{demo.base_url}/chat/completions", json=asked) as response:
        whole = await response.json()
    assert whole["object"] == "chat.completion"
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert whole["choices"][0]["message"]["content"] in answers.variants("Hello")
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"]


async def test_ends_at_the_token_limit():
    asked = asking("Hello", stream=True, max_tokens=5)
    async with running() as (demo, session), session.post(f"{demo.base_url}/chat/completions", json=asked) as response:
        *chunks, _ = await events(response)
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"
    assert len(split(words_of(chunks))) == 5


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer ", "Basic YTpi", "Bearer \u00e9"])
async def test_demo_requires_its_key(authorization):
    async with running() as (demo, session):
        for path in ("models", "chat/completions", "nothing"):
            headers = {"Authorization": authorization}
            async with session.post(f"{demo.base_url}/{path}", json=asking("Hello"), headers=headers) as response:
                assert response.status == 401
                assert (await response.json())["error"]["code"] == "invalid_api_key"


async def test_every_start_has_a_new_key():
    async with running() as (one, _), running() as (two, _):
        assert one.key != two.key


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (b'{"model": "demo"}', 400),
        (b'{"model": "demo", "messages": []}', 400),
        (b'{"model": "demo", "messages": ["Hello"]}', 400),
        (b'{"model": "demo", "messages": [{"role": "user", "content": 1}]}', 400),
        (b'{"model": "demo", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 0}', 400),
        (b'{"model": "other", "messages": [{"role": "user", "content": "Hello"}]}', 404),
        (b'{"messages": [{"role": "user", "content": "Hello"}]}', 404),
    ],
)
async def test_malformed_request_is_refused(body, status):
    async with running() as (demo, session), session.post(f"{demo.base_url}/chat/completions", data=body) as response:
        assert response.status == status
        assert (await response.json())["error"]["message"]


async def test_unknown_path_is_not_found():
    async with running() as (demo, session), session.get(f"{demo.base_url}/embeddings") as response:
        assert response.status == 404
        assert (await response.json())["error"]["message"]


async def until_nothing_is_written(demo: Demo) -> None:
    """Wait until nothing is being written. At this pace a whole answer takes longer than the timeout."""
    async with asyncio.timeout(2):
        while demo.writing:
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("stream", [True, False])
async def test_stops_writing_when_the_client_hangs_up(stream):
    async with running(rate=50) as (demo, session):

        async def read() -> None:
            asked = asking("Something long", stream=stream, max_tokens=5000)
            async with session.post(f"{demo.base_url}/chat/completions", json=asked) as response:
                await response.read()

        reader = asyncio.create_task(read())
        while demo.written < 5:
            await asyncio.sleep(0.005)
        reader.cancel()
        await until_nothing_is_written(demo)
        written = demo.written
        await asyncio.sleep(5 / 50)
        assert demo.written == written


async def test_closing_cuts_off_a_stream():
    asked = asking("Hello", stream=True)
    async with running(rate=50) as (demo, session), session.post(f"{demo.base_url}/chat/completions", json=asked) as it:
        await it.content.readline()
        begin = time.monotonic()
        await demo.close()
        assert time.monotonic() - begin < 1
        assert demo.writing == 0
        with pytest.raises(aiohttp.ClientError):
            await it.content.read()


async def test_demo_keeps_its_pace():
    asked = asking("Hello", stream=True, max_tokens=60)
    async with running(rate=60) as (demo, session), session.post(f"{demo.base_url}/chat/completions", json=asked) as it:
        begin = time.monotonic()
        times = [time.monotonic() - begin async for line in it.content if b'{"content"' in line]
    assert len(times) == 60
    assert times[-1] > 0.9  # a slow machine takes longer, and no machine takes less
    gaps = sorted(later - earlier for earlier, later in pairwise(times))
    assert gaps[len(gaps) // 2] > 0.005, "one by one, not in lumps"


@pytest.mark.parametrize("prompt", [*PROMPTS, ""])
def test_every_answer_says_it_is_a_demo_and_quotes_the_prompt(prompt):
    for text in answers.variants(prompt):
        opening = ". ".join(text.split(". ")[:2])
        assert "demo model" in opening
        assert "no real model is connected" in opening
        assert 150 <= len(text.split()) <= 400
        assert any(word.strip("*") in text.split("\n\n")[0] for word in prompt.split()) or prompt in {"", "Hm?"}


@pytest.mark.parametrize(
    ("prompt", "mark"),
    [
        ("Compare tea and coffee in a table", "Camellia"),
        ("Write a Python function that finds the prime numbers up to n", "```python"),
        ("some sql code please", "```sql"),
        ("Explain how a rainbow comes about, in three short paragraphs", "42 degrees"),
        ("I want a list", "    - and"),
        ("A recipe for bread", "flour"),
    ],
)
def test_answer_suits_the_prompt(prompt, mark):
    assert all(mark in text for text in answers.variants(prompt))


def test_long_answers_leave_time_to_stop():
    for text in answers.variants("Tell me a long story"):
        assert len(text.split()) >= 1_500


@pytest.mark.parametrize("prompt", [*PROMPTS, "a long one"])
def test_regenerating_gives_another_answer(prompt):
    given = [answers.answer(prompt, turn) for turn in range(4)]
    assert all(first != second for first, second in pairwise(given))


def test_samples_show_all_kinds_of_blocks():
    html = render("\n\n".join(sample.body for sample in SAMPLES))
    for tag in ("h3", "h4", "ol", "ul", "li", "table", "blockquote", "pre", "strong", "em", "a", "hr", "span"):
        assert f"<{tag}" in html
    for language in ("python", "javascript", "sql", "bash", "ini", "text"):
        assert f'<code class="language-{language}">' in html


def test_sample_program_works(capsys):
    (body,) = [sample.body for sample in SAMPLES if "```python" in sample.body]
    exec(body.split("```python\n")[1].split("```")[0], {})
    assert capsys.readouterr().out.strip() == body.split("```text\n")[1].split("```")[0].strip()


@pytest.mark.parametrize("prompt", [*PROMPTS, "a long one"])
@pytest.mark.parametrize("ask", [[("user", CONTINUE_INSTRUCTION)], [("user", "Please continue.")], []])
def test_continues_the_same_answer(prompt, ask):
    text = answers.answer(prompt, 3)
    for length in (1, 40, len(text) // 2, len(text) - 1):
        partial = text[:length]
        turns = [("system", "Be brief."), ("user", prompt), ("assistant", partial), *ask]
        assert partial + reply(turns, 1) in answers.variants(prompt)


@pytest.mark.parametrize("partial", ["Words of another model", answers.answer("Hello", 0)])
def test_ends_the_continuation_of_an_unknown_answer(partial):
    more = reply([("user", "Hello"), ("assistant", partial), ("user", CONTINUE_INSTRUCTION)], 1)
    assert more.startswith("\n\nThat is all the demo model has to say")


def test_new_prompt_after_an_answer_is_answered_anew():
    turns = [("user", "Hello"), ("assistant", "Hello to you."), ("user", "Should I continue to drink tea?")]
    assert reply(turns, 1) in answers.variants("Should I continue to drink tea?")


async def test_reads_content_in_parts():
    parts = [{"type": "text", "text": "Compare "}, {"type": "image_url"}, {"type": "text", "text": "tea"}]
    asked = {"model": "demo", "messages": [{"role": "user", "content": parts}]}
    async with running() as (demo, session), session.post(f"{demo.base_url}/chat/completions", json=asked) as response:
        content = (await response.json())["choices"][0]["message"]["content"]
    assert content in answers.variants("Compare tea")


def test_joined_tokens_give_the_text():
    for text in (*answers.variants("a long one"), "é😀  \n\t x_y -- \u2028…"):
        assert "".join(split(text)) == text
