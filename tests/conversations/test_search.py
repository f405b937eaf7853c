"""People can search their own titles and messages."""

import re
import uuid
from html import unescape
from urllib.parse import quote

import pytest
from django.db import connection, transaction

from conversations.models import Conversation, Message, SearchEntry
from conversations.web import search, search_query, search_results
from tests.support import generations
from tests.support.conversations import action_path, conversation, searchable_messages, wait_indexed
from tests.support.polling import eventually

HTMX = {"HX-Request": "true"}


def found(person, text):
    """The excerpts of the hits, newest first."""
    return [hit.excerpt for hit in search_results.find(person.user, text).hits]


def test_finds_and_highlights_a_word_in_messages(alice):
    (message,) = searchable_messages(alice, "The quick brown fox jumps")
    page = alice.get("/search/?q=BROWN")
    assert "The quick <mark>brown</mark> fox jumps" in page.html
    place = f"/c/{message.conversation_id}/?at={message.pk}#message-{message.pk}"
    assert f'href="{place}"' in unescape(page.html)


def test_hit_opens_at_the_message_on_its_branch(alice):
    made = conversation(alice)
    other = Message.objects.create(conversation=made, role="user", content="zebra of another branch")
    wait_indexed()
    link = re.search(r'class="hit" href="([^"#]+)#', alice.get("/search/?q=zebra").html)
    assert "data-found" in alice.get(unescape(link[1])).html
    stored_head = made.head_id
    made.refresh_from_db()
    assert made.head_id == stored_head != other.pk


def test_finds_a_renamed_title(alice):
    made = conversation(alice, "Aardvarks")
    wait_indexed()
    assert found(alice, "aardvarks")
    alice.post(action_path(made, "rename"), title="Wombats")
    wait_indexed()
    assert found(alice, "wombats") == ["<mark>Wombats</mark>"]
    assert [hit for hit in search_results.find(alice.user, "aardvarks").hits if hit.message is None] == []


def test_title_hit_is_not_listed_beside_its_message_hits(alice):
    searchable_messages(alice, "the axolotl sleeps", title="The axolotl")
    searchable_messages(alice, "nothing of it", title="An axolotl again")
    hits = search_results.find(alice.user, "axolotl").hits
    assert sorted((hit.title, hit.message is None) for hit in hits) == [
        ("An axolotl again", False),  # the prompt that the title comes from
        ("The axolotl", False),
        ("The axolotl", False),
    ]


def test_shows_the_number_of_hits(alice):
    searchable_messages(alice, *(f"ibex number {number}" for number in range(21)))
    assert "More than 20 results" in alice.get("/search/?q=ibex").text
    searchable_messages(alice, "one saola")
    assert re.search(r'role="status" data-said>1 result<', alice.get("/search/?q=saola").html)


def test_empty_search_offers_recent_conversations(alice, bob):
    conversation(bob, "His")
    for number in range(search.MAX_RECENT + 2):
        conversation(alice, f"Number {number}")
    page = alice.get("/search/", **HTMX).text
    assert [f"Number {number}" in page for number in range(search.MAX_RECENT + 2)] == [False] * 2 + [
        True
    ] * search.MAX_RECENT
    assert "His" not in page


def test_finds_an_interrupted_answer_after_its_end(alice, answering):
    a = answering(alice, "Platypus ", "swims")
    assert found(alice, "platypus") == []
    a.asked.stop()
    assert generations.outcome(a.asked) == ("interrupted", "stopped")
    eventually(lambda: found(alice, "platypus"), "the answer in the index")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fox", ["red fox den", "brown fox", "a well-known fox"]),
        ("fox brown", ["brown fox"]),
        ('"brown fox"', ["brown fox"]),
        ('"fox brown"', []),
        ("fox -red", ["brown fox", "a well-known fox"]),
        ("den or brown", ["red fox den", "brown fox"]),
        ("bro", ["brown fox"]),
        ('"bro"', []),
        ("nowhere", []),
        ("well-known", ["a well-known fox"]),
        ("well-kno", ["a well-known fox"]),
        ("fox well-k", ["a well-known fox"]),
        ("-well-known fox", ["red fox den", "brown fox"]),
        ("mother-in-l", ["her mother-in-law"]),
        ("mother-in", ["her mother-in-law"]),
        ("well-nowhere", []),
    ],
)
def test_supports_words_phrases_and_operators(alice, text, expected):
    searchable_messages(alice, "her mother-in-law", "a well-known fox", "brown fox", "red fox den")
    assert [re.sub("</?mark>", "", each) for each in found(alice, text)] == expected


@pytest.mark.parametrize(
    "text", ['"', "'", "\\", "a & b | !c", "((", "<->", ":*", "'; DROP TABLE x; --", "%s %(x)s", "x:*", "-", '"-"',
             "-a", "-a -b", "o'neil \\' x", "🐝", "\x02", "a" * 500, '" or "', "http://example.org/a-b?c=d"],
)  # fmt: skip
def test_odd_queries_never_fail(alice, text):
    searchable_messages(alice, "o'neil said http://example.org/a-b?c=d \\ once")
    assert alice.get(f"/search/?q={quote(text)}").status == 200


def test_finds_words_with_quotes_and_backslashes(alice):
    searchable_messages(alice, "see C:\\temp and o'neil at http://example.org/a-b?c=d")
    for text in ("o'neil", "http://example.org/a-b?c=d", "C:\\temp"):
        assert found(alice, text), text


