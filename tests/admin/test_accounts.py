"""Deleting an account removes all its data, and permission to change accounts does not give access to chats."""

import json
from io import StringIO
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command

from conversations.models import AuditEntry, Conversation, Generation, Message, Preferences, SearchEntry
from tests.support import generations, people
from tests.support.conversations import conversation
from tests.support.provider.endless import CLOSE_LIMIT

TOP = "/admin/auth/user/"


@pytest.fixture
def hr(clerk):
    """A member of staff who may only manage accounts."""

    def hire(*permissions):
        person = clerk()
        person.user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="auth", codename__in=permissions)
        )
        return person

    return hire


def audited(staff):
    found = AuditEntry.objects.filter(staff_id=staff.user.pk).order_by("pk")
    return list(found.values_list("action", "what", "owner_name"))


def rows_of(pk, conversations):
    """The number of rows that belong to this person, by table."""
    return {
        "account": User.objects.filter(pk=pk).count(),
        "settings": Preferences.objects.filter(user_id=pk).count(),
        "conversations": Conversation.objects.filter(owner_id=pk).count(),
        "messages": Message.objects.filter(conversation_id__in=conversations).count(),
        "generations": Generation.objects.filter(requested_by_id=pk).count(),
        "found": SearchEntry.objects.filter(owner_id=pk).count(),
    }


def delete(staff, person):
    return staff.post(f"{TOP}{person.user.pk}/delete/", post="yes")


# Deletion


def test_deleting_an_account_removes_everything_and_stops_its_answer(hr, alice, answering):
    a = answering(alice)
    Preferences.objects.create(user=alice.user, theme="dark")
    kept, gone = conversation(alice, "Kept"), conversation(alice, "Gone", deleted_at="2026-03-01T00:00Z")
    clerk, pk, name = hr("view_user", "delete_user"), alice.user.pk, alice.user.username
    asked = clerk.get(f"{TOP}{pk}/delete/")
    assert asked.status == 200
    assert "Kept" not in asked.text
    assert "conversations: 3" in asked.text.lower()
    page = delete(clerk, alice)
    assert (page.status, page.location) == (302, "/admin/")
    a.exchange.wait_closed(CLOSE_LIMIT)
    assert a.page.wait_closed() == 4401
    assert set(rows_of(pk, [a.asked.conversation, kept.pk, gone.pk]).values()) == {0}
    assert audited(clerk) == [("deleted", f"user {pk}", name)]


def test_deleting_an_account_stops_its_answer_in_a_frozen_process(start_server, hr, alice, bob, answering):
    server, clerk = start_server(), hr("view_user", "delete_user")
    a, b = answering(alice.at(server)), answering(bob.at(server))
    assert delete(clerk, alice).status == 302
    a.exchange.wait_closed(CLOSE_LIMIT)
    server.freeze()
    assert delete(clerk, bob).status == 302
    assert not User.objects.filter(pk__in=[alice.user.pk, bob.user.pk]).exists()
    server.thaw()
    b.exchange.wait_closed(CLOSE_LIMIT)
    gone = [a.asked.conversation, b.asked.conversation]
    assert not Conversation.objects.filter(pk__in=gone).exists()


def test_deletes_selected_accounts(staff, alice, bob):
    made = [conversation(alice), conversation(bob)]
    selected = [("action", "delete_selected"), ("post", "yes"), ("_selected_action", alice.user.pk),
                ("_selected_action", bob.user.pk)]  # fmt: skip
    asked = staff.post_pairs(TOP, [each for each in selected if each[0] != "post"])
    assert "About bees" not in asked.text
    assert staff.post_pairs(TOP, selected).status == 302
    assert not User.objects.filter(pk__in=[alice.user.pk, bob.user.pk]).exists()
    assert not Conversation.objects.filter(pk__in=[each.pk for each in made]).exists()
    assert [action for action, _what, _name in audited(staff)] == ["deleted", "deleted"]


