"""Every setting that comes from outside: the environment, or a file `.env` in the top folder (the environment wins).

An empty value counts as not given. Knows nothing of Django, so that it may be read before Django is set up.
`docs/configuration.md` explains each setting; a test holds both to the same names.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from environs import Env, EnvError

from conversations.rules.endpoint_url import is_endpoint_url, parse_url
from conversations.rules.frame_size import max_frame_size

BASE_DIR = Path(__file__).resolve().parent.parent
EXIT_CODE = 2
"""Of a process that was started with a setting that it cannot use."""
SHORTEST_SECRET_KEY = 32
SHORTEST_TOKEN = 16

_HOSTNAME = re.compile(r"\w[\w-]*(\.\w[\w-]*)*", re.ASCII)  # no leading dot: Django would take it for a wildcard
_TOKEN = re.compile(r"[\w.~+/=-]+", re.ASCII)  # RFC 6750, 2.1

_KEY_RULE = re.compile(r"[A-Za-z_]\w*\*?(@[\w.:-]+)?", re.ASCII)
PROVIDER_KEYS = (
    *("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY", "CEREBRAS_API_KEY", "COHERE_API_KEY"),
    *("DEEPSEEK_API_KEY", "FIREWORKS_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY", "LITELLM_API_KEY", "MISTRAL_API_KEY"),
    *("OLLAMA_API_KEY", "OPENROUTER_API_KEY", "TOGETHER_API_KEY", "VLLM_API_KEY", "XAI_API_KEY", "CHAT_KEY_*"),
)
"""Environment variables whose values may be sent to endpoints, unless the setting says otherwise."""

T = TypeVar("T")


class WrongValue(Exception):
    """A setting that cannot be used; its text is one sentence for the person who set it."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings as read; durations in seconds, sizes in the unit that `docs/configuration.md` names."""

    HOST: str
    PORT: int
    DATA_DIR: Path
    DATABASE_URL: str
    DATABASE_POOL_SIZE: int
    DATABASE_STATEMENT_TIMEOUT: float
    DATABASE_LOCK_TIMEOUT: float
    REDIS_URL: str
    SECRET_KEY: str
    SECRET_KEY_FALLBACKS: tuple[str, ...]
    DEBUG: bool
    ALLOWED_ORIGINS: tuple[str, ...]
    HSTS: str
    LOG_LEVEL: str
    LOG_FORMAT: str
    METRICS_TOKEN: str
    OPENAI_BASE_URL: str
    OPENAI_API_KEY: str
    CHAT_MODELS: tuple[str, ...]
    CHAT_PROVIDER_KEYS: tuple[str, ...]
    CHAT_WHEN_LEAVING: str
    CHAT_LEAVE_GRACE: float
    CHAT_RECONNECT_GRACE: float
    CHAT_ACK_TIMEOUT: float
    CHAT_MAX_CONCURRENT: int
    CHAT_MAX_ANSWERS_PER_MINUTE: int
    CHAT_MAX_SOCKETS: int
    CHAT_MAX_PROMPT: int
    CHAT_MAX_FRAME: int
    CHAT_MAX_ANSWER: int
    CHAT_MAX_LINE: int
    CHAT_MAX_UNREAD: int
    CHAT_CONNECT_TIMEOUT: float
    CHAT_FIRST_TOKEN_TIMEOUT: float
    CHAT_SILENCE_TIMEOUT: float
    CHAT_WORDLESS_TIMEOUT: float
    CHAT_RUN_TIMEOUT: float
    CHAT_SAVE_INTERVAL: float
    CHAT_FLUSH_INTERVAL: float
    CHAT_LEASE: float
    CHAT_STORAGE_PATIENCE: float
    CHAT_DRAIN_TIMEOUT: float
    CHAT_KEEP_DELETED: float
    CHAT_CONTINUE: str
    CHAT_TITLES: bool
    CHAT_DEMO_RATE: float
    CHAT_SHOW_USAGE: str
    CHAT_THEME: str
    CHAT_LANGUAGE: str
    TIME_ZONE: str
    DJANGO_SUPERUSER_USERNAME: str
    DJANGO_SUPERUSER_PASSWORD: str
    DJANGO_SUPERUSER_EMAIL: str


