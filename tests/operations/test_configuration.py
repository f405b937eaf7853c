"""Every setting is documented, and an unusable value is refused with one sentence."""

import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from chatapp import installation_settings, postgres, setting_reader, setting_validators
from tests.support.environment import BLANK
from tests.support.servers import free_port

TOP = installation_settings.BASE_DIR
NAMES = set(installation_settings.Environment.__annotations__)
LONG_ENOUGH = "k" * setting_validators.MIN_SECRET_KEY

WRONG = [
    ("HOST", "not a host"),
    ("PORT", "abc"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("DATABASE_URL", "mysql://localhost/chat"),
    ("DATABASE_URL", "postgresql://localhost/chat?no_such_option=1"),
    ("DATABASE_URL", "postgresql://localhost/"),
    ("DATABASE_POOL_SIZE", "3"),
    ("DATABASE_STATEMENT_TIMEOUT", "0"),
    ("DATABASE_LOCK_TIMEOUT", "soon"),
    ("REDIS_URL", "localhost:6379"),
    ("SECRET_KEY", LONG_ENOUGH[1:]),
    ("SECRET_KEY_FALLBACKS", f"{LONG_ENOUGH},{LONG_ENOUGH[1:]}"),
    ("DEBUG", "maybe"),
    ("HSTS", "always"),
    ("ALLOWED_ORIGINS", "chat.example.org"),
    ("ALLOWED_ORIGINS", "*"),
    ("ALLOWED_ORIGINS", "https://.example.org"),
    ("ALLOWED_ORIGINS", "https://*.example.org"),
    ("ALLOWED_ORIGINS", "https://chat.example.org/path"),
    ("ALLOWED_ORIGINS", "https://chat.example.org:port"),
    ("ALLOWED_ORIGINS", "ftp://chat.example.org"),
    ("ALLOWED_ORIGINS", "https://chat.example.org,,"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
    ("METRICS_TOKEN", "short"),
    ("METRICS_TOKEN", "two words of a token"),
    ("OPENAI_BASE_URL", "api.example.org/v1"),
    ("OPENAI_BASE_URL", "ftp://api.example.org/v1"),
    ("OPENAI_BASE_URL", "https://"),
    ("OPENAI_API_KEY", "schlüssel"),
    ("CHAT_MODELS", "one,,two"),
    ("CHAT_PROVIDER_KEYS", "not a name"),
    ("CHAT_PROVIDER_KEYS", "*"),
    ("OPENAI_BASE_URL", "http://300.1.1.1/v1"),
    ("OPENAI_BASE_URL", "http://☃.com/v1"),
    ("CHAT_LEAVE_GRACE", "-1"),
    ("CHAT_LEAVE_GRACE", "nan"),
    ("CHAT_RUN_TIMEOUT", "inf"),
    ("CHAT_MAX_CONCURRENT", "0"),
    ("CHAT_MAX_PROMPT", "1.5"),
    ("CHAT_CONTINUE", "guess"),
    ("CHAT_DEMO_RATE", "0"),
    ("TIME_ZONE", "Mars/Olympus"),
    ("TIME_ZONE", "../../etc/localtime"),
    ("DJANGO_SUPERUSER_EMAIL", "nobody"),
]
SECRETS = {
    "DATABASE_URL",
    "REDIS_URL",
    "METRICS_TOKEN",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "OPENAI_API_KEY",
    "DJANGO_SUPERUSER_PASSWORD",
}


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in BLANK.items():
        monkeypatch.setenv(name, value)


def test_every_setting_is_documented() -> None:
    text = (TOP / "docs/configuration.md").read_text()
    documented = re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE)
    assert sorted(documented) == sorted(NAMES)


def test_every_setting_is_in_the_example() -> None:
    text = (TOP / ".env.example").read_text()
    assert sorted(re.findall(r"^# ([A-Z_]+)=", text, re.MULTILINE)) == sorted(NAMES)


def test_documented_defaults_match_the_code() -> None:
    text = (TOP / "docs/configuration.md").read_text()
    defaults = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`/]+)` \|", text, re.MULTILINE))
    env = installation_settings.read()
    real = {name: getattr(env, name) for name in defaults if name not in {"DATA_DIR", "DJANGO_SUPERUSER_USERNAME"}}
    assert {name: f"{value:g}" if isinstance(value, float) else str(value).lower() for name, value in real.items()} == {
        name: defaults[name].lower() for name in real
    }


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_invalid_value_is_refused_in_one_sentence(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(setting_reader.InvalidSetting) as refusal:
        installation_settings.read()
    sentence = str(refusal.value)
    assert sentence.startswith(f"{name} ")
    assert "; expected " in sentence
    assert sentence.count("\n") == 0
    assert (value in sentence) == (name not in SECRETS)


def test_password_in_an_address_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "ftp://me:hunter2@api.example.org")
    with pytest.raises(setting_reader.InvalidSetting) as refusal:
        installation_settings.read()
    assert "hunter2" not in str(refusal.value)


def test_frame_limit_follows_the_prompt_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_MAX_PROMPT", "200000")
    assert installation_settings.read().CHAT_MAX_FRAME > 6 * 200_000
    monkeypatch.setenv("CHAT_MAX_FRAME", "131072")
    assert installation_settings.read().CHAT_MAX_FRAME == 131_072


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://chat:hunter2@db.example.org/talk", "talk at db.example.org:5432"),
        ("postgresql://postgres@/chat?host=%2Fvar%2Flib", "chat in /var/lib"),
    ],
)
def test_database_is_named_without_its_password(url: str, said: str) -> None:
    assert postgres.describe(url) == said


