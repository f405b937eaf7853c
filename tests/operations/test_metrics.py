"""`/metrics` shows the figures of one process to clients with the token."""

from conversations.telemetry import metrics
from tests.support.environment import METRICS_TOKEN
from tests.support.metrics import request, scrape
from tests.support.polling import eventually


def grown(server, before, *names):
    """Wait until each of these has increased."""
    eventually(lambda: all(scrape(server)[name] > before[name] for name in names), f"more of {names}")


def test_counts_a_stop_and_its_duration(server, alice, answering):
    before = scrape(server)
    answering(alice).asked.stop()
    grown(
        server,
        before,
        ("chat_generations_total", "stopped", "interrupted"),
        ("chat_stop_seconds_count",),
        ("chat_first_token_seconds_count",),
        ("chat_tokens_total", "out"),
    )
    after = scrape(server)
    took = after["chat_stop_seconds_sum",] - before["chat_stop_seconds_sum",]
    assert 0 <= took < 10


def test_counts_a_complete_answer_with_provider_tokens(server, alice, answering):
    before = scrape(server)
    a = answering(alice)
    a.exchange.finish(usage=(1_000_000, 2_000_000))
    assert a.asked.outcome == ("complete", "finished")
    after = scrape(server)
    grown(server, before, ("chat_generations_total", "finished", "complete"))
    for kind, least in (("in", 1_000_000), ("out", 2_000_000)):
        assert after["chat_tokens_total", kind] - before["chat_tokens_total", kind] >= least
    assert after["chat_stop_seconds_count",] == before["chat_stop_seconds_count",]


def test_measures_event_loop_lag(server, alice):
    before = scrape(server)
    grown(server, before, ("chat_event_loop_late_seconds_count",))
    assert (
        scrape(server)["chat_event_loop_late_seconds_bucket", "2.5"]
        > before["chat_event_loop_late_seconds_bucket", "2.5"]
    )


def test_counts_an_error(server, alice, socket, provider):
    before = scrape(server)
    exchange = provider.expect()
    asked = socket(alice).ask(exchange.prompt)
    exchange.respond(500)
    assert asked.outcome == ("error", "provider_failed")
    grown(server, before, ("chat_generations_total", "provider_failed", "error"))


def test_gauges_show_live_counts(server, alice, answering):
    a = answering(alice)
    now = scrape(server)
    for name in ("chat_generations_streaming", "chat_upstreams_open", "chat_viewers", "chat_sockets"):
        assert now[name,] >= 1, name
    assert 0 <= now["chat_journal_lag_seconds",] < 10
    a.asked.stop()
    a.page.close()
    eventually(
        lambda: scrape(server)["chat_generations_streaming",] < now["chat_generations_streaming",],
        "one generation less",
    )
    eventually(lambda: scrape(server)["chat_upstreams_open",] < now["chat_upstreams_open",], "one upstream less")
    eventually(lambda: scrape(server)["chat_viewers",] < now["chat_viewers",], "one viewer less")


def test_labels_name_no_person_or_conversation(server, alice, answering):
    a = answering(alice)
    page = request(server, Authorization=f"Bearer {METRICS_TOKEN}")
    for secret in (alice.user.username, a.asked.generation, a.exchange.prompt, METRICS_TOKEN):
        assert str(secret) not in page.html


def test_metrics_need_the_token(server, alice, staff):
    for person in (alice, staff, alice.without_session()):
        for given in ("", "Bearer", "Bearer ", f"Bearer {METRICS_TOKEN}x", f"Basic {METRICS_TOKEN}", METRICS_TOKEN):
            page = person.get("/metrics", Authorization=given)
            assert (page.status, page.html) == (401, ""), given
            assert page.headers["WWW-Authenticate"] == "Bearer"
        assert person.get("/metrics").status == 401
        assert person.get(f"/metrics?token={METRICS_TOKEN}").status == 401


def test_non_ascii_token_is_refused(server):
    assert request(server, Authorization="Bearer \xe4\xf6\xfc").status == 401


def test_metrics_accept_only_get(server):
    page = request(server, method="POST", Authorization=f"Bearer {METRICS_TOKEN}")
    assert (page.status, page.headers["Allow"]) == (405, "GET, HEAD")


def test_serves_openmetrics_on_request(server):
    page = request(
        server, Authorization=f"Bearer {METRICS_TOKEN}", Accept="application/openmetrics-text;version=1.0.0;q=0.9,*/*"
    )
    assert page.headers["Content-Type"].startswith("application/openmetrics-text")
    assert page.html.endswith("# EOF\n")


def test_generations_of_a_lost_process_count_where_they_are_ended():
    lost = {"status": "interrupted", "reason": "server_lost"}
    before = metrics.registry.get_sample_value("chat_generations_total", lost)
    metrics.count_end("interrupted", "server_lost", 3)
    after = metrics.registry.get_sample_value("chat_generations_total", lost)
    assert (before, after) != (None, None)
    assert after - before == 3


def test_clock_skew_gives_no_negative_time():
    before = metrics.registry.get_sample_value("chat_stop_seconds_sum")
    metrics.observe(stop=-5, first_token=None, tokens_in=None, tokens_out=None)
    assert metrics.registry.get_sample_value("chat_stop_seconds_sum") == before
