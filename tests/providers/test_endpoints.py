"""Administrators add, test and change endpoints without a restart, even during an answer; their keys stay secret."""

import secrets
import socket as sockets
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client

from conversations.models import Endpoint, LanguageModel
from conversations.providers import endpoint_check
from conversations.providers.endpoints import may_be_sent
from tests.support import generations, people
from tests.support.environment import CANARY_KEY
from tests.support.model_admin import ENDPOINTS, endpoint_form, model_form, offered, wait_offered
from tests.support.polling import eventually
from tests.support.provider.canned_http import canned_http
from tests.support.provider.server import Provider
from tests.support.servers import free_port


@pytest.fixture(scope="module")
def second():
    """A provider besides the environment's."""
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture
def gamma(added, second):
    """An unknown model of the second provider."""
    return second.models[1]


@pytest.fixture
def added(staff, second):
    """An endpoint that an administrator added on the page, with the key of the environment. Its models have unique
    names, because the server may remember those of the previous test for a moment."""
    mark = secrets.token_hex(4)
    second.models = [f"delta-{mark}", f"gamma-{mark}"]
    form = endpoint_form(base_url=second.url, key_variable="OPENAI_API_KEY")
    page = staff.post(f"{ENDPOINTS}add/", **form)
    assert page.status == 302, page.text
    endpoint = Endpoint.objects.get(name=form["name"])
    yield endpoint
    Endpoint.objects.filter(pk=endpoint.pk).delete()


def key_at(endpoint, name):
    """The key of a model at an endpoint: it contains the endpoint's name."""
    return f"{endpoint.name}::{name}"


def edit(staff, endpoint, **fields):
    form = endpoint_form(name=endpoint.name, base_url=endpoint.base_url, key_variable=endpoint.key_variable)
    page = staff.post(f"{ENDPOINTS}{endpoint.pk}/change/", **form | fields)
    assert page.status == 302, page.text


# --- added, tested, used ---------------------------------------------------------------------------------------------


def test_new_endpoint_answers_immediately(staff, added, second, alice, socket, gamma):
    tested = staff.post(f"{ENDPOINTS}{added.pk}/test/")
    assert f"It works. “{second.models[0]}” answers." in tested.text
    assert "It lists 2 models" in tested.text
    assert staff.post(f"{ENDPOINTS}{added.pk}/models/", name=gamma).status == 302
    key = key_at(added, gamma)
    wait_offered(alice, key)
    exchange = second.expect()
    asked = socket(alice).ask(exchange.prompt, model=key)
    assert exchange.request.body["model"] == gamma
    assert exchange.request.headers["authorization"] == f"Bearer {CANARY_KEY}"
    exchange.write_tokens("Bees.").finish()
    generation = generations.wait_ended(asked)
    assert (generation.status, generation.model, generation.endpoint) == ("complete", key, added.name)


def test_adding_listed_models_twice_adds_each_once(staff, added, second):
    for _ in range(2):
        staff.post(f"{ENDPOINTS}{added.pk}/models/", name=second.models[0])
    assert added.models.count() == 1
    assert f'value="{second.models[0]}" checked disabled' in staff.post(f"{ENDPOINTS}{added.pk}/test/").html


def test_endpoint_offers_all_listed_models_except_disabled_ones(staff, added, alice, gamma, second):
    LanguageModel.objects.create(endpoint=added, name=second.models[0], enabled=False)
    edit(staff, added, offers_all="on")
    wait_offered(alice, key_at(added, gamma))
    assert f'value="{key_at(added, second.models[0])}"' not in alice.get("/").html


def test_same_name_at_two_endpoints_has_two_keys(staff, added, alice, second, socket):
    staff.post(f"{ENDPOINTS}{added.pk}/models/", name="alpha-model")
    model = added.models.get()
    assert model.key == f"{added.name}::alpha-model"
    wait_offered(alice, model.key)
    exchange = second.expect()
    asked = socket(alice).ask(exchange.prompt, model=model.key)
    exchange.write_tokens("Bees.").finish()
    assert exchange.request.body["model"] == "alpha-model"
    assert generations.wait_ended(asked).model == model.key


