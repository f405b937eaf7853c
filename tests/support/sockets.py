"""The page's side of the socket, as described in `docs/protocol.md`, with a check of every event.

    asked = socket.ask("tell me about bees")
    asked.wait_text("Bees hum")
    asked.stop()
    assert asked.end["reason"] == "stopped"

A reader thread records all events and acknowledges them, as a page does. It collects violations of the protocol (a gap
or a repeat in the sequence, two ends, an event after the end, unknown fields), and `check()` raises them.
"""

import json
import re
import socket as sockets
import threading
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from conversations.models import Generation
from tests.support.people import Person, words
from tests.support.polling import TIMEOUT, eventually
from tests.support.protocol_rules import Event, Rules
from tests.support.tcp_proxy import Proxy

ACK_INTERVAL = 1.5


class Socket:
    """One page's socket. Methods may be called from the test's thread; events are handled in another thread."""

    def __init__(
        self,
        person: Person | None,
        url: str,
        *,
        origin: str | None = None,
        via: Proxy | None = None,
        open_timeout: float = TIMEOUT,
        language: str = "",
    ) -> None:
        self.person = person
        self.events: list[Event] = []
        self.close_code: int | None = None
        self.closed_at: float | None = None
        self.rules = Rules()
        self._moved = threading.Condition()
        self._muted = False
        self._reading = threading.Event()
        self._reading.set()
        self._acked_at = 0.0
        self._held = ExitStack()
        self.connection: ClientConnection = self._held.enter_context(
            connect(
                (f"ws://127.0.0.1:{via.port}/ws/" if via else url) + f"?language={language}",
                origin=origin,  # type: ignore[arg-type]
                additional_headers={"Cookie": person.cookie} if person and person.session else None,
                proxy=None,
                open_timeout=open_timeout,
                ping_interval=None,
                close_timeout=2,
                max_size=None,
            )
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # Commands.

    def send(self, op: str, **fields: Any) -> int:
        """Send a command; returns the number of events so far, for `wait(…, after=…)`."""
        return self.send_raw(json.dumps({"op": op, **fields}, ensure_ascii=False))

    def send_raw(self, data: str | bytes) -> int:
        position = len(self.events)
        self.connection.send(data)
        return position

    def ask(
        self,
        content: str,
        conversation: str | None = None,
        parent: str | None = None,
        model: str | None = None,
        *,
        after: "Asked | None" = None,
    ) -> "Asked":
        """Ask, by default in a new conversation; `after` continues the conversation of that answer."""
        if after:
            conversation, parent = after.conversation, after.message
        return self._command("send", conversation=conversation, parent=parent, content=content, model=model)

    def edit(self, message: str, content: str, model: str | None = None) -> "Asked":
        return self._command("edit", message=message, content=content, model=model)

    def regenerate(self, message: str, model: str | None = None) -> "Asked":
        return self._command("regenerate", message=message, model=model)

    def continue_(self, message: str, model: str | None = None) -> "Asked":
        return self._command("continue", message=message, model=model)

    def stop(self, **which: str) -> int:
        """Stop by `generation=`, or by `id=`, the id of the command that asked."""
        return self.send("stop", **which)

    def watch(
        self, conversation: str | None, head: str | None = None, status: str | None = None, page: str | None = None
    ) -> Event:
        position = self.send("watch", conversation=conversation, head=head, status=status, page=page)
        return self.wait("watching", after=position, conversation=conversation)

    def subscribe(self, asked: "Asked") -> "Socket":
        """Show the conversation of a streaming answer; returns once its snapshot has arrived."""
        self.watch(asked.conversation)
        self.wait("snapshot", generation=asked.generation)
        return self

    def _command(self, op: str, **fields: Any) -> "Asked":
        asked = Asked(self, str(uuid.uuid4()), len(self.events))
        self.send(op, id=asked.id, **fields)
        return asked

    # Events.

    def wait(self, op: str, timeout: float = TIMEOUT, after: int = 0, **match: Any) -> Event:
        """The first event with this op and these fields after the position `after`."""
        limit = time.monotonic() + timeout
        with self._moved:
            while True:
                for event in self.events[after:]:
                    if event.fits(op, match):
                        return event
                left = limit - time.monotonic()
                assert left > 0, f"no {op} {match} within {timeout:g} s; closed: {self.close_code}\n{self.story(after)}"
                assert self.close_code is None, f"no {op} {match}: closed with {self.close_code}\n{self.story(after)}"
                self._moved.wait(left)

    def wait_refused(self, code: str, after: int = 0, **match: Any) -> Event:
        refused = self.wait("refused", after=after, **match)
        assert refused["code"] == code, f"refused as {refused['code']}: {refused['sentence']}"
        return refused

    def wait_closed(self, timeout: float = TIMEOUT) -> int:
        """Wait for the close; returns its code, or 1006 if the connection just broke."""
        with self._moved:
            assert self._moved.wait_for(lambda: self.close_code is not None, timeout), f"still open\n{self.story()}"
            assert self.close_code is not None
            return self.close_code

    def count(self, op: str, **match: Any) -> int:
        return sum(1 for event in list(self.events) if event.fits(op, match))

    def html(self, generation: str) -> str:
        shown = self.rules.shown.get(generation)
        return shown.html if shown else ""

    def text(self, generation: str) -> str:
        """The words of a generation as the page shows them now."""
        return words(self.html(generation))

    def story(self, after: int = 0) -> str:
        """The events, for the messages of failed tests."""
        return "\n".join(f"  {str(dict(event.fields))[:300]}" for event in list(self.events)[after:]) or "  (no events)"

    def check(self) -> None:
        assert not self.rules.broken, "the server broke the protocol: " + "; ".join(self.rules.broken)

    # Leaving and failing.

    def mute(self) -> None:
        """Stop acknowledging."""
        self._muted = True

    def unmute(self) -> None:
        self._muted = False

    def stall(self) -> None:
        """Stop reading; soon the operating system's buffers are full."""
        self._reading.clear()

    def unstall(self) -> None:
        self._reading.set()

    def close(self, code: int = 1001) -> None:
        """Leave as a closed tab does."""
        self._reading.set()
        self.connection.close(code)
        self._held.close()
        self._reader.join(TIMEOUT)

    def drop(self) -> None:
        """End the TCP connection without a closing frame."""
        self.connection.socket.shutdown(sockets.SHUT_RDWR)

    def finish(self) -> None:
        """Close, and check the events."""
        self.close()
        self.check()

    def _read(self) -> None:
        try:
            while True:
                self._reading.wait()
                self._take(self.connection.recv())
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
            with self._moved:
                self.close_code, self.closed_at = code, time.monotonic()
                self._moved.notify_all()

    def _take(self, data: str | bytes) -> None:
        event = Event(json.loads(data), time.monotonic())
        with self._moved:
            self.events.append(event)
            self.rules.apply(event)
            self._moved.notify_all()
        if not self._muted and (event.op == "ping" or event.at - self._acked_at >= ACK_INTERVAL):
            self._acked_at = event.at
            self.send("ack", received=len(self.events))


@dataclass(eq=False)
class Asked:
    """A command that asked for an answer, and that answer as this socket sees it."""

    socket: Socket
    id: str
    position: int

    @cached_property
    def transcript(self) -> Event:
        return self.socket.wait("transcript", after=self.position, id=self.id)

    @property
    def conversation(self) -> str:
        return str(self.transcript["conversation"])

    @property
    def generation(self) -> str:
        return str(self.transcript["generation"] or self._shown("generation-id"))

    @property
    def message(self) -> str:
        """The id of the message of the answer."""
        return str(self.transcript["head"])

    @cached_property
    def end(self) -> Event:
        """How the answer ended. If it ended before its transcript was sent, there is no separate event: the transcript
        shows the end."""
        if self.transcript["generation"]:
            return self.socket.wait("end", generation=self.generation)
        reason = Generation.objects.get(pk=self.generation).end_reason
        shown = {"status": self._shown("status"), "note": self.transcript["html"], "message": self.message}
        return Event({"op": "end", "reason": reason, **shown}, self.transcript.at)

    @property
    def outcome(self) -> tuple[str, str]:
        """Status and reason, once it has ended."""
        return self.end["status"], self.end["reason"]

    @property
    def text(self) -> str:
        if self.transcript["generation"]:
            return self.socket.text(self.generation)
        return words(self.transcript["html"].rpartition("data-content")[2].partition(">")[2].partition("</div>")[0])

    def _shown(self, attribute: str) -> str:
        """The last `data-` attribute with this name in the transcript, which belongs to the answer."""
        return str(re.findall(f'data-{attribute}="([^"]*)"', self.transcript["html"])[-1])

    def wait_text(self, text: str, timeout: float = TIMEOUT) -> "Asked":
        generation = self.generation
        eventually(lambda: text in self.socket.text(generation), f"{text!r} on the page", timeout)
        return self

    def stop(self) -> float:
        """Press Stop; returns the time (`time.monotonic()`)."""
        generation = self.generation
        pressed = time.monotonic()
        self.socket.stop(generation=generation)
        return pressed
