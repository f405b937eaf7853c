"""Models as an administrator offers them: to whom, how called, with what prompt and price; and the first ones."""

import secrets
from decimal import Decimal

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission

from conversations.models import LanguageModel
from tests import database as databases
from tests import stored, visitors
from tests.offers import ENDPOINTS, LAST, MODELS, change, endpoint_form, model_form, offered, wait_offered
from tests.servers import running
from tests.visitors import CSRF, Person


@pytest.fixture
def model(alice, provider):
    """A model that the provider knows as gamma-model, offered beside those of the environment."""
    with offered(provider.url, "gamma-model", label="Gamma") as (_row, [model]):
        wait_offered(alice, model.key)
        yield model


# --- the picker ------------------------------------------------------------------------------------------------------


def test_has_a_label_and_its_place(model, alice, provider):
    html = alice.get("/").html
    assert f'value="{model.key}">Gamma</option>' in html
    assert html.index('value="alpha-model" selected') < html.index(f'value="{model.key}"')
    LanguageModel.objects.create(endpoint=model.endpoint, name="first", key=f"a-{model.key}", order=-1, label="First")
    wait_offered(alice, f"a-{model.key}")
    html = alice.get("/").html
    assert html.index('value="a-') < html.index('value="alpha-model"')


def test_is_asked_by_the_providers_name_and_stored_by_its_key(model, alice, socket, provider):
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model=model.key)
    exchange.write_tokens("Bees.").finish()
    assert exchange.request.body["model"] == "gamma-model"
    run = stored.ended(asked)
    assert run.model == run.conversation.model == model.key
    assert f'value="{model.key}" selected' in alice.get(f"/c/{asked.conversation}/").html


def test_is_offered_to_its_groups_only(model, alice, bob, socket, provider):
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


# --- what it gets ----------------------------------------------------------------------------------------------------


def test_gets_its_system_prompt_first(model, staff, alice, socket, provider):
    change(staff, model, system_prompt="Answer like a beekeeper.")
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt, model=model.key)
    exchange.write_tokens("Bees.").finish()
    assert exchange.request.body["messages"] == [
        {"role": "system", "content": "Answer like a beekeeper."},
        {"role": "user", "content": exchange.prompt},
    ]
    assert asked.outcome == ("complete", "finished")


@pytest.mark.parametrize(("how", "last"), [("prefill", "assistant"), ("instruction", "user")])
def test_continues_as_it_is_told(how, last, model, staff, alice, socket, provider):
    change(staff, model, continues_by=how)
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
    assert stored.text(more) == "Bees hum sweetly."


def test_a_price_changed_in_mid_run_counts_for_the_next(model, staff, alice, socket, provider):
    change(staff, model, price_in="2.5", price_out="10", currency="EUR")
    exchange = provider.expect()
    page = socket(alice)
    asked = page.ask(exchange.prompt, model=model.key)
    exchange.write_tokens("Bees.")
    change(staff, model, price_in="99", price_out="99", currency="USD")
    exchange.finish()
    run = stored.ended(asked)
    assert (run.price_in, run.price_out, run.currency) == (Decimal("2.5"), Decimal(10), "EUR")


# --- the administration ----------------------------------------------------------------------------------------------


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
def test_refuses_what_makes_no_sense(field, value, words, staff, model):
    page = staff.post(f"{MODELS}add/", **model_form(model.endpoint) | {field: value})
    assert page.status == 200
    assert words in page.text


def test_models_are_for_those_with_the_permission(server, alice, model):
    assert "/login/" in alice.get(MODELS).location
    clerk = visitors.new_person("clerk", server, is_staff=True)
    assert clerk.get(MODELS).status == 403
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_languagemodel"))
    assert clerk.get(f"{MODELS}{model.pk}/change/").status == 200
    assert clerk.post(f"{MODELS}{model.pk}/change/", **model_form(model.endpoint, label="Mine")).status == 403
    assert clerk.post(f"{MODELS}add/", **model_form(model.endpoint)).status == 403
    assert clerk.post(f"{MODELS}{model.pk}/delete/", post="yes").status == 403
    assert LanguageModel.objects.get(pk=model.pk).label == "Gamma"


# --- the first ones --------------------------------------------------------------------------------------------------


