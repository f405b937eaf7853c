"""When the connection is slow, breaks or is missing, no typed text is lost and the page shows the state."""

import signal
import time
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from conversations.models import Message
from tests.support import generations, people, servers
from tests.support.browser.accessibility import violations
from tests.support.browser.actions import begin_answer, shown_generation
from tests.support.browser.chat import Chat, sign_in_browser
from tests.support.polling import eventually
from tests.support.provider.endless import RATE, endless
from tests.support.servers import SHARED_SETTINGS
from tests.support.tcp_proxy import Proxy

OFFLINE_LIMIT = 1.0
SILENCE_LIMIT = 8.0
"""Seconds until the page shows a lost connection: if the browser reports it, and if nothing arrives any more."""

SHORT_TIMEOUTS = {"CHAT_ACK_TIMEOUT": 2, "CHAT_RECONNECT_GRACE": 0.5}
"""Seconds after which the server considers a lost page gone."""
SMALL_FRAMES = {"CHAT_MAX_FRAME": 131_072}
"""Bytes: too few for the longest prompt with the longest system prompt."""


class Line:
    """A server behind a proxy, which can be killed and restarted at the same address."""

    def __init__(self, stack, provider):
        self._stack = stack
        self.proxy = Proxy()
        stack.callback(self.proxy.stop)
        settings = {
            "OPENAI_BASE_URL": provider.url,
            "ALLOWED_ORIGINS": self.proxy.url,
            **SHARED_SETTINGS,
            **SHORT_TIMEOUTS,
            **SMALL_FRAMES,
        }
        self.server = stack.enter_context(servers.running(**settings))
        self.proxy.target = self.server.address

    @property
    def url(self):
        return self.proxy.url

    def kill(self):
        self.server.stop(signal.SIGKILL)

    def start(self):
        self.server = self.server.again()
        self._stack.callback(self.server.end_if_running)

    def cut(self):
        """Break all connections; new ones work."""
        self.proxy.reset()
        self.proxy.resume()


@pytest.fixture(scope="module")
def line(database, provider):
    with ExitStack() as stack:
        yield Line(stack, provider)


@pytest.fixture
def person(line):
    return people.new_person("alice", line)


@pytest.fixture
def context(browser, person, line):
    context = browser.new_context()
    sign_in_browser(context, person)
    yield context
    line.cut()
    context.close()


@pytest.fixture
def tab(context, line):
    return lambda: Chat(context.new_page(), line)


def connected(chat):
    expect(chat.main).to_have_attribute("data-connection", "open")
    return chat


def prompts(text):
    return Message.objects.filter(content=text).count()


# --- before the scripts have loaded ----------------------------------------------------------------------------------


@pytest.fixture
def slow(line, chat):
    """Open a page whose scripts are held back until `let_go`."""
    line.proxy.hold(b"GET /static/js/main.")
    yield lambda path="/": chat.page.goto(line.url + path, wait_until="commit")
    line.proxy.let_go()


def before_the_scripts(chat):
    expect(chat.page.locator("[data-submit]")).to_be_visible()
    eventually(lambda: chat.page.evaluate("document.readyState") == "interactive", "all but the scripts")
    assert chat.main.get_attribute("data-running") is None


@pytest.mark.parametrize("press", ["click", "Enter"])
def test_prompt_sent_before_scripts_load_waits_for_them(chat, line, slow, provider, press):
    exchange = provider.expect()
    slow()
    before_the_scripts(chat)
    chat.box.fill(exchange.prompt)
    if press == "click":
        chat.button("Send").click(no_wait_after=True)
    else:
        chat.box.press("Enter", no_wait_after=True)
    before_the_scripts(chat)
    assert (chat.page.url, chat.box.input_value()) == (line.url + "/", exchange.prompt)
    line.proxy.let_go()
    exchange.write_tokens("Bees").finish()
    chat.see("Bees").see_status("complete")
    expect(chat.box).to_have_value("")
    assert not [url for url in chat.requests if "content=" in url]
    assert prompts(exchange.prompt) == 1


def test_text_typed_before_scripts_load_is_kept(chat, tab, line, slow):
    line.proxy.let_go()
    connected(chat.open()).box.fill("an older thought")
    chat.close()
    line.proxy.hold(b"GET /static/js/main.")
    other = tab()
    other.page.route("**/*", lambda route: route.continue_())  # bypasses the cache
    other.page.goto(line.url, wait_until="commit")
    before_the_scripts(other)
    other.box.fill("early bird")
    line.proxy.let_go()
    connected(other)
    expect(other.box).to_have_value("early bird")
    other.box.fill("")
    other.reload()
    expect(other.box).to_have_value("an older thought")