def test_deleting_a_staff_account_keeps_its_audit_log(staff, hr, alice, answering):
    a = answering(alice)
    clerk = people.new_person("former", staff.server, is_staff=True, is_superuser=True)
    clerk.post(f"/admin/conversations/generation/{a.asked.generation}/stop/")
    row = generations.wait_ended(a.asked)
    assert row.stopped_by_id == clerk.user.pk
    assert delete(staff, clerk).status == 302
    assert AuditEntry.objects.filter(staff_id=clerk.user.pk, action="stopped").exists()
    row.refresh_from_db()
    assert (row.stopped_by_id, row.stop_origin) == (None, "admin")


@pytest.mark.parametrize("permissions", [("view_user",), ("view_user", "change_user"), ()])
def test_staff_without_the_permission_cannot_delete_accounts(hr, alice, permissions):
    made = conversation(alice)
    clerk = hr(*permissions)
    assert delete(clerk, alice).status == 403
    selected = [("action", "delete_selected"), ("post", "yes"), ("_selected_action", alice.user.pk)]
    clerk.post_pairs(TOP, selected)
    assert User.objects.filter(pk=alice.user.pk, is_active=True).exists()
    assert Conversation.objects.filter(pk=made.pk).exists()


def test_staff_cannot_delete_their_own_account(staff):
    assert delete(staff, staff).status == 403
    selected = [("action", "delete_selected"), ("post", "yes"), ("_selected_action", staff.user.pk)]
    staff.post_pairs(TOP, selected)
    assert User.objects.filter(pk=staff.user.pk).exists()


def test_deleting_twice_finds_no_account_the_second_time(staff, alice):
    assert [delete(staff, alice).location for _ in range(2)] == [TOP, "/admin/"]
    assert [action for action, *_rest in audited(staff)] == ["deleted"]


# Permissions

ESCALATIONS = {
    "is_superuser": {"is_superuser": "on"},
    "is_staff": {"is_staff": "on"},
    "permissions": {"user_permissions": "1"},
}


@pytest.mark.parametrize("what", ESCALATIONS)
@pytest.mark.parametrize("own", [True, False])
def test_permission_to_change_accounts_does_not_grant_powers(hr, alice, what, own):
    clerk = hr("view_user", "change_user")
    target = clerk if own else alice
    before = powers(target)
    form = {"username": target.user.username, "first_name": "New", "is_active": "on", **ESCALATIONS[what]}
    assert clerk.post(f"{TOP}{target.user.pk}/change/", **form).status == 302
    target.user.refresh_from_db()
    assert target.user.first_name == "New"
    assert powers(target) == before


def powers(person):
    user = User.objects.get(pk=person.user.pk)
    permissions = set(user.user_permissions.values_list("pk", flat=True))
    return user.is_superuser, user.is_staff, permissions, set(user.groups.values_list("pk", flat=True)), user.password


def test_only_superusers_set_passwords_of_others(hr, staff, alice):
    clerk, before = hr("view_user", "change_user"), powers(alice)
    page = clerk.get(f"{TOP}{alice.user.pk}/change/")
    assert page.status == 200
    assert "/password/" not in page.html.partition("<main")[2]
    assert alice.user.password not in page.html
    form = {"password1": "quite-another-1", "password2": "quite-another-1", "usable_password": "true",
            "set-password": "1"}  # fmt: skip
    for target in (alice, clerk, staff):
        assert clerk.post(f"{TOP}{target.user.pk}/password/", **form).status == 403
    assert powers(alice) == before
    assert staff.post(f"{TOP}{alice.user.pk}/password/", **form).status == 302
    assert powers(alice) != before
    assert audited(staff) == [("changed", f"user {alice.user.pk}: password", alice.user.username)]
    assert "quite-another" not in str(audited(staff))