def test_empty_query_shows_help(alice):
    assert "to exclude" in alice.get("/search/?q=%20%00").text


def test_query_without_a_word_shows_a_message(alice):
    assert "at least one word" in alice.get("/search/?q=%3F%21%20...").text


def test_overlong_query_shows_a_message(alice):
    assert "limited to 500 characters" in alice.get(f"/search/?q={'x' * 5000}").text


def test_exclusion_alone_is_a_valid_query(alice):
    searchable_messages(alice, "brown fox")
    assert all("brown" not in each for each in found(alice, "-brown"))
    assert found(alice, "-brown")


def test_markup_in_a_message_stays_text(alice):
    searchable_messages(alice, "before <img src=x onerror=alert(1)> zebra \x02\x03 <mark>not</mark>")
    html = alice.get("/search/?q=zebra").html
    assert "<img" not in html
    assert "<mark>zebra</mark>" in html
    assert "<mark>not" not in html


def test_never_finds_other_peoples_messages(alice, bob):
    searchable_messages(bob, "his secret giraffe", title="Giraffe")
    assert found(alice, "giraffe") == []
    assert found(alice, f"{bob.user.pk}:giraffe") == []
    assert len(found(bob, "giraffe")) == 2  # the prompt that the title comes from, and the message


def test_deleted_conversation_is_found_only_after_undo(alice):
    made = searchable_messages(alice, "lonely narwhal")[0].conversation
    alice.post(action_path(made, "delete"))
    assert found(alice, "narwhal") == []
    alice.post(action_path(made, "restore"))
    assert len(found(alice, "narwhal")) == 1


def test_archived_conversation_is_found_and_marked(alice):
    made = searchable_messages(alice, "dusty okapi")[0].conversation
    assert "Archived" not in alice.get("/search/?q=okapi").text
    alice.post(action_path(made, "archive"))
    assert "Archived" in alice.get("/search/?q=okapi").text


def test_pages_list_each_hit_once_newest_first(alice):
    searchable_messages(alice, *(f"lemur number {number}" for number in range(45)))
    seen, address = [], "/search/?q=lemur"
    while address:
        html = alice.get(address, **HTMX).html
        seen += [int(number) for number in re.findall(r"</mark> number (\d+)", html)]
        more = re.search(r'class="sidebar__more" href="([^"]+)"', html)
        address = unescape(more[1]) if more else ""
    assert seen == list(range(44, -1, -1))


def test_finds_a_rare_word_in_old_messages(alice, monkeypatch):
    monkeypatch.setattr(search_results, "MAX_SCANNED", 3)
    searchable_messages(alice, "ancient coelacanth", *(f"filler {number}" for number in range(10)))
    assert found(alice, "coelacanth") == ["ancient <mark>coelacanth</mark>"]


def test_excerpt_of_a_long_message_shows_the_word(alice):
    searchable_messages(alice, "filler " * 30_000 + "quagga at last")
    assert "<mark>quagga</mark>" in found(alice, "quagga")[0]


def test_text_too_large_to_index_is_found_by_its_beginning(alice):
    searchable_messages(alice, "tapir " + " ".join(uuid.uuid4().hex + "-" + uuid.uuid4().hex for _ in range(3000)))
    assert len(found(alice, "tapir")) == 1


def test_signed_out_search_redirects_to_sign_in(alice):
    assert alice.without_session().get("/search/?q=x").location.startswith("/accounts/login/")


def test_query_plan_uses_the_text_index(alice):
    searchable_messages(alice, "unmistakable pangolin")
    query = search_query.parse("pangolin")
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(
            "EXPLAIN " + search_results.BY_WORDS,
            {
                "query": query.for_owner(alice.user.pk),
                "owner": alice.user.pk,
                "after": search_results.NO_CURSOR,
                "limit": 21,
            },
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "search_words" in plan


def test_index_entries_are_removed_with_their_conversation(alice):
    made = searchable_messages(alice, "fleeting dodo")[0].conversation
    Conversation.objects.filter(pk=made.pk).delete()
    assert not SearchEntry.objects.filter(conversation_id=made.pk).exists()


INSERT_ENTRIES = """
INSERT INTO conversations_searchentry (id, conversation_id, owner_id, is_title, vector)
SELECT (lpad(to_hex(n), 12, '0') || '70008000' || lpad('9', 12, '0'))::uuid, %(conversation)s,
       CASE WHEN n < 2000 THEN %(owner)s ELSE -1 - n %% 50 END, false, repeat('x', 200)::tsvector
FROM generate_series(1, 20000) AS n
"""


def test_query_does_not_scan_other_peoples_entries(alice):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT_ENTRIES, {"owner": alice.user.pk, "conversation": uuid.uuid4()})
        cursor.execute("ANALYZE conversations_searchentry")
        query = {
            "query": "'1:nothing'",
            "owner": alice.user.pk,
            "after": search_results.NO_CURSOR,
            "newest": 1000,
            "limit": 20,
        }
        cursor.execute(f"EXPLAIN (ANALYZE) {search_results.AMONG_NEWEST}", query)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        transaction.set_rollback(True)
    assert "search_newest_first" in plan
    assert "Filter: (owner_id" not in plan
