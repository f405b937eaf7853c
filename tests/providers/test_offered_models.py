"""Who is offered which model, with what name, prompt and price; and which models a new installation offers."""

import secrets
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.test import Client

from conversations.models import Endpoint, LanguageModel, Preferences
from conversations.providers import environment_endpoint
from conversations.providers.catalog.endpoint_offers import load
from tests.support import generations, people
from tests.support.model_admin import ENDPOINTS, MODELS, change_model, endpoint_form, model_form, offered, wait_offered
from tests.support.polling import eventually


@pytest.fixture
def model(alice, provider):
    """A model that the provider knows as gamma-model, offered in addition to those of the environment."""
    with offered(provider.url, "gamma-model", label="Gamma") as (_row, [model]):
        wait_offered(alice, model.key)
        yield model


# --- the picker ------------------------------------------------------------------------------------------------------


def test_model_has_a_label_and_an_order(model, alice, provider):
    html = alice.get("/").html
    assert f'value="{model.key}">Gamma</option>' in html
    assert html.index('value="alpha-model" selected') < html.index(f'value="{model.key}"')
    LanguageModel.objects.create(endpoint=model.endpoint, name="first", key=f"a-{model.key}", order=-1, label="First")
    wait_offered(alice, f"a-{model.key}")
    html = alice.get("/").html
    assert html.index('value="a-') < html.index('value="alpha-model"')


def test_model_is_requested_by_name_and_stored_by_key(model, alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model=model.key)
    exchange.write_tokens("Bees.").finish()
    assert exchange.request.body["model"] == "gamma-model"
    generation = generations.wait_ended(asked)
    assert generation.model == generation.conversation.model == model.key
    assert f'value="{model.key}" selected' in alice.get(f"/c/{asked.conversation}/").html


def test_model_is_offered_to_its_groups_only(model, alice, bob, socket, provider):
    group = Group.objects.create(name=f"beekeepers {secrets.token_hex(4)}")
    alice.user.groups.add(group)
    model.groups.add(group)
    wait_offered(bob, model.key, offered=False)
    wait_offered(alice, model.key)
    page = socket(bob)
    refused = page.wait_refused("model_not_offered", id=page.ask("Hello", model=model.key).id)
    assert model.key in refused["sentence"]
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model=model.key)
    exchange.write_tokens("Bees.").finish()
    assert asked.outcome == ("complete", "finished")
    alice.user.groups.remove(group)
    again = asked.socket.ask("More?", after=asked)
    asked.socket.wait_refused("model_not_offered", id=again.id)


def test_last_choice_is_preselected_in_new_chats(model, alice, bob, socket, provider):
    page = socket(alice)
    for chosen, preselected in (("alpha-model", "alpha-model"), (model.key, model.key), ("alpha-model", "alpha-model")):
        exchange = provider.expect()
        asked = page.ask(exchange.prompt, model=chosen)
        exchange.write_tokens("Bees.").finish()
        assert asked.outcome == ("complete", "finished")
        assert f'value="{preselected}" selected' in alice.get("/").html
    assert alice.user.preferences.last_model == "alpha-model"
    assert 'value="alpha-model" selected' in bob.get("/").html


def test_preselected_model_is_not_stored_as_a_choice(alice, socket, provider):
    """New chats keep following the administrator's default."""
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model="alpha-model")
    exchange.write_tokens("Bees.").finish()
    assert asked.outcome == ("complete", "finished")
    assert not Preferences.objects.filter(user=alice.user).exclude(last_model="").exists()


def test_settings_choice_wins_while_its_model_exists(model, alice, socket, provider):
    Preferences.objects.create(user=alice.user, default_model="beta-model", last_model=model.key)
    assert 'value="beta-model" selected' in alice.get("/").html
    Preferences.objects.filter(user=alice.user).update(default_model="gone")
    assert f'value="{model.key}" selected' in alice.get("/").html
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt)
    assert exchange.request.body["model"] == "gamma-model"
    exchange.write_tokens("Bees.").finish()
    assert asked.outcome == ("complete", "finished")


