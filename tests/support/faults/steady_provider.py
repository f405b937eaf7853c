"""A provider that streams to many clients at a steady pace, in a process of its own so that no test slows it down.

    provider = SteadyProvider()
    plan = Plan(rate=20, tokens=400)            # the prompt contains the plan
    page.ask(plan.prompt)
    answer = provider.answer(plan.prompt)       # when it was opened and closed, how many tokens were written

Its times are those of `time.monotonic()`, one clock for all processes of the system.
"""

import asyncio
import json
import secrets
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
NEVER = 1e9
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
USAGE = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}


def token(number: int, plan: "Plan") -> str:
    """The word with this number; every `plan.paragraph`-th word ends a paragraph."""
    return f"w{number}{'x' * plan.more}" + (" " if number % plan.paragraph else "\n\n")


@dataclass(frozen=True)
class Plan:
    """How one answer goes. `headers` is the time until the headers and `first` the time from there to the first token,
    in seconds; `more` is the number of letters that make each word longer."""

    rate: float = 20.0
    tokens: int = 1_000_000
    headers: float = 0.0
    first: float = 0.0
    finish: str = "stop"
    paragraph: int = 50
    more: int = 0
    name: str = field(default_factory=lambda: secrets.token_hex(6))

    @property
    def prompt(self) -> str:
        return f"Tell me of {json.dumps(asdict(self))}"

    @classmethod
    def from_prompt(cls, prompt: str) -> "Plan":
        return cls(**json.loads(prompt[prompt.index("{") :]))


@dataclass
class StreamedAnswer:
    """One request as the provider saw it."""

    prompt: str
    opened_at: float
    written: int = 0
    first_at: float | None = None
    finished_at: float | None = None
    closed_at: float | None = None

    @property
    def text(self) -> str:
        plan = Plan.from_prompt(self.prompt)
        return "".join(token(number, plan) for number in range(1, self.written + 1))


class SteadyProvider:
    """The provider's process and what it has reported so far."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._answers: dict[str, list[StreamedAnswer]] = {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.faults.steady_provider", str(self.port)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        assert self._process.stdout.readline().strip() == "ready"
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def answers(self) -> list[StreamedAnswer]:
        with self._moved:
            return [answer for answers in self._answers.values() for answer in answers]

    @property
    def open(self) -> int:
        """The number of answers in progress."""
        return sum(1 for answer in self.answers if answer.closed_at is None)

    def asked(self, prompt: str) -> list[StreamedAnswer]:
        with self._moved:
            return list(self._answers.get(prompt, []))

    def answer(self, prompt: str, timeout: float = 10.0) -> StreamedAnswer:
        """Wait for the request with this prompt; returns its answer."""
        with self._moved:
            assert self._moved.wait_for(lambda: prompt in self._answers, timeout), f"not asked: {prompt}"
            return self._answers[prompt][0]

    def wait_closed(self, prompt: str, timeout: float = 10.0) -> StreamedAnswer:
        answer = self.answer(prompt, timeout)
        with self._moved:
            assert self._moved.wait_for(lambda: answer.closed_at is not None, timeout), f"still open: {prompt}"
        return answer

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._reader.join(10)
        assert self._process.stdout
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            number, fields = json.loads(line)
            with self._moved:
                answers = self._answers.setdefault(fields["prompt"], [])
                answer = next((each for each in answers if vars(each).get("number") == number), None)
                if answer is None:
                    answer = StreamedAnswer(fields["prompt"], fields["opened_at"])
                    vars(answer)["number"] = number
                    answers.append(answer)
                for name, value in fields.items():
                    setattr(answer, name, value)
                self._moved.notify_all()


class Connection(asyncio.Protocol):
    """One connection: one request at a time, answered by the plan in its prompt."""

    numbers = iter(range(1_000_000_000))

    def __init__(self) -> None:
        self._buffer = b""
        self._answer_state: dict[str, Any] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        headers = head.decode("latin-1").lower().split("\r\n")
        length = next((int(line.split(":")[1]) for line in headers if line.startswith("content-length:")), 0)
        if len(body) < length:
            return
        self._buffer = body[length:]
        if head.split(b" ")[1].endswith(b"/models"):
            self._models()
        else:
            self._answer(json.loads(body[:length])["messages"])

    def connection_lost(self, error: Exception | None) -> None:
        self._over()

    def _models(self) -> None:
        data = b'{"object":"list","data":[{"id":"alpha-model","object":"model"}]}'
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)
        )

    def _answer(self, messages: list[dict[str, str]]) -> None:
        prompt = messages[-1]["content"]
        self._plan = Plan.from_prompt(prompt)
        self._number = next(self.numbers)
        self._answer_state = {"prompt": prompt, "opened_at": time.monotonic(), "written": 0}
        self._tell()
        if self._plan.headers < NEVER:
            self._later(self._plan.headers, self._headers)

    def _headers(self) -> None:
        self._transport.write(HEAD)
        if self._plan.first < NEVER:
            self._due = asyncio.get_running_loop().time() + self._plan.first
            self._later(self._plan.first, self._token)

    def _token(self) -> None:
        """Write the tokens that are due: one, unless this process was late."""
        answer = self._answer_state
        if answer is None:
            return
        now = asyncio.get_running_loop().time()
        data = b""
        while self._due <= now and answer["written"] < self._plan.tokens:
            answer["written"] += 1
            data += _chunk({"choices": [{"index": 0, "delta": {"content": token(answer["written"], self._plan)}}]})
            self._due += 1 / self._plan.rate
        self._transport.write(data)
        if "first_at" not in answer:
            answer["first_at"] = time.monotonic()
            self._tell()
        if answer["written"] < self._plan.tokens:
            self._later(self._due - now, self._token)
        elif self._plan.finish:
            self._finish(answer)

    def _finish(self, answer: dict[str, Any]) -> None:
        answer["finished_at"] = time.monotonic()
        last = {"choices": [{"index": 0, "delta": {}, "finish_reason": self._plan.finish}]}
        self._transport.write(_chunk(last) + _chunk(USAGE) + _frame(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        self._over()

    def _later(self, seconds: float, call: Any) -> None:
        self._timer = asyncio.get_running_loop().call_later(max(0.0, seconds), call)

    def _over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._answer_state is not None:
            self._answer_state["closed_at"] = time.monotonic()
            self._tell()
            self._answer_state = None

    def _tell(self) -> None:
        print(json.dumps([self._number, self._answer_state]), flush=True)


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _chunk(payload: dict[str, Any]) -> bytes:
    return _frame(b"data: " + json.dumps(payload).encode() + b"\n\n")


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=1000)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