class _Source:
    """Takes settings one by one, and says in one sentence what is wrong with the first that is."""

    def __init__(self) -> None:
        self.env = Env()

    def text(
        self, name: str, default: str, expected: str = "text", accept: Callable[[str], bool] = str.isprintable, *,
        secret: bool = False,
    ) -> str:  # fmt: skip
        return self._take(self.env.str, name, default, expected, accept, secret=secret)

    def whole(self, name: str, default: int, least: int, most: int, unit: str = "") -> int:
        expected = f"a whole number from {least} to {most}{unit and f' ({unit})'}"
        return self._take(self.env.int, name, default, expected, lambda number: least <= number <= most)

    def number(self, name: str, default: float, least: float, most: float, unit: str = "seconds") -> float:
        expected = f"a number from {least:g} to {most:g} ({unit})"
        return self._take(self.env.float, name, default, expected, lambda number: least <= number <= most)

    def choice(self, name: str, default: str, *choices: str) -> str:
        return self.text(name, default, f"one of {', '.join(choices)}", choices.__contains__)

    def flag(self, name: str, *, default: bool) -> bool:
        return self._take(self.env.bool, name, default, "true or false", lambda _: True)

    def names(
        self, name: str, expected: str, accept: Callable[[str], bool], *, secret: bool = False
    ) -> tuple[str, ...]:
        """Comma-separated, each once, in the order given."""
        values: list[str] = self._take(
            self.env.list, name, [], expected, lambda items: all(accept(item) for item in _trim(items)), secret=secret
        )
        return tuple(dict.fromkeys(_trim(values)))

    def _take(
        self, read: Callable[..., Any], name: str, default: T, expected: str, accept: Callable[[Any], bool], *,
        secret: bool = False,
    ) -> T:  # fmt: skip
        given = os.environ.get(name, "").strip()
        if not given:
            return default
        try:
            value: T = read(name)
        except EnvError:
            refuse(name, given, expected, secret=secret)
        if not accept(value):
            refuse(name, given, expected, secret=secret)
        return value


def refuse(name: str, given: str, expected: str, *, secret: bool = False) -> NoReturn:
    """Raise `WrongValue`; a secret, and an address with a password in it, is not repeated."""
    shown = "has a value that cannot be used (not shown here)" if secret or "@" in given else f"is {given!r}"
    raise WrongValue(f"{name} {shown}; expected {expected}.") from None


def unusable(data_dir: Path, error: OSError) -> WrongValue:
    """What to say of a data folder that the system does not let us use."""
    return WrongValue(
        f"DATA_DIR {str(data_dir)!r} cannot be used: {error.strerror or error}; expected a writable folder."
    )


