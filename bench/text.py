"""Texts in which each token encodes the time when it was written.

A token is one word: the time on the clock of `time.monotonic`, in units of ten microseconds. All processes of a Linux
system share that clock, so a reader can compute the latency. A *shape* puts the words into Markdown.
"""

import re
from dataclasses import dataclass

LETTERS = "abcdefghijklmnopqrstuvwxyz"
PAIRS = [first + second for first in LETTERS for second in LETTERS]
SPAN = 26**7
UNIT = 1e-5
"""Seconds between two successive words. The words start over after 22 hours."""

WORD = re.compile("[A-Z][a-z]{6}")
WORD_BYTES = re.compile(rb"[A-Z][a-z]{6}")
WIDTH = 7


def word(moment: int) -> str:
    """Return the word for a moment in units. Later moments give alphabetically later words."""
    moment %= SPAN
    moment, low = divmod(moment, 676)
    moment, middle = divmod(moment, 676)
    first, high = divmod(moment, 676)
    return f"{LETTERS[first].upper()}{PAIRS[high]}{PAIRS[middle]}{PAIRS[low]}"


def seconds(text: str) -> float:
    """Return when a word was written, in seconds on a clock that starts over every `SPAN` units."""
    moment = ord(text[0]) - 65
    for letter in text[1:]:
        moment = moment * 26 + ord(letter) - 97
    return moment * UNIT


def age(text: str, now: float) -> float:
    """Return the seconds between the writing of a word and `now`."""
    return (now - seconds(text)) % (SPAN * UNIT)


@dataclass(frozen=True)
class Shape:
    """The Markdown before and after each word: `opening` before the first token, and `cycle` repeated from there."""

    opening: str
    cycle: list[tuple[str, str]]

    def around(self, number: int) -> tuple[str, str]:
        """Return the text before and after token `number`, counting from 0."""
        before, behind = self.cycle[number % len(self.cycle)]
        return (self.opening + before if number == 0 else before), behind


def _line(words: int, before: str, end: str, between: str = " ") -> list[tuple[str, str]]:
    return [(before if number == 0 else "", between if number < words - 1 else end) for number in range(words)]


def _answer() -> list[tuple[str, str]]:
    """A typical answer: a heading, paragraphs with a bold word, a list, some code."""
    paragraph = [*_line(20, "", ". "), *_line(1, "**", "** "), *_line(19, "", "\n\n")]
    listing = [token for _ in range(4) for token in _line(8, "- ", "\n")]
    code = [token for _ in range(8) for token in _line(4, "    ", "\n")]
    code[0] = ("```python\ndef f():\n" + code[0][0], code[0][1])
    code[-1] = (code[-1][0], "\n```\n\n")
    listing[-1] = (listing[-1][0], "\n\n")
    return [*_line(4, "## ", "\n\n"), *paragraph, *paragraph, *listing, *paragraph, *code]


def _row() -> list[tuple[str, str]]:
    """A row of four cells with two words each."""
    row = [("", " "), ("", " | ")] * 4
    row[0], row[-1] = ("| ", " "), ("", " |\n")
    return row


SHAPES = {
    "answer": Shape("", _answer()),
    "prose": Shape("", _line(40, "", ".\n\n")),
    "list": Shape("", _line(8, "- ", "\n")),
    "table": Shape("| a | b | c | d |\n|---|---|---|---|\n", _row()),
    "code": Shape("```python\n", _line(6, "    ", "\n")),
}
