"""A long conversation opens at its end or around one message, and loads more on request."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from conversations.commands import versions
from conversations.models import Conversation, Message
from conversations.models.ids import new_id
from conversations.rendering import transcript_pages
from conversations.rendering.cache import HtmlCache
from tests.support.conversations import LONG, converse
from tests.support.people import CSRF
from tests.support.polling import eventually


@pytest.fixture
def long(alice):
    """Returns (conversation, messages); the messages have the texts "place-0" to "place-139"."""
    return converse(alice, [f"place-{number}" for number in range(LONG)])


def places(html: str) -> list[int]:
    return [int(place) for place in re.findall(r"place-(\d+)\b", html)]


def link(html: str, which: str) -> str:
    """The address that the link to `older` or `newer` messages leads to."""
    found = re.search(rf'id="{which}"[^>]* href="([^"]+)"[^>]* hx-get="([^"]+)"', html)
    return found.group(2) if found else ""


def test_opens_at_the_end(alice, long):
    page = alice.get(f"/c/{long[0].pk}/").html
    assert places(page) == list(range(LONG - transcript_pages.MAX_MESSAGES, LONG))
    assert link(page, "older")
    assert not link(page, "newer")


def test_older_messages_load_until_the_first(alice, long):
    html, seen = alice.get(f"/c/{long[0].pk}/").html, []
    while True:
        seen = places(html) + seen
        if not (further := link(html, "older")):
            break
        html = alice.get(further).html
    assert seen == list(range(LONG))


def test_link_to_older_messages_works_without_scripts(alice, long):
    page = alice.get(f"/c/{long[0].pk}/").html
    leads = re.search(r'id="older"[^>]* href="([^"]+)"', page)
    assert leads
    around = places(alice.get(leads.group(1)).html)
    first = LONG - transcript_pages.MAX_MESSAGES
    assert {first - 2, first - 1, first} < set(around)


def test_opens_around_a_message_and_loads_to_the_end(alice, long):
    conversation, messages = long
    html, seen = alice.get(f"/c/{conversation.pk}/?at={messages[40].pk}").html, []
    assert re.search(rf'data-message-id="{messages[40].pk}"[^>]*data-found', html)
    assert places(html)[0] > 0
    while True:
        seen += places(html)
        if not (further := link(html, "newer")):
            break
        html = alice.get(further).html
    assert seen == list(range(seen[0], LONG))
    assert 40 in seen


def test_opening_near_the_end_shows_the_end(alice, long):
    conversation, messages = long
    page = alice.get(f"/c/{conversation.pk}/?at={messages[-2].pk}").html
    assert places(page)[-1] == LONG - 1


@pytest.fixture
def two_branches(alice):
    """A conversation whose other branch left the screen long ago. Returns the conversation, the branch on screen and
    the other branch."""
    conversation, messages = converse(alice, [f"place-{number}" for number in range(60)])
    other = converse(alice, [f"other-{number}" for number in range(60)], messages[9], conversation)[1]
    conversation.show(messages[-1].pk)
    return conversation, messages, other


def on_screen(conversation):
    conversation.refresh_from_db()
    return conversation.head_id


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_viewing_another_branch_stores_nothing(alice, two_branches, method):
    conversation, messages, other = two_branches
    page = alice.request(method, f"/c/{conversation.pk}/?at={other[0].pk}")
    assert page.status == 200
    assert method == "HEAD" or ("other-0" in page.html and 10 not in places(page.html))
    assert on_screen(conversation) == messages[-1].pk


def test_another_branch_loads_until_its_end(alice, two_branches):
    conversation, messages, other = two_branches
    html, seen = alice.get(f"/c/{conversation.pk}/?at={other[0].pk}").html, ""
    while further := link(html, "newer"):
        seen += html
        html = alice.get(unescape(further)).html
    assert all(f"other-{number}" in seen + html for number in range(60))
    assert "place-59" not in seen + html
    assert on_screen(conversation) == messages[-1].pk


def test_page_stays_on_the_branch_it_shows(alice, two_branches, socket):
    conversation, _messages, other = two_branches
    page = socket(alice)
    shown = {"conversation": str(conversation.pk), "head": str(other[-1].pk), "status": "complete"}
    page.wait("watching", after=page.send("watch", **shown, branch=str(other[-1].pk)))
    position = page.send("watch", **{**shown, "head": None}, branch=str(other[-1].pk))
    transcript = page.wait("transcript", after=position)
    assert page.count("transcript") == 1
    assert transcript["head"] == str(other[-1].pk)
    assert "other-59" in transcript["html"]


def test_page_on_another_branch_is_not_sent_the_answer(alice, two_branches, socket, provider):
    conversation, messages, other = two_branches
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, str(conversation.pk), str(messages[-1].pk))
    exchange.write_tokens("Bees ")
    asked.wait_text("Bees")
    page = socket(alice)
    shown = {"conversation": str(conversation.pk), "head": str(other[-1].pk), "status": "complete"}
    page.wait("watching", after=page.send("watch", **shown, branch=str(other[-1].pk)))
    exchange.write_tokens("hum").finish()
    assert asked.outcome == ("complete", "finished")
    page.watch(None)
    assert page.count("snapshot") + page.count("delta") + page.count("transcript") == 0


def test_continuing_another_branch_brings_it_on_screen(alice, two_branches, socket, provider):
    conversation, _messages, other = two_branches
    page = socket(alice)
    branch = {"conversation": str(conversation.pk), "branch": str(other[-1].pk)}
    page.wait("transcript", after=page.send("watch", **branch))
    exchange = provider.expect()
    asked = page.ask(exchange.prompt, str(conversation.pk), str(other[-1].pk))
    exchange.write_tokens("Bees").finish()
    assert asked.outcome == ("complete", "finished")
    assert str(on_screen(conversation)) == asked.message
    assert asked.transcript["after"] == str(other[-1].pk)
    transcripts = page.count("transcript")
    shown = {"head": asked.message, "status": "complete"}
    page.wait("watching", after=page.send("watch", **branch, **shown))
    page.watch(None)
    assert page.count("transcript") == transcripts


@pytest.mark.parametrize("branch", ["", "nonsense", str(uuid.UUID(int=1))])
def test_unknown_branch_falls_back_to_the_one_on_screen(alice, two_branches, branch):
    conversation, messages, _other = two_branches
    page = alice.get(f"/c/{conversation.pk}/messages/?after={messages[20].pk}&branch={branch}")
    assert 21 in places(page.html)


def test_switch_waits_for_a_concurrent_command(alice, two_branches):
    """Then it starts from what the command has stored."""
    conversation, messages, other = two_branches
    switched = Message.objects.select_related("conversation").get(pk=other[0].pk)
    leaf = Message.objects.create(conversation=conversation, parent=messages[-1], role="user", content="later")
    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            Conversation.objects.select_for_update().get(pk=conversation.pk)
            switching = thread.submit(_and_close, versions.switch_to, switched)
            eventually(_somebody_waits, "the switch waits")
            Conversation.objects.filter(pk=conversation.pk).update(head=leaf)
        switching.result(10)
    assert on_screen(conversation) == other[-1].pk
    assert conversation.leaves[str(messages[10].pk)] == str(leaf.pk)


def _and_close(function, *args):
    try:
        function(*args)
    finally:
        connection.close()


def _somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()


def test_opening_a_message_on_screen_keeps_the_branch(alice, long):
    """This holds even if another branch after the message is newer."""
    conversation, messages = long
    converse(alice, ["other-0", "other-1"], messages[39], conversation)
    conversation.show(messages[-1].pk)
    page = alice.get(f"/c/{conversation.pk}/?at={messages[20].pk}").html
    assert "other-0" not in page
    conversation.refresh_from_db()
    assert conversation.head_id == messages[-1].pk


def test_loading_newer_of_a_replaced_branch_reloads_the_page(alice, long):
    conversation, messages = long
    converse(alice, ["other-0", "other-1"], messages[39], conversation)
    more = alice.get(f"/c/{conversation.pk}/messages/?after={messages[50].pk}")
    assert more.headers["HX-Retarget"] == "#conversation"
    assert "other-1" in more.text


def test_switched_version_far_from_the_end_stays_in_view(alice, long):
    conversation, messages = long
    converse(alice, [f"other-{number}" for number in range(100)], messages[19], conversation)
    assert "place-20" in _switch(alice, messages[20])


def _switch(person, message) -> str:
    headers = {"HX-Request": "true", "Origin": person.server.url, "X-CSRFToken": CSRF}
    return str(person.request("POST", f"/messages/{message.pk}/show/", headers=headers).text)


def test_page_of_messages_is_bounded_by_size(alice):
    conversation, _messages = converse(alice, ["long " * 10_000] * 20)
    assert 1 < len(transcript_pages.latest(conversation).messages) < 5


@pytest.mark.parametrize(
    "query", ["before=nonsense", "after=nonsense", "before=", "", "after={other}", "before={other}"]
)
def test_unknown_message_is_not_found(alice, long, query):
    path = f"/c/{long[0].pk}/messages/?{query.format(other=uuid.uuid4())}"
    assert alice.get(path).status == 404


@pytest.mark.parametrize("path", ["messages/?before={}", "messages/?after={}", "?at={}"])
def test_other_peoples_messages_are_not_found(alice, bob, long, path):
    conversation, messages = long
    assert alice.get(f"/c/{conversation.pk}/{path.format(messages[30].pk)}").status == 200
    theirs = bob.get(f"/c/{conversation.pk}/{path.format(messages[30].pk)}")
    unknown = bob.get(f"/c/{uuid.uuid4()}/{path.format(messages[30].pk)}")
    assert (theirs.status, theirs.text) == (unknown.status, unknown.text)
    assert theirs.status == 404


def test_message_of_another_conversation_is_not_found(alice, long):
    other, _messages = converse(alice, ["a", "b"])
    for path in ("?at={}", "messages/?before={}", "messages/?after={}"):
        assert alice.get(f"/c/{other.pk}/{path.format(long[1][30].pk)}").status == 404


def test_signed_out_visitor_is_redirected_to_sign_in(alice, long):
    page = alice.without_session().get(f"/c/{long[0].pk}/messages/?before={long[1][30].pk}")
    assert page.location.startswith("/accounts/login/")


def test_number_of_queries_does_not_depend_on_length(alice, long, client):
    client.force_login(alice.user)
    short, _messages = converse(alice, ["place-0", "place-1"])

    def queries(conversation) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/c/{conversation.pk}/", headers={"HX-Request": "true"}).status_code == 200
        return len(captured)

    assert queries(long[0]) <= queries(short)


def test_reconnecting_page_gets_only_new_messages(alice, long, socket):
    conversation, messages = long
    page = socket(alice)
    page.watch(str(conversation.pk), str(messages[-5].pk), "complete")
    transcript = page.wait("transcript")
    assert transcript["after"] == str(messages[-5].pk)
    assert places(transcript["html"]) == list(range(LONG - 4, LONG))


def test_reconnecting_page_gets_the_ended_answer_again(alice, long, socket):
    conversation, messages = long
    page = socket(alice)
    page.watch(str(conversation.pk), str(messages[-1].pk), "streaming")
    transcript = page.wait("transcript")
    assert transcript["after"] == str(messages[-2].pk)
    assert places(transcript["html"]) == [LONG - 1]


def test_page_far_behind_gets_only_the_end(alice, long, socket):
    conversation, messages = long
    page = socket(alice)
    page.watch(str(conversation.pk), str(messages[3].pk), "complete")
    transcript = page.wait("transcript")
    assert transcript["after"] is None
    assert places(transcript["html"]) == list(range(LONG - transcript_pages.MAX_MESSAGES, LONG))
    assert link(transcript["html"], "older")


def test_whole_history_goes_to_the_model(alice, long, socket, provider):
    conversation, messages = long
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, str(conversation.pk), str(messages[-1].pk))
    assert places(" ".join(exchange.request.contents)) == list(range(LONG))
    exchange.finish()
    assert asked.end


def test_render_cache_is_bounded():
    kept = HtmlCache(size=100)
    pages = {new_id(): f"*{number}* {'x' * 30}" for number in range(20)}
    for _ in range(2):
        for key, text in pages.items():
            assert kept.get_or_render(key, text) == f"<p><em>{text[1:-32].rstrip('*')}</em> {'x' * 30}</p>\n"
    assert sum(map(len, kept._html.values())) <= 100