def test_endpoint_has_its_own_timeouts(second, alice, socket):
    with offered(second.url, "quick", endpoint={"first_token_timeout": 0.3}) as (_endpoint, [model]):
        wait_offered(alice, model.key)
        exchange = second.expect()
        asked = socket(alice).ask(exchange.prompt, model=model.key)
        exchange.send_headers()
        assert asked.outcome == ("error", "timed_out")


# --- changed while in use --------------------------------------------------------------------------------------------


def test_generation_keeps_the_endpoint_it_started_with(staff, added, second, alice, socket, gamma):
    key = LanguageModel.objects.create(endpoint=added, name=gamma, order=1000).key
    wait_offered(alice, key)
    exchange = second.expect()
    page = socket(alice)
    asked = page.ask(exchange.prompt, model=key)
    exchange.write_tokens("Bees ")
    edit(staff, added, base_url=f"{second.url}/moved", first_token_timeout="50")

    def asks_at_the_new_address():
        following = second.expect()
        again = page.ask(following.prompt, model=key)
        following.write_tokens("Next.").finish()
        assert again.outcome == ("complete", "finished")
        return following.request.path.startswith("/v1/moved/")

    eventually(asks_at_the_new_address)
    exchange.write_tokens("hum").finish()
    assert asked.outcome == ("complete", "finished")


@pytest.mark.parametrize("how", ["endpoint deleted", "model disabled"])
def test_withdrawn_model_finishes_its_streaming_answer(how, second, alice, socket):
    with offered(second.url, "fleeting") as (endpoint, [model]):
        wait_offered(alice, model.key)
        exchange = second.expect()
        page = socket(alice)
        asked = page.ask(exchange.prompt, model=model.key)
        exchange.write_tokens("Bees ")
        row = endpoint if how.startswith("endpoint") else model
        if how.endswith("deleted"):
            row.delete()
        else:
            row.enabled = False
            row.save()
        wait_offered(alice, model.key, offered=False)
        exchange.write_tokens("hum").finish()
        assert asked.outcome == ("complete", "finished")
        refused = page.wait_refused("model_not_offered", id=page.ask("More?", after=asked).id)
        assert model.key in refused["sentence"]
        assert "Choose another" in refused["sentence"]
        assert page.ask("More?", model="alpha-model", after=asked).outcome == ("complete", "finished")
        if row is endpoint:
            eventually(lambda: second.open_sockets == 0, "the connection to the deleted endpoint closed")


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("CHAT_KEY_NO_SUCH", "CHAT_KEY_NO_SUCH is not set"),
        ("SECRET_KEY", "SECRET_KEY may not be sent"),
        ("DATABASE_URL", "DATABASE_URL may not be sent"),
        ("PATH", "PATH may not be sent"),
        ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY may not be sent"),
        ("GITHUB_TOKEN", "CHAT_PROVIDER_KEYS"),
        ("METRICS_TOKEN", "METRICS_TOKEN may not be sent"),
        ("not a name", "not a name may not be sent"),
    ],
)
def test_variable_not_meant_for_keys_is_refused(variable, words, staff, second):
    form = endpoint_form(base_url=second.url, key_variable=variable)
    page = staff.post(f"{ENDPOINTS}add/", **form)
    assert page.status == 200
    assert words in page.text
    assert not Endpoint.objects.filter(name=form["name"]).exists()


@pytest.mark.parametrize(
    "address",
    [
        "ftp://example.org",
        "example.org/v1",
        "https://me:secret@example.org/v1",
        "https://e.org/v1?key=1",
        "http://300.1.1.1/v1",
        "http://☃.com/v1",
    ],
)
def test_invalid_or_secret_bearing_address_is_refused(address, staff):
    page = staff.post(f"{ENDPOINTS}add/", **endpoint_form(base_url=address))
    assert page.status == 200
    assert "without user, password or query" in page.text


