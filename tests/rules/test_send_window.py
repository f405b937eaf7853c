"""How much a socket may be sent, and when it is pinged, without a socket."""

from typing import Any

from conversations.delivery.open_sockets import Sockets
from conversations.protocol import events
from conversations.rules.send_window import SendWindow

LIMIT = 1000


class Page:
    """The part of a socket that the check reads."""

    def __init__(self) -> None:
        self.send_window = SendWindow(LIMIT, 0.0)
        self.viewing: set[Any] = set()
        self.lost = False
        self.pinged_at = 0.0
        self.pushed: list[str] = []
        self.user_id = 1
        self.conversation = None

    def push(self, frame: str) -> None:
        self.pushed.append(frame)


def test_oversized_frame_may_follow_a_small_unacknowledged_one():
    send_window = SendWindow(LIMIT, 0.0)
    send_window.record(10)
    assert send_window.has_room(5 * LIMIT)


def test_nothing_exceeds_the_limit_while_much_is_unacknowledged():
    send_window = SendWindow(LIMIT, 0.0)
    send_window.record(LIMIT // 2)
    assert not send_window.has_room(LIMIT)


def test_small_frames_may_follow_an_oversized_one():
    send_window = SendWindow(LIMIT, 0.0)
    send_window.record(5 * LIMIT)
    assert send_window.has_room(LIMIT // 4)
    assert not send_window.has_room(5 * LIMIT)
    send_window.acknowledge(1, 0.0)
    assert send_window.unread == 0


def test_lagging_page_is_pinged_after_its_answer_ended():
    page, sockets = Page(), Sockets()
    sockets.add(page)
    page.send_window.record(LIMIT)
    page.send_window.mark_full(0.0)
    sockets.check(2.0, paused=False, on_lost=lambda _: None, on_back=lambda _: None)
    assert page.pushed == [events.PING]
