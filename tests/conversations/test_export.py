"""A conversation can be downloaded as Markdown and as JSON."""

import json
import uuid

import pytest

from conversations.models import Conversation, Message, Piece
from conversations.web.export import file_name
from tests.support.conversations import conversation
from tests.support.polling import eventually


def export(person, pk, kind):
    return person.get(f"/c/{pk}/export.{kind}")


@pytest.fixture
def versions(alice, answering, provider):
    """An answer with the text "Old words" and a newer version "**New** words", which is on screen."""
    a = answering(alice, "Old words")
    a.exchange.finish()
    assert a.asked.end
    exchange = provider.expect(a.exchange.prompt)
    new = a.page.regenerate(a.asked.message)
    exchange.write_tokens("**New** words").finish()
    assert new.end
    return a


def test_markdown_contains_the_branch_on_screen(alice, versions):
    page = export(alice, versions.asked.conversation, "md")
    assert page.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert page.html.startswith("# ")
    assert "## You\n" in page.html
    assert "**New** words" in page.html
    assert "Old words" not in page.html


def test_json_contains_the_whole_tree(alice, versions):
    found = json.loads(export(alice, versions.asked.conversation, "json").html)
    prompt, old, newer = found["messages"]
    assert [each["content"] for each in (prompt, old, newer)] == [
        versions.exchange.prompt,
        "Old words",
        "**New** words",
    ]
    assert prompt["parent"] is None
    assert old["parent"] == newer["parent"] == prompt["id"]
    assert [each["on_screen"] for each in (prompt, old, newer)] == [True, False, True]
    assert found["head"] == newer["id"]


def test_a_stopped_answer_is_marked_with_status_reason_and_sentence(alice, answering):
    a = answering(alice)
    a.asked.stop()
    assert a.asked.end
    text = export(alice, a.asked.conversation, "md").html
    assert "> **interrupted** (stopped): You stopped this answer." in text
    answer = json.loads(export(alice, a.asked.conversation, "json").html)["messages"][-1]
    assert (answer["status"], answer["reason"], answer["note"]) == (
        "interrupted",
        "stopped",
        "You stopped this answer.",
    )
    assert answer["content"] == "Bees hum"


def test_a_code_block_that_was_cut_off_does_not_swallow_the_rest(alice, answering):
    a = answering(alice, "```python\n", "print(1)")
    a.asked.stop()
    assert a.asked.end
    assert "print(1)\n```\n\n> **interrupted**" in export(alice, a.asked.conversation, "md").html


def test_export_during_a_stream_has_the_text_so_far(alice, answering):
    a = answering(alice)
    saved = Piece.objects.filter(generation_id=a.asked.generation, text__endswith="hum")
    eventually(saved.exists, "the text on the page saved")
    text = export(alice, a.asked.conversation, "md").html
    assert "Bees hum" in text
    assert "**streaming**" in text
    assert json.loads(export(alice, a.asked.conversation, "json").html)["messages"][-1]["status"] == "streaming"
    a.exchange.write_tokens(" on").finish()
    assert a.asked.end["status"] == "complete"


def test_long_export_is_complete_and_in_order(alice):
    made = conversation(alice)
    parent = made.head_id
    rows = []
    for number in range(230):
        rows.append(Message(conversation=made, parent_id=parent, role="user", content=f"line {number};"))
        parent = rows[-1].pk
    Message.objects.bulk_create(rows)
    made.show(parent)
    text = export(alice, made.pk, "md").html
    places = [text.index(f"line {number};") for number in range(230)]
    assert places == sorted(places)
    assert len(json.loads(export(alice, made.pk, "json").html)["messages"]) == 232


def test_export_without_messages_is_empty(alice):
    made = Conversation.objects.create(owner=alice.user, title="Nothing yet")
    assert export(alice, made.pk, "md").html == "# Nothing yet\n"
    assert json.loads(export(alice, made.pk, "json").html)["messages"] == []


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("About bees", "About bees.md"),
        ("../../etc/passwd", "etc passwd.md"),
        ('a/b\\c:d*e?f"g<h>i|j', "a b c d e f g h i j.md"),
        ("", "conversation.md"),
        (" . ", "conversation.md"),
        ("line\r\nSet-Cookie: x", "line Set-Cookie x.md"),
        ("innocent\u202egnp.exe", "innocent gnp.exe.md"),
        ("x" * 200, "x" * 80 + ".md"),
    ],
)
def test_file_name_is_safe(title, name):
    assert file_name(title, "md") == name


def test_file_name_may_contain_any_letters(alice):
    made = conversation(alice, "Bienen für „Zoë“ 🐝")
    kind = export(alice, made.pk, "md").headers["Content-Disposition"]
    assert kind.startswith("attachment; filename*=utf-8''Bienen%20f%C3%BCr")


@pytest.mark.parametrize("kind", ["md", "json"])
def test_other_peoples_conversation_cannot_be_exported(alice, bob, kind):
    made = conversation(alice)
    theirs, unknown = export(bob, made.pk, kind), export(bob, uuid.uuid4(), kind)
    assert (theirs.status, theirs.text) == (unknown.status, unknown.text)
    assert theirs.status == 404


@pytest.mark.parametrize("kind", ["md", "json"])
def test_signed_out_export_redirects_to_sign_in(alice, kind):
    assert export(alice.without_session(), conversation(alice).pk, kind).location.startswith("/accounts/login/")
