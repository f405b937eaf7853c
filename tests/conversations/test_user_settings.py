"""Settings are stored, shown and applied; nobody can choose what the administrator fixed."""

import re

import pytest
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.test import RequestFactory

from conversations.models import Conversation, Preferences
from conversations.people import effective_preferences
from conversations.web import user_settings
from conversations.web.user_settings_form import PreferencesForm
from tests.support.people import CSRF

CHOSEN = {
    "when_leaving": "finish",
    "theme": "dark",
    "language": "",
    "default_model": "beta-model",
    "enter_sends": "on",
}
HTMX = {"HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded"}


def stored(person):
    return Preferences.objects.filter(user=person.user).first()


def test_defaults_are_shown_before_any_choice(alice):
    page = alice.get("/settings/")
    assert page.status == 200
    assert "When I close the page" in page.text
    assert 'value="stop" id="id_when_leaving_0" required checked' in page.html.replace(' aria-invalid="false"', "")
    assert stored(alice) is None


def test_choices_are_saved_and_confirmed(alice):
    saved = alice.post("/settings/", **CHOSEN)
    assert (saved.status, saved.location) == (302, "/settings/")
    kept = stored(alice)
    assert (kept.when_leaving, kept.theme, kept.default_model, kept.enter_sends) == (
        "finish",
        "dark",
        "beta-model",
        True,
    )
    assert 'data-theme="dark"' in alice.get("/").html


def test_saving_is_confirmed_in_the_chat(alice):
    page = alice.request("POST", "/settings/", "when_leaving=wait&theme=light&language=&default_model=", {
        **HTMX, "Origin": alice.server.url, "X-CSRFToken": CSRF,
    })  # fmt: skip
    assert page.status == 200
    assert "<html" not in page.html
    assert "Your settings are saved." in page.text
    assert 'data-theme="light" data-enter-sends="false"' in page.html


def test_changing_the_language_reloads_the_page(alice):
    headers = {**HTMX, "Origin": alice.server.url, "X-CSRFToken": CSRF}
    german = alice.request("POST", "/settings/", "when_leaving=stop&theme=system&language=de", headers)
    assert german.headers["HX-Refresh"] == "true"
    again = alice.request("POST", "/settings/", "when_leaving=stop&theme=dark&language=de", headers)
    assert again.headers["HX-Refresh"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("when_leaving", "never"), ("theme", "pink"), ("language", "tlh"), ("default_model", "gamma"), ("theme", "")],
)
def test_values_that_are_not_offered_are_refused(alice, field, value):
    page = alice.post("/settings/", **{**CHOSEN, field: value})
    assert page.status == 200
    assert "Nothing was changed." in page.text
    assert stored(alice) is None


def test_refused_values_do_not_take_effect(alice):
    page = alice.post("/settings/", **{**CHOSEN, "when_leaving": "never"})
    assert "Nothing was changed." in page.text
    assert 'data-theme="dark"' not in page.html


def test_signed_out_visitor_sees_no_settings(alice):
    signed_out = alice.without_session()
    assert signed_out.get("/settings/").location == "/accounts/login/?next=/settings/"
    assert signed_out.post("/settings/", **CHOSEN).location == "/accounts/login/?next=/settings/"
    assert signed_out.get("/settings/password/").location == "/accounts/login/?next=/settings/password/"


def test_other_peoples_settings_stay_unchanged(alice, bob):
    alice.post("/settings/", **CHOSEN, user=str(bob.user.pk))
    assert stored(bob) is None
    assert 'data-theme="dark"' not in bob.get("/").html


def test_saving_twice_is_harmless(alice):
    for _ in range(2):
        assert alice.post("/settings/", **CHOSEN).status == 302
    assert Preferences.objects.filter(user=alice.user).count() == 1


def test_new_chat_starts_with_the_chosen_model(alice):
    alice.post("/settings/", **CHOSEN)
    assert '<option value="beta-model" selected>' in alice.get("/").html