def test_page_says_that_its_scripts_did_not_start(chat):
    chat.page.route("**/static/js/net/socket.*", lambda route: route.abort())
    chat.open()
    expect(chat.page.get_by_role("alert").filter(has_text="did not load completely")).to_be_visible()


# --- typed, but not confirmed ----------------------------------------------------------------------------------------


def test_undelivered_prompt_is_sent_from_the_next_tab(chat, tab, line, provider):
    exchange = provider.expect()
    connected(chat.open())
    line.proxy.silence()
    chat.box.fill(exchange.prompt)
    chat.button("Send").click()
    expect(chat.box).to_have_value("")
    chat.close()
    line.cut()
    other = tab().open()
    exchange.write_tokens("Bees").finish()
    other.see("Bees").see_status("complete")
    other.open()
    connected(other)
    expect(other.answers).to_have_count(0)
    assert prompts(exchange.prompt) == 1


def test_prompt_with_a_lost_confirmation_is_resent_once(chat, tab, line, provider):
    """The server accepts the prompt and is killed, and the tab is closed; then both return."""
    exchange = provider.expect()
    chat.page.route_web_socket("**/ws/**", keep_back("transcript"))
    connected(chat.open())
    chat.box.fill(exchange.prompt)
    chat.button("Send").click()
    exchange.wait_opened()
    chat.close()
    line.kill()
    line.start()
    other = tab().open()
    expect(other.page.locator("article[data-role=user] [data-content]")).to_have_text([exchange.prompt])
    assert prompts(exchange.prompt) == 1
    assert len(provider.asked(exchange.prompt)) == 1


def keep_back(op):
    """A socket that delivers all events to the page except these."""

    def route(page):
        server = page.connect_to_server()
        server.on_message(lambda frame: page.send(frame) if f'"op":"{op}"' not in frame else None)
        page.on_message(server.send)

    return route


def test_undelivered_edit_is_sent_from_the_next_tab(chat, tab, line, provider):
    begin_answer(chat, provider).finish()
    chat.see_status("complete")
    line.proxy.silence()
    edited = provider.expect()
    chat.page.locator("article[data-role=user]").hover()
    chat.button("Edit").click()
    chat.page.get_by_role("textbox", name="Edit your message").fill(edited.prompt)
    chat.page.locator("[data-editor]").get_by_role("button", name="Send").click()
    path = chat.path
    chat.close()
    line.cut()
    other = tab().open(path)
    edited.write_tokens("Wasps").finish()
    other.see("Wasps").see_status("complete")
    expect(other.answer.locator("[data-footer]")).to_contain_text("alpha-model")
    expect(other.page.locator("article[data-role=user]")).to_have_count(1)
    assert prompts(edited.prompt) == 1


def test_late_answer_does_not_pull_back_from_a_new_chat(chat, provider):
    exchange = provider.expect()
    chat.page.route_web_socket("**/ws/**", keep_back("transcript"))
    connected(chat.open())
    chat.box.fill(exchange.prompt)
    chat.button("Send").click()
    exchange.wait_opened()
    chat.page.get_by_role("link", name="New chat").first.click()
    expect(chat.page.locator("article")).to_have_count(0)
    exchange.write_tokens("Bees").finish()
    expect(chat.page.locator("#sidebar-list a")).to_have_text([exchange.prompt])
    assert chat.path == "/"
    expect(chat.page.locator("article")).to_have_count(0)


BEES = "\N{HONEYBEE}" * 32_000
"""The longest prompt, with four bytes per character: with a system prompt it exceeds one frame."""


def send_bees(chat):
    connected(chat)
    chat.button("Conversation settings").click()
    chat.page.get_by_label("System prompt").fill("Hum." * 1000)
    chat.button("Done").click()
    chat.box.fill(BEES)
    chat.button("Send").click()


def see_alert(chat, words):
    expect(chat.page.get_by_role("alert").filter(has_text=words)).to_be_visible()
    return chat


def test_prompt_too_large_with_its_settings_is_not_sent(chat):
    send_bees(chat.open())
    see_alert(chat, "Too long together with the instructions")
    assert (chat.box.input_value() == BEES, prompts(BEES)) == (True, 0)


def test_prompt_that_breaks_the_connection_is_returned(chat):
    """The page does not know the server's frame limit."""
    connected(chat.open())
    chat.page.evaluate("document.getElementById('main').dataset.frameLimit = 1e9")
    send_bees(chat)
    see_alert(chat, "The server did not accept this message")
    assert (chat.box.input_value() == BEES, prompts(BEES)) == (True, 0)
    connected(chat)


