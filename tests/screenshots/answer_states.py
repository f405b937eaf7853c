"""Screenshots of an answer, from its first word to its versions."""

import re
from collections.abc import Callable

from playwright.sync_api import WebSocketRoute, expect

from tests.screenshots import texts
from tests.screenshots.studio import Studio, tokens
from tests.support.browser.chat import Chat


def streaming(studio: Studio) -> None:
    for dark in (False, True):
        with studio.tab(studio.jonas, dark=dark) as chat:
            exchange = studio.asked(chat, texts.RAINBOW, *tokens(texts.RAINBOW_ANSWER.rstrip()))
            chat.see("round, and why")
            studio.shoot(chat, "streaming" + "-dark" * dark)
            exchange.finish()
            chat.see_status("complete")


def code(studio: Studio) -> None:
    _complete(studio, "code", texts.CODE, texts.CODE_ANSWER, "dark")


def table(studio: Studio) -> None:
    _complete(studio, "table", texts.TABLE, texts.TABLE_ANSWER, "phone")


def mathematics(studio: Studio) -> None:
    _complete(studio, "mathematics", texts.MATHEMATICS, texts.MATHEMATICS_ANSWER)


def _complete(studio: Studio, name: str, prompt: str, answer: str, *looks: str) -> None:
    with studio.tab(studio.jonas) as chat:
        studio.answered(chat, prompt, answer)
        path = chat.path
        studio.shoot(chat, name)
    _again(studio, path, name, "complete", *looks)


def _again(studio: Studio, path: str, name: str, status: str, *looks: str) -> None:
    """The same answer after a reload, in dark mode or on a phone."""
    for look in looks:
        with studio.tab(studio.jonas, **{look: True}) as chat:
            chat.open(path).see_status(status)
            studio.shoot(chat, f"{name}-{look}")


def stopped(studio: Studio) -> None:
    with studio.tab(studio.jonas) as chat:
        studio.asked(chat, texts.LISBON, *tokens(texts.LISBON_ANSWER.rstrip()))
        chat.see("in the afternoon").stop()
        chat.see_status("interrupted")
        path = chat.path
        studio.shoot(chat, "stopped")
    _again(studio, path, "stopped", "interrupted", "dark", "phone")


def stopped_before_the_first_word(studio: Studio) -> None:
    with studio.tab(studio.jonas) as chat:
        studio.asked(chat, texts.LETTER)
        studio.shoot(chat, "waiting")
        chat.stop()
        chat.see_status("interrupted")
        studio.shoot(chat, "stopped-before-the-first-word")


def error(studio: Studio) -> None:
    with studio.tab(studio.jonas) as chat:
        studio.asked(chat, texts.WEATHER).respond(429, {"Retry-After": "20"})
        chat.see_status("error")
        studio.shoot(chat, "error")


def reconnecting(studio: Studio) -> None:
    with studio.tab(studio.jonas) as chat:
        sockets: list[WebSocketRoute] = []

        def connect(socket: WebSocketRoute) -> None:
            sockets.append(socket)
            if len(sockets) == 1:
                socket.connect_to_server()
            else:
                socket.close()  # the page sees the network as gone

        chat.page.route_web_socket(re.compile("/ws/"), connect)
        studio.asked(chat, texts.RAINBOW, *tokens(texts.RAINBOW_ANSWER.rstrip()))
        chat.see("round, and why")
        sockets[0].close(code=1012)
        expect(chat.page.locator("[data-reconnecting]")).to_be_visible()
        studio.shoot(chat, "reconnecting")


def versions(studio: Studio) -> None:
    with studio.tab(studio.jonas) as chat:
        studio.answered(chat, texts.CONSTITUTION, texts.SEPARATION[0])
        again = studio.provider.expect(texts.CONSTITUTION)
        chat.regenerate()
        again.write_tokens(*tokens(texts.SEPARATION[1])).finish(usage=(48, 61))
        chat.see_status("complete").see("Parliament")
        _edit(chat, texts.EDITED)
        studio.shoot(chat, "editing")
        edited = studio.provider.expect(texts.EDITED)
        chat.page.locator("[data-editor]").get_by_role("button", name="Send").click()
        edited.write_tokens(*tokens(texts.EDITED_ANSWER)).finish(usage=(52, 66))
        chat.see_status("complete").see("referee")
        chat.page.locator("article[data-role=user]").hover()
        chat.button("Previous version").click()
        chat.see("Parliament")
        chat.answer.hover()
        chat.page.mouse.move(0, 0)
        chat.answer.get_by_role("button", name="Copy", exact=True).focus()
        studio.shoot(chat, "versions")


def _edit(chat: Chat, text: str) -> None:
    prompt = chat.page.locator("article[data-role=user]").last
    prompt.hover()
    prompt.get_by_role("button", name="Edit", exact=True).click()
    chat.page.get_by_role("textbox", name="Edit your message").fill(text)


SCENES: list[Callable[[Studio], None]] = [
    streaming,
    code,
    table,
    mathematics,
    stopped,
    stopped_before_the_first_word,
    error,
    reconnecting,
    versions,
]
