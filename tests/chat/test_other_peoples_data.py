"""No address and no command gives access to other people's data.

Addresses and commands are read from the product, so that new ones are covered too. A stranger gets the same response
for what exists as for what does not.
"""

import re
import uuid
from typing import get_args

import pytest

from conversations.models import Conversation, Generation
from conversations.protocol.commands import Ack, Command, StartCommand, Stop, Watch
from conversations.urls import urlpatterns
from tests.support import people
from tests.support.conversations import converse

SECRET = "heliotrope"
ROUTES = [str(each.pattern) for each in urlpatterns]
OF_ONE = [route for route in ROUTES if "<" in route]
OF_ALL = [route for route in ROUTES if "<" not in route]
COMMANDS = [each for each in Command.__subclasses__() if each is not Ack]
"""All commands but the acknowledgement, which contains no id."""


@pytest.fixture(scope="module")
def owner(server):
    return people.new_person("alice", server)


@pytest.fixture(scope="module")
def stranger(server):
    return people.new_person("bob", server)


@pytest.fixture(scope="module")
def ids(owner):
    """The ids of a conversation, its answer and its generation, by the first part of an address and by the field of a
    command."""
    conversation, messages = converse(owner, ["What blooms?", f"{SECRET} blooms"])
    conversation.rename(f"About {SECRET}")
    generation = Generation.objects.get(message=messages[-1])
    return {
        "c": str(conversation.pk),
        "messages": str(generation.message_id),
        "generations": str(generation.pk),
        "conversation": str(conversation.pk),
        "message": str(generation.message_id),
        "parent": str(generation.message_id),
        "generation": str(generation.pk),
        "branch": str(generation.message_id),
        "head": str(generation.message_id),
    }


def address(route, ids):
    """The address of a route with an id. Fails for a new kind of id, which then has to be added to `ids`."""
    kind = route.partition("/")[0]
    return "/" + re.sub(r"<[^>]+>", ids[kind], route)


def comparable(page, path):
    """A response without the form token, the script nonce and the requested id."""
    text = re.sub(r'(nonce="|csrfmiddlewaretoken" value="|x-csrftoken": ")[^"]+', "", page.html)
    return page.status, text.replace(re.search(r"[0-9a-f-]{36}", path)[0], "ID"), page.location.replace(path, "")


@pytest.mark.parametrize("route", OF_ONE)
def test_other_peoples_pages_are_not_found(owner, stranger, ids, route):
    unknown = {kind: str(uuid.uuid4()) for kind in ids}
    theirs, nothing = address(route, ids), address(route, unknown)
    for query in ("", f"?at={ids['messages']}", f"?before={ids['messages']}", f"?after={ids['messages']}"):
        page = stranger.get(theirs + query)
        assert page.status in (404, 405)
        assert comparable(page, theirs) == comparable(stranger.get(nothing + query), nothing)
        assert SECRET not in page.html
    fields = {"title": "Mine now", "system_prompt": "x"}
    page = stranger.post(theirs, **fields)
    assert page.status in (404, 405)
    assert comparable(page, theirs) == comparable(stranger.post(nothing, **fields), nothing)
    kept = Conversation.objects.get(pk=ids["c"])
    assert (kept.title, kept.deleted_at, kept.archived_at, kept.pinned_at) == (f"About {SECRET}", None, None, None)
    assert kept.system_prompt == ""
    assert owner.get(f"/c/{ids['c']}/").status == 200


@pytest.mark.parametrize("route", ROUTES)
def test_signed_out_visitors_reach_nothing_by_address(owner, ids, route):
    path = address(route, ids) if "<" in route else f"/{route}"
    for page in (owner.without_session().get(path), owner.without_session().post(path, q=SECRET)):
        assert page.status in (302, 405)
        assert page.status == 405 or page.location.startswith("/accounts/login/")
        assert SECRET not in page.html


@pytest.mark.parametrize("route", OF_ALL)
def test_lists_contain_only_own_data(stranger, ids, route):
    page = stranger.get(f"/{route}?q={SECRET}&deleted={ids['c']}")
    assert "About" not in page.text
    assert ids["c"] not in page.html.replace(f"deleted={ids['c']}", "")


def fields_of(command, ids, one=None):
    """The fields of a command that names these ids; with `one`, only the id of that name."""
    names = [name for name in command.__struct_fields__ if name in ids and one in (None, name)]
    fields = {name: ids[name] for name in names}
    if "content" in command.__struct_fields__:
        fields["content"] = "Mine now"
    if command in get_args(StartCommand):
        fields["id"] = str(uuid.uuid4())
    return fields


def first_refusal(page, command, fields):
    """The code and sentence of the first refusal that answers a command."""
    position = page.send(command.__struct_config__.tag, **fields)
    refused = page.wait("refused", after=position, refers=command.__struct_config__.tag)
    return refused["code"], refused["sentence"]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_cannot_reach_other_peoples_data(stranger, ids, socket, command):
    page = socket(stranger)
    unknown = {kind: str(uuid.uuid4()) for kind in ids}
    one = "generation" if command is Stop else "conversation" if command is Watch else None
    theirs = first_refusal(page, command, fields_of(command, ids, one))
    assert theirs == first_refusal(page, command, fields_of(command, unknown, one))
    assert theirs[0] == "not_found"
    assert page.count("transcript") + page.count("snapshot") + page.count("activity") == 0
    assert not Conversation.objects.filter(owner=stranger.user).exists()
