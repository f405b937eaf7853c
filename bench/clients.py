"""Many pages in one process (`python -m bench.clients KIND`), controlled by lines of JSON on standard input.

Each command gets one line in reply. `urls` and `cookies` are assigned to the pages in turn.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from itertools import count, cycle
from typing import Any

import aiohttp

from bench.pages import KINDS, Answer, Page

TIMEOUT = 120.0
PROBE_TIMEOUT = 20.0
"""Seconds that a probe may wait for its first words before it counts as lost."""

SILENCE_TIMEOUT = 30.0
"""Seconds without a new word before an answer counts as lost."""


class Fleet:
    """All pages of this process."""

    def __init__(self, kind: str, session: aiohttp.ClientSession) -> None:
        self.kind = KINDS[kind]
        self.session = session
        self.pages: list[Page] = []
        self.answers: list[Answer] = []
        self._keys = count()
        self._begun = 0

    async def connect(self, urls: list[str], cookies: list[str], together: int = 20) -> dict[str, Any]:
        """Open one page per cookie."""
        made = [self.kind(self.session, url, cookie) for url, cookie in zip(cycle(urls), cookies, strict=False)]
        for begin in range(0, len(made), together):
            await asyncio.gather(*(page.connect() for page in made[begin : begin + together]))
        self.pages += made
        return {"pages": len(self.pages)}

    async def ask(self, tokens: int, rate: float, shape: str, ramp: float, pages: int = 0) -> dict[str, Any]:
        """Have pages ask that have not asked yet (`pages` of them, 0 for all), spread over `ramp` seconds.

        Returns when each has its first word.
        """
        asking = self.pages[self._begun : self._begun + pages] if pages else self.pages[self._begun :]
        self._begun += len(asking)
        begin = time.monotonic()
        begun = []
        for number, page in enumerate(asking):
            await asyncio.sleep(max(0.0, begin + ramp * number / len(asking) - time.monotonic()))
            begun.append(await self._begin(page, tokens, rate, shape))
        self.answers += begun
        await until(lambda: all(answer.first_at or answer.over.is_set() for answer in begun))
        return {"running": len(begun), "faults": faults(begun)}

    async def _begin(self, page: Page, tokens: int, rate: float, shape: str) -> Answer:
        key = f"k{id(self)}-{next(self._keys)}"
        try:
            return await page.ask(f"key={key} tokens={tokens} rate={rate:g} shape={shape}", key)
        except aiohttp.ClientError as error:  # the server accepts no more connections
            lost = page.answer = Answer(key, time.monotonic())
            lost.fault(type(error).__name__)
            return lost

    def again(self) -> dict[str, Any]:
        """Allow all pages to ask again."""
        self._begun = 0
        return {}

    async def over(self) -> dict[str, Any]:
        """Wait until every answer has ended. Return what the pages saw, and forget it."""
        while waiting := [answer for answer in self.answers if not answer.over.is_set()]:
            await asyncio.sleep(0.02)
            for answer in waiting:
                if time.monotonic() - answer.heard_at > SILENCE_TIMEOUT:
                    answer.fault(f"silent for {SILENCE_TIMEOUT:g} s after {len(answer.words)} words")
        seen, self.answers = self.answers, []
        return {
            "caught_up": sum(a.caught_up for a in seen),
            "answers": [
                {"key": a.key, "text": a.text, "words": "".join(a.words), "faults": a.faults, "frames": a.frames}
                for a in seen
            ],
            "latencies": [latency for a in seen for _at, latency in a.latencies],
            "first": [a.first_at - a.asked_at for a in seen if a.first_at],
        }

    def window(self, since: float) -> dict[str, Any]:
        """Return the latencies of the words that arrived after `since`, and forget all latencies so far."""
        latencies = [age for a in self.answers for at, age in a.latencies if at >= since]
        for answer in self.answers:
            answer.latencies.clear()
        waiting = [a for a in self.answers if not a.over.is_set()]
        return {"latencies": latencies, "running": len(waiting), "faults": faults(self.answers)}

    async def probe(self, urls: list[str], cookies: list[str], every: float, stop_after: int) -> dict[str, Any]:
        """Open a new page every `every` seconds. Each asks, reads `stop_after` tokens and stops."""
        begin = time.monotonic()
        running = []
        for number, (url, cookie) in enumerate(zip(cycle(urls), cookies, strict=False)):
            await asyncio.sleep(max(0.0, begin + every * number - time.monotonic()))
            running.append(asyncio.create_task(self._probe(self.kind(self.session, url, cookie), stop_after)))
        answers = await asyncio.gather(*running)
        return {
            "probes": [
                {"key": a.key, "asked_at": a.asked_at, "first_at": a.first_at, "word": a.words[0], "stop_at": a.stop_at}
                for a in answers
                if a.words
            ],
            "faults": faults(answers),
        }

    async def _probe(self, page: Page, stop_after: int) -> Answer:
        await page.connect()
        answer = await self._begin(page, 2000, 50, "answer")
        with suppress(TimeoutError):  # an overloaded server: the caller sees that words are missing
            await until(lambda: len(answer.words) >= stop_after or answer.over.is_set(), PROBE_TIMEOUT)
        await page.stop()
        await asyncio.sleep(0.5)
        await page.close()
        return answer

    async def close(self) -> dict[str, Any]:
        for begin in range(0, len(self.pages), 50):
            await asyncio.gather(*(page.close() for page in self.pages[begin : begin + 50]))
        self.pages, self.answers, self._begun = [], [], 0
        return {}


def faults(answers: list[Answer]) -> list[str]:
    return [fault for answer in answers for fault in answer.faults]


async def until(probe: Any, timeout: float = TIMEOUT) -> None:
    async with asyncio.timeout(timeout):
        while not probe():
            await asyncio.sleep(0.005)


async def main(kind: str) -> None:
    timeout = aiohttp.ClientTimeout(None)
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        fleet = Fleet(kind, session)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            command = json.loads(line)
            began = time.process_time()
            answer = getattr(fleet, command.pop("do"))(**command)
            if asyncio.iscoroutine(answer):
                answer = await answer
            print(json.dumps({**answer, "cpu": time.process_time() - began}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