def test_missing_key_is_reported_by_name_when_needed(staff, second, alice, socket, server):
    with offered(second.url, "keyless", endpoint={"key_variable": "CHAT_KEY_LOST"}) as (endpoint, [model]):
        wait_offered(alice, model.key)
        page = socket(alice)
        refused = page.wait_refused("no_key", id=page.ask("Hello", model=model.key).id)
        assert "CHAT_KEY_LOST" in refused["sentence"]
        assert "keyless" in refused["sentence"]
        assert not generations.Generation.objects.filter(model=model.key).exists()
        assert "CHAT_KEY_LOST is not set" in staff.get(ENDPOINTS).text
        assert "CHAT_KEY_LOST is not set" in staff.post(f"{ENDPOINTS}{endpoint.pk}/test/").text


def test_key_is_sent_only_to_allowed_addresses(staff, start_server, second):
    """This includes endpoints stored before the rule existed, and the connection test."""
    rules = "CHAT_KEY_*,OPENAI_API_KEY@api.example.org"
    person = staff.at(start_server(CHAT_PROVIDER_KEYS=rules, STRIPE_API_KEY="sk-stripe", CHAT_KEY_OWN="sk-own"))
    for variable, sent in (("STRIPE_API_KEY", ""), ("OPENAI_API_KEY", ""), ("CHAT_KEY_OWN", "Bearer sk-own")):
        with offered(second.url, "m", endpoint={"key_variable": variable}) as (endpoint, _models):
            before = len(second.requests)
            page = person.post(f"{ENDPOINTS}{endpoint.pk}/test/")
            assert [request.headers["authorization"] for request in second.requests[before:]] == (
                [sent] if sent else []
            )
            assert (f"{variable} may not be sent there" in person.get(ENDPOINTS).text) == (not sent)
            assert ("It works." in page.text) == bool(sent)


@pytest.mark.parametrize(
    ("rule", "variable", "address", "may"),
    [
        ("A_KEY", "A_KEY", "https://one.example.org/v1", True),
        ("A_KEY", "A_KEY_2", "https://one.example.org/v1", False),
        ("A_*", "A_KEY", "https://one.example.org/v1", True),
        ("A_*", "B_KEY", "https://one.example.org/v1", False),
        ("A_KEY@one.example.org", "A_KEY", "https://one.example.org/v1", True),
        ("A_KEY@one.example.org", "A_KEY", "https://one.example.org.evil.org/v1", False),
        ("SECRET_KEY", "SECRET_KEY", "https://one.example.org/v1", False),
        ("DATABASE_*", "DATABASE_URL", "https://one.example.org/v1", False),
    ],
)
def test_key_binding_rules(rule, variable, address, may, settings):
    settings.CHAT_PROVIDER_KEYS = (rule,)
    assert may_be_sent(variable, address) == may


def test_key_appears_nowhere(staff, added, second, alice, socket, server, gamma):
    """The canary key is in every request to the provider and must appear nowhere else."""
    key = LanguageModel.objects.create(endpoint=added, name=gamma, order=1000).key
    wait_offered(alice, key)
    exchange = second.expect()
    page = socket(alice)
    asked = page.ask(exchange.prompt, model=key)
    exchange.respond(401, body={"error": {"message": f"Incorrect API key provided: {CANARY_KEY}"}})
    assert asked.outcome == ("error", "provider_rejected")
    with canned_http(401, f'{{"error": "{CANARY_KEY}"}}'.encode()) as address:
        edit(staff, added, base_url=address)
        pages = [staff.post(f"{ENDPOINTS}{added.pk}/test/"), alice.get("/"), staff.get(ENDPOINTS)]
        pages += [staff.get(f"{ENDPOINTS}{added.pk}/{view}/") for view in ("change", "history")]
    assert "rejected the key" in pages[0].text
    assert not [page for page in pages if CANARY_KEY in page.html]
    assert CANARY_KEY not in page.story()
    assert CANARY_KEY not in server.output
    assert not tables_with(CANARY_KEY)