def test_only_superusers_change_superuser_accounts(hr, staff):
    clerk = hr("view_user", "change_user", "delete_user", "add_user")
    boss = people.new_person("boss", staff.server, is_staff=True, is_superuser=True)
    form = {"username": "mine", "is_active": ""}
    assert clerk.post(f"{TOP}{boss.user.pk}/change/", **form).status == 403
    assert delete(clerk, boss).status == 403
    clerk.post_pairs(TOP, [("action", "delete_selected"), ("post", "yes"), ("_selected_action", boss.user.pk)])
    user = User.objects.get(pk=boss.user.pk)
    assert (user.username, user.is_active) == (boss.user.username, True)


def test_only_superusers_change_groups(hr, staff):
    group = Group.objects.create(name=f"readers of {staff.user.username}")
    clerk = hr("view_group", "change_group", "add_group", "delete_group")
    top = "/admin/auth/group/"
    form = {"name": "mine", "permissions": "1"}
    assert clerk.get(f"{top}{group.pk}/change/").status == 200
    for path in (f"{group.pk}/change/", "add/", f"{group.pk}/delete/"):
        assert clerk.post(f"{top}{path}", **form).status == 403
    assert staff.post(f"{top}{group.pk}/change/", name=f"{group.name} too").status == 302
    assert audited(staff) == [("changed", f"group {group.pk} {group.name} too: Name", "")]


def test_account_changes_are_logged_without_values(staff):
    name = f"new-{staff.user.username}"
    form = {"username": name, "usable_password": "true", "password1": "quite-another-1", "password2": "quite-another-1"}
    assert staff.post(f"{TOP}add/", **form).status == 302
    made = User.objects.get(username=name)
    joined = {"date_joined_0": f"{made.date_joined:%Y-%m-%d}", "date_joined_1": f"{made.date_joined:%H:%M:%S}"}
    form = {"username": name, "email": "secret@example.org", "is_staff": "on", **joined}
    assert staff.post(f"{TOP}{made.pk}/change/", **form).status == 302
    added, changed = audited(staff)
    assert added == ("added", f"user {made.pk}", name)
    assert changed[:2] == ("changed", f"user {made.pk}: Email address, Active, Staff status, Date joined")
    assert "quite-another" not in str(audited(staff))


@pytest.mark.parametrize(
    "lookup", ["password__startswith=p", "conversations__title__startswith=I", "email__contains=a"]
)
def test_query_string_may_use_only_the_offered_filters(hr, alice, lookup):
    page = hr("view_user").get(f"{TOP}?{lookup}")
    assert (page.status, page.location) == (302, TOP)
    assert hr("view_user").get(f"{TOP}?{urlencode({'is_staff__exact': 1})}").status == 200


# The command line


def test_export_contains_everything_a_person_wrote(alice):
    conversation(alice, "About bees"), conversation(alice, "Gone", deleted_at="2026-03-01T00:00Z")
    output = StringIO()
    call_command("person", "export", alice.user.username, stdout=output)
    exported = json.loads(output.getvalue())
    assert exported["username"] == alice.user.username
    assert [each["title"] for each in exported["conversations"]] == ["About bees", "Gone"]
    assert [each["content"] for each in exported["conversations"][0]["messages"]] == ["Tell me about bees", "Bees hum"]
    assert AuditEntry.objects.filter(staff_name="manage.py", action="exported", what=f"user {alice.user.pk}").exists()


def test_command_line_deletion_needs_confirmation(alice, answering):
    a, pk = answering(alice), alice.user.pk
    with pytest.raises(CommandError, match="Add --yes"):
        call_command("person", "delete", alice.user.username)
    call_command("person", "delete", alice.user.username, "--yes", stdout=StringIO())
    a.exchange.wait_closed(CLOSE_LIMIT)
    assert set(rows_of(pk, [a.asked.conversation]).values()) == {0}


def test_commands_report_an_unknown_account():
    with pytest.raises(CommandError, match="There is no account 'nobody-at-all'"):
        call_command("person", "export", "nobody-at-all")