def test_answer_is_continued_by_the_model_that_began_it(model, alice, socket, provider):
    first, following = provider.expect(), provider.expect("Bees hum")
    page = socket(alice)
    asked = page.ask(first.prompt, model=model.key)
    first.write_tokens("Bees hum")
    asked.wait_text("hum").stop()
    assert asked.outcome == ("interrupted", "stopped")
    other = provider.expect(first.prompt)
    again = page.regenerate(asked.message, model="beta-model")
    other.write_tokens("Bees sing").finish()
    assert again.outcome == ("complete", "finished")
    more = page.continue_(asked.message)
    assert following.request.body["model"] == "gamma-model"
    following.write_tokens(".").finish()
    assert more.outcome == ("complete", "finished")


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_system_prompt_of_the_model_comes_first(model, staff, alice, socket, provider):
    change_model(staff, model, system_prompt="Answer like a beekeeper.")
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model=model.key)
    exchange.write_tokens("Bees.").finish()
    assert exchange.request.body["messages"] == [
        {"role": "system", "content": "Answer like a beekeeper."},
        {"role": "user", "content": exchange.prompt},
    ]
    assert asked.outcome == ("complete", "finished")


@pytest.mark.parametrize(("how", "last"), [("prefill", "assistant"), ("instruction", "user")])
def test_continuation_method_follows_the_model(how, last, model, staff, alice, socket, provider):
    change_model(staff, model, continues_by=how)
    exchange, following = provider.expect(), provider.expect("Bees hum")
    page = socket(alice)
    asked = page.ask(exchange.prompt, model=model.key)
    exchange.write_tokens("Bees ", "hum")
    asked.wait_text("hum").stop()
    assert asked.outcome == ("interrupted", "stopped")
    more = page.continue_(asked.message)
    messages = following.request.body["messages"]
    assert messages[-1]["role"] == last
    assert {"role": "assistant", "content": "Bees hum"} in messages
    following.write_tokens(" sweetly.").finish()
    assert more.outcome == ("complete", "finished")
    assert generations.text(more) == "Bees hum sweetly."


def test_price_change_applies_to_the_next_answer(model, staff, alice, socket, provider):
    change_model(staff, model, price_in="2.5", price_out="10", currency="EUR")
    exchange = provider.expect()
    page = socket(alice)
    asked = page.ask(exchange.prompt, model=model.key)
    exchange.write_tokens("Bees.")
    change_model(staff, model, price_in="99", price_out="99", currency="USD")
    exchange.finish()
    generation = generations.wait_ended(asked)
    assert (generation.price_in, generation.price_out, generation.currency) == (Decimal("2.5"), Decimal(10), "EUR")


# --- the admin -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("price_in", "-1", "greater than or equal to 0"),
        ("price_out", "cheap", "Enter a number"),
        ("currency", "euro", "at most 3 characters"),
        ("currency", "eur", "Three capital letters"),
        ("context_window", "-5", "greater than or equal to 0"),
        ("continues_by", "magic", "Select a valid choice"),
        ("name", "", "This field is required"),
        ("endpoint", "0", "Select a valid choice"),
    ],
)
def test_invalid_model_fields_are_refused(field, value, words, staff, model):
    page = staff.post(f"{MODELS}add/", **model_form(model.endpoint) | {field: value})
    assert page.status == 200
    assert words in page.text


def test_models_page_needs_the_permission(server, alice, model):
    assert "/login/" in alice.get(MODELS).location
    clerk = people.new_person("clerk", server, is_staff=True)
    assert clerk.get(MODELS).status == 403
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_languagemodel"))
    assert clerk.get(f"{MODELS}{model.pk}/change/").status == 200
    assert clerk.post(f"{MODELS}{model.pk}/change/", **model_form(model.endpoint, label="Mine")).status == 403
    assert clerk.post(f"{MODELS}add/", **model_form(model.endpoint)).status == 403
    assert clerk.post(f"{MODELS}{model.pk}/delete/", post="yes").status == 403
    assert LanguageModel.objects.get(pk=model.pk).label == "Gamma"


# --- the first models ------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh(database, server):
    """An installation without endpoints, in a transaction that is rolled back: servers of other tests never see it."""
    with transaction.atomic():
        Endpoint.objects.all().delete()
        yield
        transaction.set_rollback(True)