@pytest.mark.parametrize(("version", "fits"), [(130_011, False), (140_000, True), (180_004, True)])
def test_old_postgresql_is_refused(version: int, fits: bool) -> None:
    with nullcontext() if fits else pytest.raises(postgres.DatabaseUnavailable, match="13; version 14 or newer"):
        postgres.check_version(version)


def test_listening_on_all_interfaces_needs_allowed_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "0.0.0.0")
    with pytest.raises(setting_reader.InvalidSetting, match="ALLOWED_ORIGINS is not set"):
        installation_settings.read()
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://chat.example.org")
    assert installation_settings.read().ALLOWED_ORIGINS == ("https://chat.example.org",)


def test_origins_are_normalized_like_in_browsers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", "https://Chat.Example.org:443, http://[::1]:8000,http://a:80")
    assert installation_settings.read().ALLOWED_ORIGINS == ("https://chat.example.org", "http://[::1]:8000", "http://a")


def test_default_accepts_only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "::1")
    assert installation_settings.read().ALLOWED_ORIGINS == (
        "http://127.0.0.1:8000",
        "http://localhost:8000",
        "http://[::1]:8000",
    )


@pytest.mark.parametrize(
    "program", [["-m", "chatapp.server"], ["manage.py", "check"], ["-c", "import chatapp.settings"]]
)
def test_invalid_value_prevents_the_start(program: list[str], tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, *program],
        cwd=TOP, env=BLANK | {"PORT": "abc", "DATA_DIR": str(tmp_path / "data")}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ended.stderr == "PORT is 'abc'; expected a whole number from 1 to 65535.\n"
    assert ended.stdout == ""
    assert ended.returncode == 2
    assert not (tmp_path / "data").exists()


def test_unusable_data_folder_prevents_the_start(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    ended = subprocess.run(
        [sys.executable, "-m", "chatapp.server"],
        cwd=TOP, env=BLANK | {"PORT": str(free_port()), "DATA_DIR": str(tmp_path / "data")}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert ended.stderr.startswith(f"DATA_DIR '{tmp_path}/data' cannot be used: ")
    assert ended.stderr.count("\n") == 1
    assert ended.returncode == 2