def test_missing_model_is_explained(alice, answering):
    a = answering(alice)
    a.exchange.finish()
    assert a.asked.end
    page = f"/c/{a.asked.conversation}/"
    assert "is no longer available" not in alice.get(page).text
    Conversation.objects.filter(pk=a.asked.conversation).update(model="gamma")
    assert "“gamma” is no longer available. The next answer will come from alpha-model." in alice.get(page).text


def test_theme_is_kept_for_the_sign_in_page(alice):
    saved = alice.post("/settings/", **CHOSEN)
    cookie = next(each for each in saved.headers.get_all("Set-Cookie") if each.startswith("theme="))
    assert "theme=dark" in cookie
    page = alice.without_session().request("GET", "/accounts/login/", headers={"Cookie": "theme=dark"})
    assert '<html lang="en" dir="ltr" data-theme="dark">' in page.html
    page = alice.without_session().request("GET", "/accounts/login/", headers={"Cookie": 'theme="><script>'})
    assert "data-theme" not in page.html


# Settings fixed by the administrator


@pytest.fixture
def fixed(monkeypatch):
    monkeypatch.setattr(settings, "CHAT_WHEN_LEAVING", "stop")
    monkeypatch.setattr(settings, "CHAT_THEME", "light")


def test_fixed_setting_cannot_be_chosen(alice, fixed):
    Preferences.objects.create(user=alice.user, when_leaving="finish", theme="dark")
    assert effective_preferences.effective(alice.user).when_leaving == "stop"
    assert effective_preferences.effective(alice.user).theme == "light"
    form = PreferencesForm(alice.user, {**CHOSEN, "default_model": ""})
    assert form.is_valid()
    form.save()
    kept = Preferences.objects.get(user=alice.user)  # for the day when people may choose again
    assert kept.when_leaving == "finish"
    assert effective_preferences.effective(alice.user).when_leaving == "stop"


def test_fixed_setting_is_shown_as_fixed(alice, fixed):
    request = RequestFactory().get("/settings/")
    request.user, request.htmx = alice.user, True
    html = user_settings.user_settings(request).content.decode()
    assert "Set by your administrator." in html
    assert 'name="theme"' not in html
    assert 'name="when_leaving"' not in html


# The password


def test_new_password_ends_all_other_sessions(alice, socket):
    elsewhere = alice.sign_in_again()
    page = socket(elsewhere)
    new = "a-longer-password-for-alice"
    changed = alice.post("/settings/password/", old_password=alice.password, new_password1=new, new_password2=new)
    assert (changed.status, changed.location) == (302, "/settings/")
    assert page.wait_closed() == 4401
    assert elsewhere.get("/").status == 302


@pytest.mark.parametrize(
    ("old", "first", "second"),
    [
        ("wrong", "a-longer-password", "a-longer-password"),
        ("", "one-password-more", "another-password"),
        ("", "1", "1"),
    ],
)
def test_password_change_needs_the_old_and_a_strong_new_password(alice, old, first, second):
    page = alice.post(
        "/settings/password/", old_password=old or alice.password, new_password1=first, new_password2=second
    )
    assert page.status == 200
    assert "field__error" in page.html
    assert check_password(alice.password, type(alice.user).objects.get(pk=alice.user.pk).password)


DESCRIBED = re.compile(r'aria-describedby="([^"]+)"')


def described(html):
    """The ids that form fields refer to, and those of them that are missing on the page."""
    named = {name for names in DESCRIBED.findall(html) for name in names.split()}
    return named, {name for name in named if f'id="{name}"' not in html}


def test_aria_references_exist_on_the_page(alice):
    rules = alice.get("/settings/password/")
    assert described(rules.html) == ({"id_new_password1_helptext", "id_new_password2_helptext"}, set())
    assert "at least 8 characters" in rules.text
    refused = alice.post("/settings/password/", old_password="wrong", new_password1="a", new_password2="b")
    named, missing = described(refused.html)
    assert missing == set()
    assert {"id_old_password_error", "id_new_password2_error"} <= named
    unnamed = alice.without_session().post("/accounts/login/", username="", password="")
    assert described(unnamed.html) == ({"id_username_error", "id_password_error"}, set())
    new_chat = alice.get("/").html
    assert described(new_chat) == ({"id_system_prompt_helptext", "id_temperature_helptext"}, set())
