"""Pages and sockets use the language of the browser, of the settings or of the server; German is complete."""

import re

import pytest
from django.conf import settings

from conversations.models import Preferences
from conversations.people import language as languages
from tests.support import generations, translations

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


@pytest.fixture
def german(alice):
    Preferences.objects.create(user=alice.user, language="de")
    return alice


# The translation


def test_every_sentence_has_a_german_translation():
    catalog = translations.compiled("de")
    lacking = [
        one
        for one, many in translations.marked()
        if not (catalog.get((one, 0)) and catalog.get((one, 1)) if many else catalog.get(one))
    ]
    assert lacking == []


def test_translations_keep_their_placeholders():
    for key, translation in translations.compiled("de").items():
        sentence = key[0] if isinstance(key, tuple) else key
        if sentence:
            assert sorted(PLACEHOLDER.findall(str(sentence))) == sorted(PLACEHOLDER.findall(translation)), sentence


def test_compiled_catalog_matches_the_po_file():
    catalog = translations.compiled("de")
    assert {sentence: catalog.get(sentence) for sentence in translations.written("de") if sentence} == {
        sentence: translation for sentence, translation in translations.written("de").items() if sentence
    }


def test_sentences_in_code_and_templates_are_found():
    found = translations.marked()
    assert ("You stopped this answer.", "") in found
    assert ("%(count)d word kept", "%(count)d words kept") in found
    assert ("Skip to the message box", "") in found
    assert len(found) > 300


# Pages


def test_page_uses_the_browsers_language(alice):
    page = alice.get("/", **GERMAN)
    assert '<html lang="de"' in page.html
    assert "Neuer Chat" in page.text
    assert "New chat" in alice.get("/").text
    assert "New chat" in alice.get("/", **{"Accept-Language": "tlh, nonsense;q=x"}).text


def test_settings_override_the_browsers_language(german):
    assert "Neuer Chat" in german.get("/", **{"Accept-Language": "en"}).text


def test_sign_in_page_remembers_the_chosen_language(alice):
    nobody = alice.without_session()
    assert "Anmelden" in nobody.get("/accounts/login/", **GERMAN).text
    saved = alice.post("/settings/", when_leaving="stop", theme="system", language="de")
    assert any("django_language=de" in cookie for cookie in saved.headers.get_all("Set-Cookie"))
    page = nobody.request("GET", "/accounts/login/", headers={"Cookie": "django_language=de"})
    assert "Anmelden" in page.text


def test_fixed_language_overrides_everything(monkeypatch):
    monkeypatch.setattr(settings, "CHAT_LANGUAGE", "de")
    assert languages.socket_language(b"language=en") == "de"


@pytest.mark.parametrize(
    ("query", "language"),
    [
        (b"", "en"),
        (b"language=de", "de"),
        (b"tab=x&language=de-CH", "de"),
        (b"language=../../x", "en"),
        (b"\xff", "en"),
    ],
)
def test_socket_uses_the_language_of_its_page(query, language):
    assert languages.socket_language(query) == language


# Sockets


def test_refusals_use_the_pages_language(alice, socket):
    page = socket(alice, language="de")
    asked = page.ask("  ")
    assert page.wait_refused("empty", id=asked.id)["sentence"] == "Schreib erst etwas."
    position = page.send_raw("nonsense")
    assert page.wait_refused("malformed", after=position)["sentence"] == "Der Frame ist kein gültiges JSON."


def test_two_languages_on_one_answer_do_not_mix(alice, answering, socket):
    a = answering(alice)
    german = socket(alice, language="de").subscribe(a.asked)
    a.asked.stop()
    said = german.wait("end", generation=a.asked.generation)
    assert "Du hast diese Antwort gestoppt." in said["note"]
    assert "Fortsetzen" in said["note"]
    assert said["announce"] == "Gestoppt, 2 Wörter behalten"
    assert "You stopped this answer." in a.asked.end["note"]
    assert a.asked.end["announce"] == "Stopped, 2 words kept"


def test_second_page_gets_the_answer_in_its_own_language(alice, answering, socket, provider):
    first = answering(alice)
    first.exchange.finish()
    assert first.asked.end
    german = socket(alice, language="de")
    german.watch(first.asked.conversation)
    second = provider.expect()
    asked = first.page.ask(second.prompt, after=first.asked)
    shown = german.wait("transcript", id=asked.id)
    assert 'aria-label="Antwort"' in shown["html"]
    assert 'aria-label="Answer"' in asked.transcript["html"]
    second.write_tokens("More").finish()
    assert asked.outcome == ("complete", "finished")
    assert german.wait("end", generation=asked.generation)["announce"] == "Antwort vollständig"


def test_page_in_another_process_gets_its_own_language(alice, answering, socket, start_server):
    other = start_server()
    a = answering(alice)
    german = socket(alice, at=other, language="de").subscribe(a.asked)
    a.asked.stop()
    assert "Du hast diese Antwort gestoppt." in german.wait("end", generation=a.asked.generation)["note"]
    assert generations.outcome(a.asked) == ("interrupted", "stopped")


def test_ask_and_stop_in_german(browser, alice, server, provider):
    from playwright.sync_api import expect

    from tests.support.browser.chat import Chat, sign_in_browser

    context = browser.new_context(locale="de-DE")
    sign_in_browser(context, alice)
    chat = Chat(context.new_page(), server).open()
    exchange = provider.expect()
    expect(chat.main).to_have_attribute("data-connection", "open")
    chat.page.get_by_role("textbox", name="Nachricht").fill(exchange.prompt)
    chat.button("Senden").click()
    exchange.write_tokens("Bienen ", "summen")
    chat.see("Bienen summen")
    chat.button("Generieren stoppen").click()
    chat.see_note("Du hast diese Antwort gestoppt.")
    expect(chat.page.locator("[data-says]")).to_have_text("Gestoppt, 2 Wörter behalten")
    going_on = provider.expect(exchange.prompt)
    chat.button("Fortsetzen").click()
    going_on.write_tokens(" leise").finish()
    chat.see("Bienen summen leise").see_status("complete")
    assert chat.complaints == []
    context.close()
