"""The log has one line for the end of each generation and never contains the text of people or models."""

import json
import logging
import secrets

import pytest
from django.db import IntegrityError, connection

from chatapp import logs
from conversations.models import Generation
from conversations.rules.status import EndReason
from conversations.telemetry import generation_log
from tests.support import environment, people, servers
from tests.support.polling import eventually


@pytest.fixture(scope="module")
def talkative(database, provider):
    """A server that logs as much as it can, as JSON."""
    with servers.running(OPENAI_BASE_URL=provider.url, LOG_FORMAT="json", LOG_LEVEL="DEBUG") as server:
        yield server


def lines(server):
    """The JSON lines, without those printed for people at the start."""
    return [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]


def end_of(server, asked):
    """The log line for the end of this generation."""

    def look():
        found = [line for line in lines(server) if line.get("generation") == asked.generation]
        return [line for line in found if line.get("event") == "generation_ended"]

    found = eventually(look, f"the line of {asked.generation}")
    assert len(found) == 1
    return found[0]


def test_stop_is_logged_as_info(talkative, answering):
    somebody = people.new_person("somebody", talkative)
    a = answering(somebody)
    a.asked.stop()
    line = end_of(talkative, a.asked)
    logged = (line["level"], line["status"], line["reason"], line["stopped_from"])
    assert logged == ("INFO", "interrupted", "stopped", "page")
    assert (line["user"], line["model"]) == (somebody.user.pk, "alpha-model")
    assert line["endpoint"]
    generation = Generation.objects.get(pk=a.asked.generation)
    assert line["conversation"] == str(generation.conversation_id)
    assert (line["characters"], line["kind"]) == (generation.characters, "reply")
    assert line["tokens_out"] >= 1
    assert 0 <= line["opened_ms"] <= line["first_token_ms"] <= line["total_ms"]
    assert 0 <= line["stop_ms"] <= line["total_ms"]


def test_complete_answer_logs_tokens_and_no_stop(talkative, answering):
    a = answering(people.new_person("somebody", talkative))
    a.exchange.finish(usage=(12, 34))
    line = end_of(talkative, a.asked)
    assert (line["level"], line["status"], line["reason"]) == ("INFO", "complete", "finished")
    assert (line["tokens_in"], line["tokens_out"], line["usage"]) == (12, 34, "provider")
    assert not {"stop_ms", "stopped_from", "code"} & line.keys()


def test_error_is_logged_as_warning(talkative, socket, provider):
    exchange = provider.expect()
    asked = socket(people.new_person("somebody", talkative)).ask(exchange.prompt)
    exchange.respond(503, body={"error": {"message": exchange.prompt}})
    line = end_of(talkative, asked)
    logged = (line["level"], line["status"], line["reason"], line["code"])
    assert logged == ("WARNING", "error", "provider_failed", "503")


def test_log_contains_no_text_and_no_keys(talkative, socket, provider):
    secret = f"canary{secrets.token_hex(8)}"
    somebody = people.new_person("somebody", talkative)
    page = socket(somebody)
    for number, spoil in enumerate(("finish", "respond", "code", "malformed", "stop")):
        exchange = provider.expect(f"{secret} prompt {number}")
        asked = page.ask(exchange.prompt)
        if spoil == "respond":
            exchange.respond(400, body={"error": {"message": secret, "code": secret}})
        else:
            exchange.write_tokens(secret, " and more")
            asked.wait_text("more")
        if spoil == "finish":
            exchange.finish()
        elif spoil == "code":
            exchange.write_event({"error": {"code": f"a {secret}", "message": secret}})
        elif spoil == "malformed":
            exchange.write_raw(b"data: {" + secret.encode() + b"\n\n")
        elif spoil == "stop":
            asked.stop()
        end_of(talkative, asked)
    somebody.post("/c/00000000-0000-7000-8000-000000000000/rename/", title=secret)
    assert lines(talkative)
    for hidden in (secret, environment.CANARY_KEY, environment.SECRET_KEY, somebody.password, somebody.session):
        assert hidden not in talkative.output
    assert "Traceback" not in talkative.output


def test_text_format_has_the_same_fields_in_one_line(server, alice, answering):
    a = answering(alice)
    a.asked.stop()
    begin = f"generation {a.asked.generation}: interrupted, stopped "
    line = eventually(lambda: [line for line in server.output.splitlines() if begin in line], "the line")[0]
    assert " INFO " in line
    assert "stop_ms=" in line
    assert "tokens_out=" in line


def test_generation_of_a_lost_process_is_logged(caplog):
    caplog.set_level(logging.INFO, "conversations.generations")
    generation = "00000000-0000-7000-8000-00000000abcd"
    generation_log.reaped([generation], EndReason.SERVER_LOST)
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert record.fields == {
        "event": "generation_ended", "generation": generation, "status": "interrupted", "reason": "server_lost",
    }  # fmt: skip


def insert(words):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE IF NOT EXISTS refused (words text CHECK (words = ''))")
        cursor.execute("INSERT INTO refused VALUES (%s)", [words])


@pytest.mark.parametrize("formatter", [logs.Json(), logs.OneLine()])
def test_traceback_does_not_quote_the_refused_row(database, formatter):
    secret = secrets.token_hex(8)
    with pytest.raises(IntegrityError, match=secret) as refusal:
        insert(f"{secret}\n{secret}")
    about = (refusal.type, refusal.value, refusal.tb)
    logged = formatter.format(logging.LogRecord("name", logging.ERROR, __file__, 1, "it failed", None, about))
    assert secret not in logged
    assert "violates check constraint" in logged
    assert "CheckViolation" in logged
    assert "test_logs.py" in logged


def test_control_characters_are_escaped():
    """Model names come from providers."""
    name = "m\rINFO fake\x1b[31m\x0b\x0c\x85\u2028"
    record = logging.LogRecord("name", logging.INFO, __file__, 1, "model %s", (name,), None)
    logged = logs.OneLine().format(record)
    assert logged.isprintable()
    assert "INFO fake" in logged


def test_repeated_library_messages_are_logged_once_a_minute():
    rate_limit = logs.RateLimit()
    line = logging.LogRecord("name", logging.WARNING, __file__, 1, "away", (), None)
    detail = logging.LogRecord("name", logging.DEBUG, __file__, 1, "detail", (), None)
    assert [rate_limit.filter(line) for _ in range(3)] == [True, False, False]
    assert rate_limit.filter(detail)


def test_unavailable_redis_is_logged_once_a_minute():
    for name in ("conversations.cluster.notifications", "channels_redis.pubsub"):
        assert any(isinstance(each, logs.RateLimit) for each in logging.getLogger(name).filters)


def test_json_format_has_one_object_per_line():
    record = logging.LogRecord("name", logging.INFO, __file__, 1, "two\nlines of %s", ('"quotes"',), None)
    logged = logs.Json().format(record)
    assert "\n" not in logged
    line = json.loads(logged)
    assert (line["level"], line["logger"], line["message"]) == ("INFO", "name", 'two\nlines of "quotes"')
    assert line["time"].endswith("+00:00")
