"""Asking, stopping and continuing in a real browser."""

import json
import time

from playwright.sync_api import expect

from tests.support import generations
from tests.support.browser.actions import begin_answer, shown_generation
from tests.support.browser.chat import Chat, sign_in_browser
from tests.support.provider.endless import CLOSE_LIMIT, RATE, endless

NOBODY = "00000000-0000-4000-8000-000000000000"


def test_sign_in_ask_stop_reload_regenerate_and_continue(browser, alice, server, provider):
    context = browser.new_context()
    chat = Chat(context.new_page(), server).sign_in(alice)
    exchange = begin_answer(chat, provider)
    chat.see("Bees hum and").stop()
    exchange.wait_closed()
    chat.see_status("interrupted").see_note("You stopped this answer.")
    expect(chat.button("Send")).to_be_visible()

    chat.reload().see("Bees hum and").see_status("interrupted").see_note("You stopped this answer.")

    again = provider.expect(exchange.prompt)
    chat.regenerate()
    again.write_tokens("Wasps **sting**").finish()
    chat.see("Wasps sting").see_status("complete")

    chat.answer.hover()
    chat.button("Previous version").last.click()
    chat.see("Bees hum and").see_status("interrupted")
    rest = provider.expect(exchange.prompt)
    chat.continue_()
    rest.write_tokens(" dance.").finish()
    chat.see("Bees hum and dance.").see_status("complete")
    assert chat.complaints == []
    context.close()


def test_sign_in_needs_the_password(browser, alice, server):
    context = browser.new_context()
    chat = Chat(context.new_page(), server).open("/")
    assert chat.path == "/accounts/login/"
    chat.page.locator("[name=username]").fill(alice.user.username)
    chat.page.locator("[name=password]").fill("wrong")
    chat.page.locator("[name=password]").press("Enter")
    expect(chat.page.get_by_text("correct username and password")).to_be_visible()
    assert chat.path == "/accounts/login/"
    context.close()


def test_stop_closes_the_providers_socket(chat, provider):
    exchange = begin_answer(chat, provider)
    exchange.stream(endless(), RATE).wait_written(20)
    pressed = chat.stop()
    assert exchange.wait_closed() - pressed < CLOSE_LIMIT
    assert exchange.tokens_after(pressed) <= CLOSE_LIMIT * RATE
    chat.see_status("interrupted")


def test_escape_stops(chat, provider):
    exchange = begin_answer(chat, provider)
    chat.box.press("Escape")
    exchange.wait_closed()
    chat.see_status("interrupted").see_note("You stopped this answer.")


def test_stop_before_the_first_word(chat, provider):
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.wait_opened()
    chat.stop()
    exchange.wait_closed()
    chat.see_status("interrupted").see_note("Nothing was written.")
    expect(chat.answer.get_by_role("button", name="Try again")).to_be_visible()


def test_same_words_live_after_reload_and_in_the_admin(chat, staff, browser, server, provider):
    begin_answer(
        chat, provider, "# Bees\n\n", "* they **hum**\n* they `buzz`\n\n", "```python\nprint('bee')\n```\n\nEnd"
    )
    chat.see("End").stop()
    chat.see_status("interrupted")
    live = chat.content.inner_text(), chat.note.locator("p").first.inner_text()
    chat.reload().see_status("interrupted")
    assert (chat.content.inner_text(), chat.note.locator("p").first.inner_text()) == live
    admin = browser.new_context()
    sign_in_browser(admin, staff)
    page = admin.new_page()
    page.goto(f"{server.url}/admin/conversations/generation/{shown_generation(chat)}/change/")
    answer = page.locator(".answer[data-status=interrupted]")
    assert answer.locator("[data-content]").inner_text().split() == live[0].split()
    assert answer.locator("[data-note]").inner_text() == live[1]
    admin.close()


def test_closing_the_tab_stops_the_answer(chat, provider):
    exchange = begin_answer(chat, provider)
    exchange.stream(endless(), RATE).wait_written(20)
    generation = shown_generation(chat)
    left = time.monotonic()
    chat.close()
    assert exchange.wait_closed() - left < CLOSE_LIMIT
    assert generations.outcome(generation) == ("interrupted", "left")
    assert generations.text(generation).startswith("Bees **hum** and")


def test_navigating_away_stops_the_answer(chat, provider):
    exchange = begin_answer(chat, provider)
    generation = shown_generation(chat)
    chat.page.goto("about:blank")
    exchange.wait_closed()
    assert generations.outcome(generation) == ("interrupted", "left")


