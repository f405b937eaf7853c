"""The answers of the demo model: samples chosen by the words of the prompt, and the rest of a partial one."""

from __future__ import annotations

import re
from zlib import crc32

from .samples import SAMPLES, Sample

OPENINGS = (
    "You asked about {topic}. This is the demo model: no real model is connected, so here is a sample in its place.",
    (
        "Something on {topic}, as far as it goes. I am a demo model and no real model is connected, so what follows is "
        "a sample that only shows how an answer looks."
    ),
    (
        "A word first: I am the demo model of this chat, and no real model is connected. Of your message I only picked "
        "up {topic}; the rest is a sample."
    ),
)
CLOSING = (
    "That is all the demo model has to say on {topic}. Once a real model is connected, **Continue generating** asks it "
    "to go on from exactly this point, and the part that was stopped stays in the history as it was."
)
LONG = re.compile(r"\b(long|longer|longest|lengthy)\b", re.IGNORECASE)

_WORD = re.compile(r"[^\W\d_]{3,24}")
_PLEASANTRY = re.compile(r"^\s*((please|can you|could you|would you|hello|hi)\b\s*)+", re.IGNORECASE)
_COMMON = """
    about all also and any are ask asked but can compare could create describe did does explain for from get give
    had has have hello her him his how into its just know let like long longer make more most much need not now one
    only other our out over please say see she should short some such tell than that the their them then there these
    they thing this those too use very want was way were what when where which while who why will with would write
    you your
"""
_COMMON_WORDS = frozenset(_COMMON.split())


def variants(prompt: str) -> list[str]:
    """All answers that the demo model may give to `prompt`; never empty, always the same for the same prompt."""
    bodies = _long() if LONG.search(prompt) else [sample.body for sample in _suitable(prompt)]
    topic = _topic(prompt)
    return [f"{opening.format(topic=topic)}\n\n{body}" for opening in OPENINGS for body in bodies]


def answer(prompt: str, turn: int) -> str:
    """The answer to `prompt`; two turns that follow each other get different ones."""
    texts = variants(prompt)
    return texts[(crc32(prompt.encode()) + turn) % len(texts)]


def rest(prompt: str, partial: str) -> str:
    """What follows `partial`, the beginning of an answer to `prompt`: its own rest, or a closing paragraph."""
    for text in variants(prompt):
        if text.startswith(partial) and text != partial:
            return text[len(partial) :]
    return f"\n\n{CLOSING.format(topic=_topic(prompt))}"


def title(prompt: str) -> str:
    """The first words of `prompt` that say what it is about."""
    clause = _PLEASANTRY.sub("", re.split(r"[,;:.!?\n]", f"{prompt.strip()}\n")[0])
    words = " ".join(clause.split()[:6])
    return f"{words[:1].upper()}{words[1:]}" or "A talk with the demo model"


def _suitable(prompt: str) -> list[Sample]:
    """The samples that share most words with the prompt; all of them if none shares any."""
    words = {word.lower() for word in _WORD.findall(prompt)}
    shared = [len(sample.words & words) for sample in SAMPLES]
    return [sample for sample, count in zip(SAMPLES, shared, strict=True) if count == max(shared)]


def _long() -> list[str]:
    """Every sample in one answer, beginning with each of them in turn."""
    bodies = [sample.body for sample in SAMPLES]
    return ["\n\n".join(bodies[first:] + bodies[:first]) for first in range(len(bodies))]


def _topic(prompt: str) -> str:
    """Up to three telling words of the prompt; letters only, so that they cannot be Markdown."""
    words = dict.fromkeys(word for word in _WORD.findall(prompt) if word.lower() not in _COMMON_WORDS)
    *others, last = [f"**{word}**" for word in words][:3] or ["your message"]
    return f"{', '.join(others)} and {last}" if others else last