def read() -> Environment:
    """The settings of this process. Raises `WrongValue` for the first one that cannot be used."""
    source = _Source()
    source.env.read_env(BASE_DIR / ".env", recurse=False)
    host = source.text("HOST", "127.0.0.1", "an IP address or a host name to listen on", _is_host)
    port = source.whole("PORT", 8000, 1, 65535)
    prompt = source.whole("CHAT_MAX_PROMPT", 32_000, 1, 1_000_000, "characters")
    return Environment(
        HOST=host,
        PORT=port,
        DATA_DIR=BASE_DIR / Path(source.text("DATA_DIR", "var", "the path of a folder")).expanduser(),
        DATABASE_URL=source.text(
            "DATABASE_URL", "", "an address like postgresql://user:password@host:5432/name", _is_postgres, secret=True
        ),
        DATABASE_POOL_SIZE=source.whole("DATABASE_POOL_SIZE", 8, 4, 1000, "connections"),
        DATABASE_STATEMENT_TIMEOUT=source.number("DATABASE_STATEMENT_TIMEOUT", 10, 0.1, 3600),
        DATABASE_LOCK_TIMEOUT=source.number("DATABASE_LOCK_TIMEOUT", 3, 0.1, 3600),
        REDIS_URL=source.text("REDIS_URL", "", "an address like redis://host:6379/0", _is_redis, secret=True),
        SECRET_KEY=source.text(
            "SECRET_KEY", "", f"at least {SHORTEST_SECRET_KEY} characters", _is_secret_key, secret=True
        ),
        SECRET_KEY_FALLBACKS=source.names(
            "SECRET_KEY_FALLBACKS",
            f"keys of at least {SHORTEST_SECRET_KEY} characters, separated by commas",
            _is_secret_key,
            secret=True,
        ),
        DEBUG=source.flag("DEBUG", default=False),
        ALLOWED_ORIGINS=_origins(source, host, port),
        HSTS=source.choice("HSTS", "host", "host", "subdomains", "preload"),
        LOG_LEVEL=source.choice("LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
        LOG_FORMAT=source.choice("LOG_FORMAT", "text", "text", "json"),
        METRICS_TOKEN=source.text(
            "METRICS_TOKEN", "", f"{SHORTEST_TOKEN} or more letters, digits or any of -._~+/=", _is_token, secret=True
        ),
        OPENAI_BASE_URL=source.text(
            "OPENAI_BASE_URL", "", "an address that begins with http:// or https://", is_endpoint_url
        ).rstrip("/"),
        OPENAI_API_KEY=source.text("OPENAI_API_KEY", "", "printable ASCII characters", _is_key, secret=True),
        CHAT_MODELS=source.names("CHAT_MODELS", "names of models, separated by commas", lambda name: bool(name)),
        CHAT_PROVIDER_KEYS=source.names(
            "CHAT_PROVIDER_KEYS", "names of environment variables, separated by commas", _is_key_rule
        )
        or PROVIDER_KEYS,
        CHAT_WHEN_LEAVING=source.choice("CHAT_WHEN_LEAVING", "", "stop", "wait", "finish"),
        CHAT_LEAVE_GRACE=source.number("CHAT_LEAVE_GRACE", 0, 0, 86400),
        CHAT_RECONNECT_GRACE=source.number("CHAT_RECONNECT_GRACE", 2, 0, 3600),
        CHAT_ACK_TIMEOUT=source.number("CHAT_ACK_TIMEOUT", 4, 0.1, 3600),
        CHAT_MAX_CONCURRENT=source.whole("CHAT_MAX_CONCURRENT", 3, 1, 1000, "answers"),
        CHAT_MAX_ANSWERS_PER_MINUTE=source.whole("CHAT_MAX_ANSWERS_PER_MINUTE", 30, 1, 100_000, "answers"),
        CHAT_MAX_SOCKETS=source.whole("CHAT_MAX_SOCKETS", 30, 1, 100_000, "pages"),
        CHAT_MAX_PROMPT=prompt,
        CHAT_MAX_FRAME=source.whole("CHAT_MAX_FRAME", max_frame_size(prompt), 1024, 16_777_216, "bytes"),
        CHAT_MAX_ANSWER=source.whole("CHAT_MAX_ANSWER", 400_000, 1, 10_000_000, "characters"),
        CHAT_MAX_LINE=source.whole("CHAT_MAX_LINE", 1_048_576, 1024, 67_108_864, "bytes"),
        CHAT_MAX_UNREAD=source.whole("CHAT_MAX_UNREAD", 262_144, 1024, 67_108_864, "bytes"),
        CHAT_CONNECT_TIMEOUT=source.number("CHAT_CONNECT_TIMEOUT", 10, 0.1, 600),
        CHAT_FIRST_TOKEN_TIMEOUT=source.number("CHAT_FIRST_TOKEN_TIMEOUT", 60, 0.1, 86400),
        CHAT_SILENCE_TIMEOUT=source.number("CHAT_SILENCE_TIMEOUT", 30, 0.1, 86400),
        CHAT_WORDLESS_TIMEOUT=source.number("CHAT_WORDLESS_TIMEOUT", 300, 0.1, 86400),
        CHAT_RUN_TIMEOUT=source.number("CHAT_RUN_TIMEOUT", 600, 0.1, 86400),
        CHAT_SAVE_INTERVAL=source.number("CHAT_SAVE_INTERVAL", 0.25, 0.01, 60),
        CHAT_FLUSH_INTERVAL=source.number("CHAT_FLUSH_INTERVAL", 0.05, 0.005, 10),
        CHAT_LEASE=source.number("CHAT_LEASE", 10, 0.5, 3600),
        CHAT_STORAGE_PATIENCE=source.number("CHAT_STORAGE_PATIENCE", 30, 0, 3600),
        CHAT_DRAIN_TIMEOUT=source.number("CHAT_DRAIN_TIMEOUT", 8, 0.1, 600),
        CHAT_KEEP_DELETED=source.number("CHAT_KEEP_DELETED", 30, 0, 36_500, "days"),
        CHAT_CONTINUE=source.choice("CHAT_CONTINUE", "instruction", "instruction", "prefill"),
        CHAT_TITLES=source.flag("CHAT_TITLES", default=True),
        CHAT_SHOW_USAGE=source.choice("CHAT_SHOW_USAGE", "cost", "no", "tokens", "cost"),
        CHAT_DEMO_RATE=source.number("CHAT_DEMO_RATE", 30, 0.1, 10_000, "tokens a second"),
        CHAT_THEME=source.choice("CHAT_THEME", "", "system", "light", "dark"),
        CHAT_LANGUAGE=source.choice("CHAT_LANGUAGE", "", "en", "de"),
        TIME_ZONE=source.text("TIME_ZONE", "UTC", "the name of a time zone like Europe/Berlin", _is_zone),
        DJANGO_SUPERUSER_USERNAME=source.text(
            "DJANGO_SUPERUSER_USERNAME", "", "at most 150 characters", lambda text: len(text) <= 150
        ),
        DJANGO_SUPERUSER_PASSWORD=source.text("DJANGO_SUPERUSER_PASSWORD", "", "text on one line", secret=True),
        DJANGO_SUPERUSER_EMAIL=source.text("DJANGO_SUPERUSER_EMAIL", "", "an e-mail address", lambda text: "@" in text),
    )


def _origins(source: _Source, host: str, port: int) -> tuple[str, ...]:
    """The origins that may use this server; those of this machine, unless it listens to others."""
    expected = "full origins like https://chat.example.org, separated by commas, without a path"
    given = source.names("ALLOWED_ORIGINS", expected, _is_origin)
    if given:
        return tuple(_origin(urlsplit(origin)) for origin in given)
    if not is_loopback(host):
        raise WrongValue(
            f"ALLOWED_ORIGINS is not set, but HOST {host!r} can be reached from other machines; expected {expected}."
        )
    return tuple(dict.fromkeys(f"http://{name}:{port}" for name in ("127.0.0.1", "localhost", bracketed(host))))


def bracketed(host: str) -> str:
    """A host as it stands in a URL: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def _trim(items: list[str]) -> list[str]:
    return [item.strip() for item in items]


def _origin(parts: SplitResult) -> str:
    """As browsers write it: lower case, without the scheme's own port."""
    own_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, own_port) else f":{parts.port}"
    return f"{parts.scheme}://{bracketed(parts.hostname or '')}{port}"


