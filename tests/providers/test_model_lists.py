"""Which listed models people may choose, which one is preselected, and how large its context window is."""

import asyncio
import logging
import re
import secrets
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.models import Endpoint, LanguageModel
from conversations.providers import model_list
from conversations.providers.catalog import learned_windows, list_cache
from conversations.providers.catalog.model_catalog import ModelCatalog
from conversations.providers.client_pool import ClientPool
from conversations.providers.endpoints import Endpoint as Reached
from tests.support import generations
from tests.support.model_admin import offered, wait_offered
from tests.support.people import new_person
from tests.support.polling import eventually
from tests.support.provider.canned_http import canned_http
from tests.support.provider.model_lists import CHAT_MODELS, MODEL_LISTS
from tests.support.provider.server import Provider
from tests.support.servers import SHARED_SETTINGS, free_port, running


@pytest.fixture(scope="module")
def servers_with_lists():
    """A provider that serves the list of each of those servers at an address of its own."""
    provider = Provider()
    provider.lists = {f"/v1/{name}/models": payload for name, payload in MODEL_LISTS.items()}
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def everywhere(database, server, servers_with_lists):
    """An endpoint for each of these servers, by name, that offers all its listed models."""
    mark = secrets.token_hex(3)
    rows = {
        name: Endpoint.objects.create(
            name=f"{name} {mark}", base_url=f"{servers_with_lists.url}/{name}", offers_all=True
        )
        for name in MODEL_LISTS
    }
    yield rows
    Endpoint.objects.filter(pk__in=[row.pk for row in rows.values()]).delete()


def picker(person):
    return re.findall(r'<option value="([^"]*)"', person.get("/").html)


def selected(person):
    return re.findall(r'<option value="([^"]*)" selected', person.get("/").html)


# --- offered models --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODEL_LISTS)
def test_only_chat_models_are_offered(name, everywhere, alice):
    prefix = f"{everywhere[name].prefix}::"
    for model in CHAT_MODELS[name]:
        wait_offered(alice, f"{prefix}{model}")
    assert {key.removeprefix(prefix) for key in picker(alice) if key.startswith(prefix)} == CHAT_MODELS[name]


def test_administrator_can_offer_other_models(everywhere, alice, staff):
    row = everywhere["ollama"]
    page = staff.post(f"/admin/conversations/endpoint/{row.pk}/test/")
    others = len(MODEL_LISTS["ollama"]["data"]) - len(CHAT_MODELS["ollama"])
    assert page.text.count("not a chat model, it seems") == others
    for model in CHAT_MODELS["ollama"]:
        wait_offered(alice, f"{row.prefix}::{model}")
    staff.post(f"/admin/conversations/endpoint/{row.pk}/models/", name="bge-m3:latest")
    try:
        wait_offered(alice, f"{row.prefix}::bge-m3:latest")
        assert "5 offered, 1 added here" in staff.get("/admin/conversations/endpoint/").text
    finally:
        row.models.all().delete()
        wait_offered(alice, f"{row.prefix}::bge-m3:latest", offered=False)


@pytest.mark.parametrize("name", MODEL_LISTS)
def test_old_model_is_not_the_default(name):
    best = model_list.preferred(model_list.parse(MODEL_LISTS[name]))
    assert best.name in CHAT_MODELS[name]
    if name == "openai":
        assert best.name == "gpt-5.1"


@pytest.fixture(scope="module")
def dora(database, servers_with_lists):
    """Dora, at a server whose environment names an endpoint with OpenAI's list. When the server started, another
    endpoint had an invalid address."""
    settings = {"OPENAI_BASE_URL": f"{servers_with_lists.url}/openai", **SHARED_SETTINGS}
    with offered("http://300.1.1.1/v1", endpoint={"offers_all": True}), running(**settings) as server:
        yield new_person("dora", server)


