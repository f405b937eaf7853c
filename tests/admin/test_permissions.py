"""Each permission in the admin opens exactly one thing."""

import re

import pytest
from django.contrib.auth.models import Permission

from chatapp.installation_settings import BASE_DIR
from conversations.models import Generation
from tests.support import generations

TOP = "/admin/conversations/"
LIST = f"{TOP}generation/"

READS = ["list", "running", "csv", "generation", "text", "conversations", "conversation", "messages", "message", "log"]
ACTIONS = ["review", "mark", "stop"]
SIGHT = {"list", "running", "csv", "generation"}

MATRIX = {
    (): set(),
    ("view_generation",): SIGHT,
    ("view_generation", "view_message"): SIGHT | {"text", "messages", "message"},
    ("view_message",): {"messages", "message"},
    ("view_conversation",): {"conversations"},
    ("view_conversation", "view_message"): {"conversations", "conversation", "messages", "message"},
    ("view_auditentry",): {"log"},
    ("view_generation", "change_generation"): SIGHT | {"review", "mark"},
    ("change_generation",): set(),
    ("view_generation", "stop_generation"): SIGHT | {"stop"},
    ("stop_generation",): set(),
    ("view_generation", "delete_generation", "add_generation", "change_message", "delete_message"): SIGHT,
}


@pytest.fixture
def generation(alice, answering):
    a = answering(alice, "Bees ", "hum")
    a.asked.stop()
    return generations.wait_ended(a.asked)


def allowed(person, generation):
    """The names of everything that works for this person."""
    pages = {
        "list": LIST,
        "running": f"{LIST}running/",
        "csv": f"{LIST}export/?q={generation.pk}",
        "generation": f"{LIST}{generation.pk}/change/",
        "conversations": f"{TOP}conversation/",
        "conversation": f"{TOP}conversation/{generation.conversation_id}/change/",
        "messages": f"{TOP}message/?q=nothing-{generation.pk}",
        "message": f"{TOP}message/{generation.message_id}/change/",
        "log": f"{TOP}auditentry/",
    }
    answers = {name: person.get(path) for name, path in pages.items()}
    works = {name for name, page in answers.items() if page.status == 200}
    if "Bees hum" in answers["generation"].text:
        works.add("text")
    return works | actions(person, generation)


def actions(person, generation):
    works = set()
    person.post(f"{LIST}{generation.pk}/review/", note="seen")
    works |= reviewed(generation, "review")
    mark = {"action": "mark_reviewed", "select_across": "0", "index": "0", "_selected_action": str(generation.pk)}
    person.post(LIST, **mark)
    works |= reviewed(generation, "mark")
    # The answer has ended: those who may stop it read that, the others are refused.
    stop = person.post(f"{LIST}{generation.pk}/stop/")
    if stop.status == 302 and stop.location == f"{LIST}{generation.pk}/change/":
        works.add("stop")
    return works


def reviewed(generation, name):
    found = Generation.objects.filter(pk=generation.pk, reviewed_at__isnull=False)
    return {name} if found.update(reviewed_at=None, reviewed_by=None) else set()


@pytest.mark.parametrize("permissions", MATRIX, ids=lambda permissions: "+".join(permissions) or "none")
def test_staff_permissions_each_open_one_thing(clerk, generation, permissions):
    assert allowed(clerk(*permissions), generation) == MATRIX[permissions]


def test_administrator_may_do_everything(staff, generation):
    assert allowed(staff, generation) == {*READS, *ACTIONS}


def test_person_who_asked_has_no_admin_access(alice, generation):
    assert allowed(alice, generation) == set()


def test_signed_out_visitor_has_no_admin_access(alice, generation):
    stranger = alice.without_session()
    assert allowed(stranger, generation) == set()
    assert stranger.get(LIST).location.startswith("/admin/login/")


def test_permissions_have_their_documented_names(database):
    text = (BASE_DIR / "docs/administration.md").read_text()
    documented = set(re.findall(r"^\| (Can \w+ [\w ]+) \|", text, re.MULTILINE))
    known = set(Permission.objects.values_list("name", flat=True))
    assert "Can view generation" in documented
    assert documented <= known


def test_refusals_do_not_reveal_what_exists(clerk, generation):
    """Without the permission, existing and unknown generations get the same response."""
    nobody = clerk()
    unknown = "00000000-0000-4000-8000-000000000000"
    for path in ("change/", "history/", "delete/"):
        known, not_known = (nobody.get(f"{LIST}{pk}/{path}") for pk in (generation.pk, unknown))
        assert known.status == not_known.status
        assert known.location.replace(str(generation.pk), unknown) == not_known.location
        assert known.text.replace(str(generation.pk), unknown) == not_known.text
    for action in ("stop", "review"):
        assert [nobody.post(f"{LIST}{pk}/{action}/").status for pk in (generation.pk, unknown)] == [403, 403]