class Installation:
    """A server with a database of its own, and its administrator: what happens to the environment's endpoint there must
    not reach the servers of other tests."""

    PASSWORD = secrets.token_urlsafe(12)

    def __init__(self, server):
        self.server = server
        self.admin = self.sign_in(server)

    @classmethod
    def sign_in(cls, server):
        person = Person(None, cls.PASSWORD, server)
        page = person.post("/accounts/login/", username="admin", password=cls.PASSWORD, csrfmiddlewaretoken=CSRF)
        cookies = page.headers.get_all("Set-Cookie") or []
        name = f"{settings.SESSION_COOKIE_NAME}="
        person.session = next(cookie for cookie in cookies if cookie.startswith(name)).split(";")[0].removeprefix(name)
        return person

    def link(self, listing, words):
        """The address of the row with these words in a list of the administration."""
        html = self.admin.get(listing).html
        assert words in html, html
        return html.split(words)[0].rsplit('href="', 1)[1].split('"')[0]


@pytest.fixture(scope="module")
def install(database):
    """Start a server on the one database of this file, with these settings."""
    name = f"own_{secrets.token_hex(4)}"
    with psycopg.connect(databases.URL, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = databases.URL.replace(f"/{psycopg.conninfo.conninfo_to_dict(databases.URL)['dbname']}", f"/{name}", 1)

    def start(**overrides):
        own = {"DATABASE_URL": url, "DJANGO_SUPERUSER_PASSWORD": Installation.PASSWORD, "CHAT_DEMO_RATE": 1000}
        return running(**own | overrides)

    return start


def test_the_environment_makes_the_first_ones_until_the_administrator_decides(install, provider, socket):
    with install() as server:  # nothing is configured
        admin = Installation(server).admin
        assert "demo model" in admin.get("/").text
        assert "demo" in admin.get(ENDPOINTS).text
    with install(OPENAI_BASE_URL=provider.url, CHAT_MODELS="beta-model,alpha-model") as server:  # nobody decided yet
        here = Installation(server)
        assert "Answers come from beta-model." in here.admin.get("/").text
        assert provider.url in here.admin.get(ENDPOINTS).text
        asked = socket(here.admin).ask("Hello")
        assert asked.outcome == ("complete", "finished")
        address = here.link(MODELS, "beta-model</a>")
        endpoint = here.link(ENDPOINTS, "127.0.0.1</a>")
        assert "follows the environment" in here.admin.get(endpoint).text
        number = endpoint.split("/")[-3]
        form = {"name": "alpha-model", "label": "Alpha", "order": "7", "enabled": "on", "default": "on"}
        other = here.link(MODELS, "alpha-model</a>")
        form |= {"endpoint": number, "currency": "USD", "continues_by": "instruction"}
        assert here.admin.post(other, **form).status == 302
        assert here.admin.post(address.replace("change", "delete"), post="yes").status == 302
        wait_offered(here.admin, "alpha-model")
        assert "beta-model" not in here.admin.get("/").text
        refused = asked.socket.wait_refused("model_not_offered", id=asked.socket.ask("More?", after=asked).id)
        assert "beta-model" in refused["sentence"]
    with install(OPENAI_BASE_URL="http://127.0.0.1:1/v1", CHAT_MODELS="beta-model") as server:  # somebody has
        here = Installation(server)
        assert "Answers come from Alpha." in here.admin.get("/").text
        assert "follows the environment" not in here.admin.get(here.link(ENDPOINTS, "127.0.0.1</a>")).text
        assert socket(here.admin).ask("Hello").outcome == ("complete", "finished")
        new = endpoint_form(base_url=provider.url, name="Another") | {
            "models-TOTAL_FORMS": "1", "models-0-name": "beta-model", "models-0-order": str(LAST),
            "models-0-enabled": "on",
        }  # fmt: skip
        page = here.admin.post(f"{ENDPOINTS}add/", **new)
        assert page.status == 302, page.text
        wait_offered(here.admin, "beta-model")
        again = {**form, "name": "beta-model", "endpoint": here.link(ENDPOINTS, "Another</a>").split("/")[-3]}
        assert here.admin.post(here.link(MODELS, "beta-model</a>"), **again).status == 302
        assert 'value="beta-model" selected' in here.admin.get("/").html  # one default: the newest word counts