def test_legacy_model_is_never_preselected_and_default_is_stable(dora, servers_with_lists):
    person = dora
    assert selected(person) == ["gpt-5.1"]
    with offered(servers_with_lists.url, "alpha", order=0) as (_row, [first]):
        wait_offered(person, first.key)
        assert selected(person) == ["gpt-5.1"]
        with offered(f"{servers_with_lists.url}/ollama", endpoint={"offers_all": True}) as (second, _models):
            wait_offered(person, f"{second.prefix}::gemma3:12b")
            assert selected(person) == ["gpt-5.1"]
        LanguageModel.objects.filter(pk=first.pk).update(default=True)
        eventually(lambda: selected(person) == [first.key], "the administrator's default")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: (
    st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["data", "id", "architecture", "output_modalities", "meta", "n_ctx", "created", "type",
                         "capabilities", "context_length", "top_provider", "active"]),
        inner,
        max_size=5,
    )
)))  # fmt: skip
def test_arbitrary_lists_are_read_or_refused(payload):
    try:
        found = model_list.parse(payload)
    except ValueError:
        return
    assert all(model_list.is_usable_name(model.name) for model in found)
    assert all(model.window is None or model_list.is_plausible_window(model.window) for model in found)


@pytest.mark.parametrize("name", ["m\rINFO fake: ", "a\x1b[31m", "a\u2028b", "a\u202eb", "a\0b", "x" * 201, " "])
def test_names_with_control_characters_are_left_out(name):
    assert [model.name for model in model_list.parse({"data": [{"id": name}, {"id": "good"}]})] == ["good"]


# --- models of several endpoints -------------------------------------------------------------------------------------


def test_endpoint_cannot_take_over_anothers_models(alice, socket, provider):
    """It lists the same names, and one that would sort first."""
    before = selected(alice)
    with answering_lists("alpha-model", "!first", "endpoint::alpha-model") as taker:
        exchange = provider.expect()
        page = socket(alice)
        asked = page.ask(exchange.prompt, model="alpha-model")
        exchange.write_tokens("Bees.").finish()
        assert asked.outcome == ("complete", "finished")
        with offered(taker.url, endpoint={"offers_all": True}) as (row, _models):
            for name in ("alpha-model", "!first", "endpoint::alpha-model"):
                wait_offered(alice, f"{row.prefix}::{name}")
            assert f"alpha-model ({row.name})" in alice.get("/").text
            assert selected(alice) == before
            following = provider.expect()
            again = page.ask(following.prompt, after=asked)
            following.write_tokens("Bees.").finish()
            assert again.outcome == ("complete", "finished")
        assert taker.requests == []


@contextmanager
def answering_lists(*names):
    provider = Provider(names)
    yield provider
    provider.stop()


def test_model_key_survives_renaming_its_endpoint(alice, servers_with_lists):
    with offered(f"{servers_with_lists.url}/vllm", endpoint={"offers_all": True}) as (row, _models):
        key = f"{row.prefix}::Qwen/Qwen3-8B"
        wait_offered(alice, key)
        old = row.name
        row.name = f"renamed {secrets.token_hex(4)}"
        row.save()
        eventually(lambda: Endpoint.objects.get(pk=row.pk).name != old)
        wait_offered(alice, key)
        taken = Endpoint.objects.create(name=old)
        assert taken.prefix != row.prefix
        taken.delete()


# --- the context window ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "window"),
    [
        ({"meta": {"n_ctx": 2048, "n_ctx_train": 40960}}, 2048),
        ({"max_model_len": 4096}, 4096),
        ({"context_window": 131072, "active": True}, 131072),
        ({"context_length": 200000, "top_provider": {"context_length": 64000}}, 64000),
        ({"max_context_length": 32768, "capabilities": {"completion_chat": True}}, 32768),
        ({"meta": None, "context_length": "8192"}, None),
        ({"context_length": -1}, None),
        ({"context_length": True}, None),
        ({}, None),
    ],
)
def test_context_window_is_read_from_the_list(fields, window):
    [model] = model_list.parse({"data": [{"id": "m", **fields}]})
    assert model.window == window