def test_reload_during_a_stream_continues_it(chat, provider):
    exchange = begin_answer(chat, provider)
    exchange.stream(endless(), RATE).wait_written(10)
    chat.reload().see("word5")
    count = len(exchange.written)
    exchange.wait_written(count + RATE)
    exchange.finish()
    chat.see_status("complete")
    words = chat.content.inner_text().split()
    assert words == exchange.text.replace("*", "").split()
    assert len(provider.asked(exchange.prompt)) == 1


def test_closing_one_of_two_tabs_stops_nothing(chat, tab, provider):
    exchange = begin_answer(chat, provider)
    other = tab().open(chat.path)
    other.see("Bees hum and")
    chat.close()
    exchange.write_tokens(" dance").finish()
    other.see("Bees hum and dance").see_status("complete")


def test_next_prompt_follows_the_stopped_answer(chat, provider):
    begin_answer(chat, provider)
    chat.stop()
    chat.see_status("interrupted")
    following = provider.expect()
    chat.ask(following.prompt)
    following.write_tokens("More bees.").finish()
    chat.see("More bees.").see_status("complete")
    expect(chat.answers).to_have_count(2)


def test_refused_prompt_stays_in_the_box(chat):
    chat.open()
    text = "x" * 32_001
    chat.ask(text)
    expect(chat.page.get_by_role("alert")).to_be_visible()
    assert chat.box.input_value() == text


def test_provider_error_is_explained_in_plain_words(chat, provider):
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.respond(429, {"Retry-After": "20"})
    chat.see_status("error").see_note("Try again in 20 s")
    again = provider.expect(exchange.prompt)
    chat.answer.get_by_role("button", name="Try again").click()
    again.write_tokens("Here you are.").finish()
    chat.see("Here you are.").see_status("complete")


def test_page_reconnects_after_a_server_restart(start_server, browser, alice, provider):
    server = start_server()
    context = browser.new_context()
    sign_in_browser(context, alice.at(server))
    chat = Chat(context.new_page(), server)
    begin_answer(chat, provider)
    server.stop()
    chat.see_status("interrupted").see_note("The server restarted.")
    expect(chat.main).not_to_have_attribute("data-connection", "open")
    again = server.again()
    try:
        expect(chat.main).to_have_attribute("data-connection", "open", timeout=20_000)
        following = provider.expect()
        chat.ask(following.prompt)
        following.write_tokens("Back again.").finish()
        chat.see("Back again.").see_status("complete")
    finally:
        context.close()
        again.stop()


def losing_the_answer(to_the_stop):
    """A socket on which the first transcript is lost, and each Stop gets this response instead of the server's."""

    def route(page):
        server = page.connect_to_server()
        lost = []

        def down(frame):
            if not lost and json.loads(frame)["op"] == "transcript":
                lost.append(frame)
            else:
                page.send(frame)

        def up(frame):
            command = json.loads(frame)
            if command["op"] == "stop" and "id" in command:
                page.send(json.dumps(to_the_stop | {"id": command["id"]}))
            else:
                server.send(frame)

        server.on_message(down)
        page.on_message(up)

    return route


def test_late_stop_of_an_unknown_answer_shows_that_answer(chat, provider):
    standing = {"op": "standing", "generation": NOBODY, "message": NOBODY, "status": "error", "reason": "storage"}
    chat.page.route_web_socket("**/ws/**", losing_the_answer(standing))
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.wait_opened()
    chat.stop()
    exchange.write_tokens("Bees").finish()
    chat.see("Bees").see_status("complete")
    expect(chat.button("Send")).to_be_visible()
    assert len(provider.asked(exchange.prompt)) == 1


def test_prompt_unknown_to_the_server_returns_to_the_box(chat, provider):
    refused = {"op": "refused", "refers": "stop", "code": "not_found", "sentence": "Nothing like that is here."}
    chat.page.route_web_socket("**/ws/**", losing_the_answer(refused))
    exchange = provider.expect()
    chat.open().ask(exchange.prompt)
    exchange.wait_opened()
    chat.stop()
    expect(chat.page.get_by_role("alert").filter(has_text="Nothing like that is here.")).to_be_visible()
    expect(chat.button("Send")).to_be_visible()
    expect(chat.box).to_have_value(exchange.prompt)
    expect(chat.answers).to_have_count(0)
    exchange.finish()
