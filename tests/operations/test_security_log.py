"""The security log records sign-ins, refusals and changes, without passwords, keys or texts."""

import json

import pytest

from conversations.models import AuditEntry, Endpoint
from tests.support import people, servers
from tests.support.polling import eventually


@pytest.fixture(scope="module")
def json_log_server(database, provider):
    """A server that writes its log as JSON."""
    with servers.running(OPENAI_BASE_URL=provider.url, LOG_FORMAT="json") as server:
        yield server


@pytest.fixture
def logged(json_log_server):
    """The log lines of an event caused by this person, without the fields that every line has."""

    def look(event, **about):
        lines = [json.loads(line) for line in json_log_server.output.splitlines() if line.startswith("{")]
        return [line for line in lines if {"event": event, **about}.items() <= line.items()]

    def one(event, **about):
        (line,) = eventually(lambda: look(event, **about), f"the line of {event}")
        return line

    return one


def sign_in(person, name, password):
    return person.post("/accounts/login/", username=name, password=password)


def test_sign_in_and_sign_out_are_logged(json_log_server, logged):
    anna = people.new_person("anna", json_log_server)
    assert anna.post("/accounts/logout/").status == 302
    assert logged("signed_out", user=anna.user.pk)["level"] == "INFO"
    assert sign_in(anna.without_session(), anna.user.username, anna.password).status == 302
    line = logged("signed_in", user=anna.user.pk)
    assert (line["level"], line["address"]) == ("INFO", "127.0.0.1")


def test_failed_sign_in_logs_the_account_but_no_input(json_log_server, logged):
    anna = people.new_person("anna", json_log_server)
    assert sign_in(anna.without_session(), anna.user.username, "my-other-password").status == 200
    assert logged("sign_in_failed", user=anna.user.pk)["level"] == "WARNING"
    sign_in(anna.without_session(), "oops-my-password", "typed-into-the-name")
    eventually(lambda: json_log_server.output.count('"sign_in_failed"') >= 2, "the second line")
    for typed in ("my-other-password", "oops-my-password", "typed-into-the-name"):
        assert typed not in json_log_server.output


def test_refusal_is_logged_without_the_query_string(json_log_server, logged):
    clerk = people.new_person("clerk", json_log_server, is_staff=True)
    assert clerk.get("/admin/conversations/message/?q=secret-words").status == 403
    line = logged("refused", user=clerk.user.pk)
    assert (line["level"], line["method"], line["path"]) == ("WARNING", "GET", "/admin/conversations/message/")
    assert "secret-words" not in json_log_server.output


def test_endpoint_changes_and_tests_are_logged_and_audited(json_log_server, logged):
    staff = people.new_person("staff", json_log_server, is_staff=True, is_superuser=True)
    made = Endpoint.objects.create(
        name=f"hive of {staff.user.username}", base_url="http://127.0.0.1:9/v1", enabled=False
    )
    named = f"endpoint {made.pk}"
    top = f"/admin/conversations/endpoint/{made.pk}/"
    form = {"name": made.name, "base_url": "http://127.0.0.1:9/v2", "models-TOTAL_FORMS": "0",
            "models-INITIAL_FORMS": "0"}  # fmt: skip
    try:
        assert staff.post(f"{top}change/", **form).status == 302
        assert staff.post(f"{top}test/").status == 200
    finally:
        made.delete()
    line = logged("administered", staff=staff.user.pk, action="changed")
    assert (line["what"], line["fields"].lower()) == (named, "base url")
    assert logged("administered", staff=staff.user.pk, action="tested")["what"] == named
    entries = AuditEntry.objects.filter(staff_id=staff.user.pk).order_by("pk").values_list("action", "what")
    assert [(action, what.lower()) for action, what in entries] == [
        ("changed", f"{named} {made.name}: base url"),
        ("tested", f"{named} {made.name}"),
    ]