# --- offline ---------------------------------------------------------------------------------------------------------

BAR = "[data-reconnecting]"
PULSE = """document.getAnimations().filter(
    each => each.animationName === "pulse" && each.effect.target.matches(".prose, .prose *")
).length"""


def test_offline_page_says_so_and_stops_pulsing(chat, context, line, provider):
    exchange = begin_answer(chat, provider)
    generation = shown_generation(chat)
    assert chat.page.evaluate(PULSE) > 0
    line.proxy.silence()
    context.set_offline(True)
    gone = time.monotonic()
    expect(chat.page.locator(BAR)).to_have_text("No connection")
    assert time.monotonic() - gone < OFFLINE_LIMIT
    assert chat.page.evaluate(PULSE) == 0
    expect(chat.main.get_by_role("button", name="Stop")).to_have_count(1)
    chat.box.fill("and wasps?")
    chat.box.press("Enter")
    mine = chat.page.locator("article[data-role=user]").last
    expect(mine).to_contain_text("Will be sent when you are back online.")
    assert violations(chat.page) == {}
    assert generations.outcome(generation, 15) == ("interrupted", "connection_lost")
    mine.get_by_role("button", name="Cancel").click()
    expect(chat.box).to_have_value("and wasps?")
    expect(chat.page.locator("article[data-role=user]")).to_have_count(1)
    context.set_offline(False)
    line.cut()
    chat.see_status("interrupted")
    connected(chat)
    expect(chat.page.locator(BAR)).to_be_hidden()
    exchange.wait_closed()
    assert prompts("and wasps?") == 0
    assert chat.box.input_value() == "and wasps?"


def test_waiting_prompt_is_sent_when_the_network_returns(chat, context, line, provider):
    begin_answer(chat, provider).finish()
    chat.see_status("complete")
    line.proxy.silence()
    context.set_offline(True)
    following = provider.expect()
    chat.box.fill(following.prompt)
    chat.box.press("Enter")
    expect(chat.page.locator("article[data-role=user]").last).to_contain_text("Will be sent")
    chat.box.fill("one more")
    chat.box.press("Enter")
    expect(chat.page.get_by_role("alert").filter(has_text="still waiting")).to_be_visible()
    last = provider.expect("one more")
    context.set_offline(False)
    line.cut()
    following.wait_closed()
    last.write_tokens("Wasps").finish()
    chat.see("Wasps").see_status("complete")
    expect(chat.page.get_by_role("alert").filter(has_text="still waiting")).to_be_hidden()
    assert prompts(following.prompt) == 1


def test_silent_connection_is_noticed(chat, line, provider):
    """The browser fires no event, and the connection does not end."""
    begin_answer(chat, provider).stream(endless(), RATE)
    line.proxy.silence()
    gone = time.monotonic()
    expect(chat.page.locator(BAR)).to_be_visible()
    assert time.monotonic() - gone < SILENCE_LIMIT
    assert chat.page.evaluate(PULSE) == 0


def test_stop_pressed_offline_is_shown_as_a_stop(chat, context, line, provider):
    begin_answer(chat, provider)
    generation = shown_generation(chat)
    line.proxy.silence()
    context.set_offline(True)
    expect(chat.page.locator(BAR)).to_be_visible()
    chat.button("Stop generating").click()
    assert generations.outcome(generation, 15) == ("interrupted", "connection_lost")
    context.set_offline(False)
    line.cut()
    sentence = "You stopped this answer while you were offline"
    chat.see_status("interrupted").see_note(sentence)
    chat.reload().see_note(sentence)


@pytest.mark.long
def test_false_offline_event_is_corrected(chat):
    """The browser reports that it is offline, but the server on the same machine is reachable."""
    connected(chat.open())
    chat.page.evaluate("dispatchEvent(new Event('offline'))")
    expect(chat.page.locator(BAR)).to_be_visible()
    expect(chat.page.locator(BAR)).to_be_hidden()
    connected(chat)


def test_refused_stop_is_undone_and_explained(chat, tab, provider):
    exchange = begin_answer(chat, provider)
    other = tab().open()
    other.page.route("**/stop/", lambda route: route.fulfill(status=503))
    row = other.page.locator(".row[data-live]")
    row.hover()
    row.locator(".row__stop button").click()
    expect(other.page.get_by_role("alert").filter(has_text="could not be stopped")).to_be_visible()
    other.page.unroute("**/stop/")
    row.locator(".row__stop button").click()
    exchange.wait_closed()
    eventually(lambda: generations.outcome(shown_generation(chat)) == ("interrupted", "stopped"), "its stop")