def test_listed_window_applies_to_listed_and_added_models(alice, socket, servers_with_lists):
    """Four hundred tokens, for a model that is only listed and for a model with a row."""
    for names, endpoint in ((("Qwen/Qwen3-8B",), {}), ((), {"offers_all": True})):
        with offered(f"{servers_with_lists.url}/vllm", *names, endpoint=endpoint) as (row, models):
            key = models[0].key if models else f"{row.prefix}::Qwen/Qwen3-8B"
            wait_offered(alice, key)
            page = socket(alice)

            def is_refused(page=page, key=key):
                asked = page.ask("word " * 900, model=key)
                eventually(lambda: any(page.count(op, id=asked.id) for op in ("refused", "transcript")), "an outcome")
                return page.count("refused", id=asked.id, code="too_long") or not asked.end

            eventually(is_refused, "the window known")


def test_window_from_a_refusal_is_used_in_every_process(database, provider):
    async def learn():
        first, second, providers = ModelCatalog(), ModelCatalog(), ClientPool()
        for each in (first, second):
            await each.start(providers)
        first.learn_window(first.find(model.key).endpoint, "learner", 2048)
        known = first.find(model.key).context_window
        await asyncio.gather(*first._saving)
        await second.refresh()
        await providers.close()
        return known, second.find(model.key).context_window

    with offered(provider.url, "learner") as (row, [model]):
        assert asyncio.run(learn()) == (2048, 2048)
        row.refresh_from_db()
        row.learnt_windows["learner"][1] -= learned_windows.MAX_AGE + 1
        assert learned_windows.windows(row) == {}  # a server may be restarted with more
        assert learned_windows.windows(Endpoint(learnt_windows={"m": [0, 2e9]})) == {}


# --- unavailable lists -----------------------------------------------------------------------------------------------


def test_list_problem_is_logged_once_until_it_changes(monkeypatch, caplog):
    caplog.set_level(logging.INFO, "conversations.providers.catalog.list_cache")
    monkeypatch.setattr(list_cache, "TIMEOUT", 0.0)
    monkeypatch.setattr(list_cache.asyncio, "timeout", lambda _seconds: asyncio.timeout_at(None))

    async def ask(known, address, times):
        providers = ClientPool()
        for _ in range(times):
            await known.fetch(providers, [Reached(address, "", "one")])
        await providers.close()

    known = list_cache.ModelLists()
    address = f"http://127.0.0.1:{free_port()}/v1"
    asyncio.run(ask(known, address, 3))
    assert len(caplog.messages) == 1
    with canned_http(401, b"{}") as refusing:
        asyncio.run(ask(known, refusing, 3))
    assert caplog.messages[1] == "endpoint one did not list its models: HTTP status 401"
    assert len(caplog.messages) == 2
    assert not caplog.messages[0].endswith(": ")


@pytest.mark.parametrize("address", ["http://300.1.1.1/v1", "http://☃.com/v1"])
def test_invalid_address_does_not_affect_other_endpoints(address, alice, socket, everywhere):
    """The database may contain an address from before such addresses were refused."""
    with offered(address, "lost", endpoint={"offers_all": True}) as (_row, [model]):
        wait_offered(alice, model.key)
        asked = socket(alice).ask("Hello", model=model.key)
        assert asked.outcome == ("error", "provider_unreachable")
        assert generations.get(asked).detail == "its address cannot be used"
        with offered(everywhere["vllm"].base_url, endpoint={"offers_all": True}) as (other, _models):
            wait_offered(alice, f"{other.prefix}::Qwen/Qwen3-8B")


def test_invalid_address_does_not_prevent_the_start(dora):
    assert "did not list its models: its address cannot be used" in dora.server.output
    assert dora.get("/").status == 200