def tables_with(text):
    """The database tables with this text in any row."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = []
        for table in tables:
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" t WHERE t::text LIKE %s)', [f"%{text}%"])
            found += [table] if cursor.fetchone()[0] else []
    return found


def test_canary_test_detects_a_leak(staff, added):
    """It finds a key in the wrong field."""
    LanguageModel.objects.create(endpoint=added, name="x", label="sk-not-the-canary")
    assert tables_with("sk-not-the-canary") == ["conversations_languagemodel"]


# --- offered models --------------------------------------------------------------------------------------------------


def test_endpoint_without_models_is_reported(staff, second):
    form = endpoint_form(base_url=second.url)
    client = Client(headers={"host": "127.0.0.1:8000"})
    client.force_login(staff.user)
    page = client.post(f"{ENDPOINTS}add/", form)
    endpoint = Endpoint.objects.get(name=form["name"])
    assert any(f"{endpoint} offers no model yet." in str(message) for message in get_messages(page.wsgi_request))
    assert "none (offers nothing)" in staff.get(ENDPOINTS).text
    endpoint.delete()


def test_model_cannot_move_to_another_endpoint(staff, second):
    with offered(second.url, "m") as (endpoint, [model]), offered(second.url) as (other, _models):
        page = staff.post(f"/admin/conversations/languagemodel/{model.pk}/change/", **model_form(other, name="m"))
        assert page.status == 302
        model.refresh_from_db()
        assert model.endpoint == endpoint


def test_names_with_invisible_characters_or_the_key_separator_are_refused(staff, second):
    for name, words in (("a\u202eb", "invisible characters"), ("a::b", "separates endpoint and model")):
        assert words in staff.post(f"{ENDPOINTS}add/", **endpoint_form(name=name)).text


# --- the connection test ---------------------------------------------------------------------------------------------


def page_of_test(staff, provider, path, *known, status):
    """The result page of the connection test for an endpoint at this path, whose request for one token gets this status
    or text."""
    with offered(f"{provider.url}/{path}", *known) as (endpoint, _models), ThreadPoolExecutor(1) as pool:
        exchange = provider.expect(endpoint_check.QUESTION[0]["content"])
        again = provider.expect(endpoint_check.QUESTION[0]["content"])
        page = pool.submit(staff.post, f"{ENDPOINTS}{endpoint.pk}/test/")
        for each in (exchange, again) if status in (400, 422) else (exchange,):
            if status != 200:
                each.respond(status, body={"error": {"message": "no"}})
            else:
                each.write_tokens("Hello").finish("length")
        if not again.opened_at:  # no request is pending any more
            provider.forget(again)
        return page.result(), exchange.request.body


def test_connection_test_asks_for_one_token(staff, second):
    page, body = page_of_test(staff, second, "any", "known", status=200)
    assert "It works. “known” answers." in page.text
    assert (body["model"], body["max_tokens"]) == ("known", 1)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "It rejected the key (HTTP status 401)."),
        (400, "gateways such as LiteLLM also respond this way to a wrong key"),
        (404, "does not know “known”"),
        (503, "reports an internal error"),
    ],
)
def test_public_model_list_does_not_prove_the_key(status, words, staff, second):
    page, _body = page_of_test(staff, second, "any", "known", status=status)
    assert words in page.text
    assert 'data-works="false"' in page.html


def test_endpoint_without_a_list_works_with_a_manual_model(staff):
    provider = Provider()
    provider.lists["/v1/unlisted/models"] = {"error": "no such thing"}
    page, _body = page_of_test(staff, provider, "unlisted", "by-hand", status=200)
    assert "It works. “by-hand” answers." in page.text
    with offered(f"{provider.url}/unlisted") as (endpoint, _models):
        assert "add a model by hand" in staff.post(f"{ENDPOINTS}{endpoint.pk}/test/").text
    provider.stop()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b"{}", "rejected the key"),
        (403, b"{}", "rejected the key"),
        (404, b"{}", "not an OpenAI-compatible API"),
        (429, b"{}", "too many requests"),
        (503, b"", "reports an internal error"),
        (200, b"<html>Hello</html>", "not an OpenAI-compatible API"),
        (200, b"{nonsense", "not an OpenAI-compatible API"),
        (200, b'{"models": [1, 2]}', "not an OpenAI-compatible API"),
        (200, b"[1, 2]", "lists no models"),
        (400, b"{}", "LiteLLM"),
        (402, b"{}", "no credit left"),
        (200, b'{"data": [{"id": 7}, {"no": "id"}]}', "lists no models"),
        (200, b'{"data": []}', "lists no models"),
    ],
)
def test_connection_test_explains_a_bad_response(status, body, words, staff):
    with canned_http(status, body) as address, offered(address) as (endpoint, _models):
        page = staff.post(f"{ENDPOINTS}{endpoint.pk}/test/")
    assert page.status == 200
    assert words in page.text
    assert 'data-works="false"' in page.html


def test_connection_test_reports_a_redirect_without_following(staff):
    with (
        canned_http(200, b'{"data": [{"id": "secret-inside"}]}') as inside,
        canned_http(302, headers=[("Location", f"{inside}/models")]) as address,
        offered(address) as (endpoint, _models),
    ):
        page = staff.post(f"{ENDPOINTS}{endpoint.pk}/test/")
    assert "redirects" in page.text
    assert "secret-inside" not in page.html


def test_connection_test_reports_an_unreachable_endpoint(staff, second):
    with sockets.create_server(("127.0.0.1", 0)) as listening, canned_http(200) as plain:
        for address, words in (
            (f"http://127.0.0.1:{free_port()}/v1", "connection is refused"),
            ("http://no-such-host.invalid/v1", "host name is not known"),
            (plain.replace("http:", "https:"), "TLS handshake failed"),
            (f"http://127.0.0.1:{listening.getsockname()[1]}/v1", "does not answer in time"),
            (f"https://127.0.0.1:{listening.getsockname()[1]}/v1", "has to begin with http://"),
        ):
            with offered(address, endpoint={"connect_timeout": 0.5}) as (endpoint, _models):
                assert words in staff.post(f"{ENDPOINTS}{endpoint.pk}/test/").text


def test_demo_endpoint_needs_no_connection_test(staff):
    with offered("") as (endpoint, _models):
        assert "built in" in staff.post(f"{ENDPOINTS}{endpoint.pk}/test/").text


# --- permissions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["test", "models"])
def test_endpoint_actions_need_the_permission(view, server, alice, added, gamma):
    path = f"{ENDPOINTS}{added.pk}/{view}/"
    assert "/login/" in alice.post(path).location
    assert alice.without_session().post(path).status == 302
    clerk = people.new_person("clerk", server, is_staff=True)
    assert clerk.post(path).status == 403
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_endpoint"))
    assert clerk.get(f"{ENDPOINTS}{added.pk}/change/").status == 200
    assert clerk.post(path).status == 403
    clerk.user.user_permissions.add(Permission.objects.get(codename="change_endpoint"))
    assert clerk.post(path, name=gamma).status == (200 if view == "test" else 403)
    assert not added.models.exists()


@pytest.mark.parametrize("view", ["test", "models"])
def test_endpoint_actions_accept_only_post(view, staff, added):
    page = staff.get(f"{ENDPOINTS}{added.pk}/{view}/")
    assert (page.status, page.location) == (302, f"{ENDPOINTS}{added.pk}/change/")
    assert staff.post(f"{ENDPOINTS}987654321/{view}/").status == 404
    assert staff.post(f"{ENDPOINTS}nonsense/{view}/").status == 404
