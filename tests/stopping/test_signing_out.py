"""Who may open a socket, and what signing out does to streaming answers."""

from http.cookies import SimpleCookie

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from websockets.exceptions import InvalidStatus

from conversations.models import Preferences
from tests.support import generations
from tests.support.people import Person
from tests.support.provider.endless import RATE, endless
from tests.support.sockets import Socket


def refusal_code(person, server, origin):
    """The code with which a socket is closed."""
    page = Socket(person, server.ws_url, origin=origin)
    code = page.wait_closed()
    assert page.events == []
    return code


def test_socket_without_a_session_is_refused(alice, server):
    assert refusal_code(alice.without_session(), server, server.url) == 4401


def test_socket_with_an_invalid_session_is_refused(alice, server):
    alice.session = "abcdefghijklmnopqrstuvwxyz012345"
    assert refusal_code(alice, server, server.url) == 4401


def test_socket_with_an_ended_session_is_refused(alice, server):
    Session.objects.filter(session_key=alice.session).delete()
    assert refusal_code(alice, server, server.url) == 4401


def test_socket_of_a_disabled_account_is_refused(alice, server):
    alice.user.is_active = False
    alice.user.save()
    assert refusal_code(alice, server, server.url) == 4401


def foreign(server):
    return {
        "another site": "https://evil.example",
        "another port": f"http://127.0.0.1:{server.port + 1}",
        "another scheme": f"https://127.0.0.1:{server.port}",
        "a longer name": f"http://127.0.0.1.evil.example:{server.port}",
        "null": "null",
        "none": None,
    }


@pytest.mark.parametrize("which", ["another site", "another port", "another scheme", "a longer name", "null", "none"])
def test_socket_from_another_origin_is_refused(alice, server, which):
    assert refusal_code(alice, server, foreign(server)[which]) == 4403


@pytest.mark.parametrize("origin", ["chat", "http://", "http://127.0.0.1:http"])
def test_socket_with_an_invalid_origin_is_refused(alice, server, origin):
    with pytest.raises(InvalidStatus, match="HTTP 400"):
        refusal_code(alice, server, origin)


@pytest.mark.parametrize("path", ["/", "/c/018f4f4e-0000-7000-8000-000000000000/", "/admin/"])
def test_signed_out_pages_redirect_to_sign_in(alice, path):
    page = alice.without_session().get(path)
    assert page.status == 302
    assert "/login/?next=" in page.location


def sign_out(person):
    assert person.post("/accounts/logout/").status == 302


def test_signing_out_stops_the_answer(alice, answering):
    a = answering(alice)
    generation = a.asked.generation
    sign_out(alice)
    a.exchange.wait_closed(2)
    assert a.page.wait_closed() == 4401
    assert generations.outcome(generation) == ("interrupted", "signed_out")
    assert generations.text(generation) == "Bees hum"


def test_signing_out_closes_every_page_of_the_session(alice, socket):
    pages = [socket(alice) for _ in range(3)]
    sign_out(alice)
    assert {page.wait_closed() for page in pages} == {4401}


def test_signing_out_leaves_another_session_alone(alice, answering):
    a = answering(alice)
    sign_out(alice.sign_in_again())
    a.exchange.write_tokens(" on").finish()
    assert a.asked.outcome == ("complete", "finished")


def test_signing_out_leaves_other_people_alone(alice, bob, answering):
    a = answering(alice)
    sign_out(bob)
    a.exchange.write_tokens(" on").finish()
    assert a.asked.outcome == ("complete", "finished")


def change_password(person):
    """Change the password on its page; returns the person as signed in afterwards."""
    new = "quite another one"
    fields = {"old_password": person.password, "new_password1": new, "new_password2": new}
    page = person.post("/settings/password/", **fields)
    assert page.status == 302
    cookie = SimpleCookie("; ".join(page.headers.get_all("Set-Cookie")))
    return Person(person.user, new, person.server, cookie[settings.SESSION_COOKIE_NAME].value)


def test_changing_the_password_stops_nothing_in_this_session(alice, answering, socket):
    """The pages of that browser reconnect with the new cookie."""
    a = answering(alice)
    other = socket(alice)
    after = change_password(alice)
    assert {a.page.wait_closed(), other.wait_closed()} == {1012}
    page = socket(after).subscribe(a.asked)
    a.exchange.write_tokens(" on").finish()
    assert page.wait("end", generation=a.asked.generation)["status"] == "complete"


def test_changing_the_password_signs_out_everywhere_else(alice, answering, server):
    elsewhere = alice.sign_in_again()
    a = answering(elsewhere)
    generation = a.asked.generation
    change_password(alice)
    assert a.page.wait_closed() == 4401
    assert generations.outcome(generation) == ("interrupted", "signed_out")
    assert refusal_code(alice, server, server.url) == 4401


def test_background_answer_finishes_after_a_password_change(alice, answering):
    Preferences.objects.create(user=alice.user, when_leaving="finish")
    a = answering(alice)
    generation = a.asked.generation
    a.page.close()
    change_password(alice)
    a.exchange.stream(endless(), RATE).wait_written(RATE * 2)  # sessions are checked twice a second
    a.exchange.finish()
    assert generations.outcome(generation) == ("complete", "finished")