def _is_zone(text: str) -> bool:
    return text in available_timezones()


def _is_origin(text: str) -> bool:
    parts = parse_url(text)
    if parts is None or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        return False
    return not (parts.path or parts.query or parts.fragment) and _is_host(parts.hostname or "")


def _is_key_rule(text: str) -> bool:
    """The name of an environment variable, or its beginning and "*"; behind "@" the only host that it may go to."""
    return _KEY_RULE.fullmatch(text) is not None


def _is_host(text: str) -> bool:
    return _is_ip(text) or bool(_HOSTNAME.fullmatch(text))


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    return host == "localhost" or (_is_ip(host) and ip_address(host).is_loopback)


def _is_postgres(text: str) -> bool:
    if not text.startswith(("postgres://", "postgresql://")):
        return False
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return bool(conninfo_to_dict(text).get("dbname"))
    except ProgrammingError:
        return False


def _is_redis(text: str) -> bool:
    return text.startswith("unix://") or (text.startswith(("redis://", "rediss://")) and parse_url(text) is not None)


def _is_secret_key(text: str) -> bool:
    return len(text) >= SHORTEST_SECRET_KEY


def _is_token(text: str) -> bool:
    return len(text) >= SHORTEST_TOKEN and bool(_TOKEN.fullmatch(text))


def _is_key(text: str) -> bool:
    return text.isascii() and text.isprintable()
