"""For an unfinished block, pages get only what is new and build the same block from it."""

import uuid

import msgspec
import pytest

from conversations.delivery.broadcast import Broadcast
from conversations.protocol import events
from conversations.rendering.markdown.stream import MarkdownStream, render
from tests.support.protocol_rules import Event, Rules


class Page:
    """What a page builds from the frames of one answer, and their size in bytes."""

    language = "en"

    def __init__(self):
        self.rules = Rules()
        self.received = 0

    def offer(self, frame, message):
        self.received += len(frame)
        self.rules.apply(Event(msgspec.json.decode(frame), 0.0))
        return True

    @property
    def html(self):
        (shown,) = self.rules.shown.values()
        return shown.html


TEXTS = {
    "code": "Look:\n\n```python\n" + "print('one', 2)\n" * 50 + "```\n\nThat is *all*.\n",
    "table": "| a | b |\n|---|---|\n" + "| `x` | 2 |\n" * 30,
    "list": "1. one\n   - two 👩‍🚀\n   - three\n" * 20,
    "beyond the basic plane": "Hi 👋🏽 𝒳 𝒴, **𝒵**! 🎉🎉🎉 and é, ü\n\n> 🙂 quoted 🙂\n" * 5,
    "something that changes what stands before it": "A line\nand another\n====\n\n*not yet* **bold*",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("step", [1, 7])
async def test_page_shows_the_text_after_every_frame(text, step):
    page, late, answer = Page(), Page(), Broadcast(uuid.uuid4(), uuid.uuid4())
    growing = MarkdownStream()
    answer.subscribers.add(page)
    page.offer(events.snapshot(answer.generation, answer.message, 0, "", ""), answer.message)
    for begin in range(0, len(text), step):
        piece = text[begin : begin + step]
        answer.add(piece)
        answer.flush()
        await answer.wait_rendered()
        growing.feed(piece)
        growing.flush()
        assert page.html == growing.finished + growing.tail
        if begin == 3 * step:
            answer.subscribe(late)
    answer.finish_text()
    await answer.wait_rendered()
    assert page.html == late.html == render(text)
    assert not page.rules.broken


async def test_long_block_is_not_resent():
    lines = [f"value_{number} = compute({number})  # a line like any other\n" for number in range(1000)]
    page, answer = Page(), Broadcast(uuid.uuid4(), uuid.uuid4())
    answer.subscribe(page)
    for line in ["```\n", *lines]:
        answer.add(line)
        answer.flush()
        await answer.wait_rendered()
    assert page.received < 8 * sum(map(len, lines))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("", "", 0), ("a", "", 0), ("abc", "abc", 3), ("abc", "abd", 2), ("ab", "abc", 2), ("x", "y", 0)],
)
def test_common_prefix_of_two_tails(one, other, same):
    assert events.common_prefix(one, other) == events.common_prefix(other, one) == same