def start(settings, base_url="", *models):
    """What a server does when it starts with this environment; returns the offered models as (key, base URL)."""
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY, settings.CHAT_MODELS = (
        base_url,
        "sk-123" if base_url else "",
        models,
    )
    environment_endpoint.sync()
    offered = [(model.key, model.endpoint.base_url) for shelf in load() for model in shelf.models]
    return offered or [(offer.endpoint.name, offer.offers_all) for offer in load()]


@pytest.fixture
def decide(fresh, staff):
    """Submit a form of the admin in the test's transaction."""
    client = Client(headers={"host": "127.0.0.1:8000"})
    client.force_login(staff.user)

    def send(path, **fields):
        assert client.post(path, fields).status_code == 302

    return send


ONE, OTHER = "https://one.example.org/v1", "https://other.example.org/v1"


def test_first_model_without_settings_is_the_demo(fresh, settings):
    assert start(settings) == [("demo", True)]
    assert Endpoint.objects.get().base_url == ""


def test_environment_creates_the_first_models(fresh, settings):
    assert start(settings, ONE, "b", "a") == [("b", ONE), ("a", ONE)]
    endpoint = Endpoint.objects.get()
    assert (endpoint.name, endpoint.base_url, endpoint.key_variable) == ("one.example.org", ONE, "OPENAI_API_KEY")
    assert list(endpoint.models.values_list("key", "order")) == [("b", 0), ("a", 1)]
    assert start(settings, ONE, "b", "a") == [("b", ONE), ("a", ONE)]
    assert (Endpoint.objects.count(), LanguageModel.objects.count()) == (1, 2)


def test_password_in_the_address_is_not_stored(fresh, settings):
    start(settings, "https://me:hunter2@one.example.org/v1", "a")
    assert Endpoint.objects.get().base_url == ONE


def test_environment_applies_until_the_administrator_decides(decide, settings):
    start(settings)
    assert start(settings, ONE, "b", "a") == [("b", ONE), ("a", ONE)]
    assert start(settings, ONE) == [("one.example.org", True)]
    assert start(settings, OTHER, "b", "a") == [("b", OTHER), ("a", OTHER)]
    model = LanguageModel.objects.get(key="a")
    decide(f"{MODELS}{model.pk}/change/", **model_form(model.endpoint, name="a", label="Alpha", default="on"))
    assert sorted(start(settings, ONE, "c")) == [("a", OTHER), ("b", OTHER)]
    assert Endpoint.objects.get().base_url == OTHER


@pytest.mark.parametrize("how", ["endpoint saved", "model deleted", "models deleted"])
def test_any_admin_change_counts_as_a_decision(how, decide, settings, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-123")
    start(settings, ONE, "b", "a")
    endpoint, model = Endpoint.objects.get(), LanguageModel.objects.get(key="b")
    if how == "endpoint saved":
        form = endpoint_form(name="One", base_url=ONE, key_variable="OPENAI_API_KEY")
        decide(f"{ENDPOINTS}{endpoint.pk}/change/", **form)
    elif how == "model deleted":
        decide(f"{MODELS}{model.pk}/delete/", post="yes")
    else:
        decide(MODELS, action="delete_selected", _selected_action=str(model.pk), post="yes")
    expected = [("a", ONE), ("b", ONE)] if how == "endpoint saved" else [("a", ONE)]
    assert sorted(start(settings, OTHER, "c")) == expected


def test_newest_default_is_the_only_one(decide, settings):
    start(settings, ONE, "b", "a")
    for key in ("a", "b"):
        model = LanguageModel.objects.get(key=key)
        decide(f"{MODELS}{model.pk}/change/", **model_form(model.endpoint, name=key, default="on"))
    assert LanguageModel.objects.get(default=True).key == "b"


def test_environment_endpoint_returns_when_none_is_left(fresh, settings):
    start(settings, ONE, "a")
    Endpoint.objects.all().delete()
    assert [shelf.endpoint.base_url for shelf in load()] == [ONE]
    assert start(settings, OTHER, "a") == [("a", OTHER)]


def test_first_models_exist_when_the_server_is_ready(staff, provider):
    following = Endpoint.objects.get(follows_environment=True)
    assert "This endpoint follows the environment" in staff.get(f"{ENDPOINTS}{following.pk}/change/").text
    # Earlier tests have changed the offered models, and a server reads them once a second.
    eventually(lambda: 'value="alpha-model" selected' in staff.get("/").html, "the model of the environment")
