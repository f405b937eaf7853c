"""Every setting of the installation, from the environment or from a file `.env` in the top folder.

The environment takes precedence; an empty value counts as not set. This module does not use Django, so it can be read
before Django is set up. `docs/configuration.md` explains each setting; a test keeps both in step.
"""

from dataclasses import dataclass
from pathlib import Path

from chatapp.setting_reader import InvalidSetting, Reader
from chatapp.setting_validators import (
    MIN_SECRET_KEY,
    MIN_TOKEN,
    bracketed,
    is_api_key,
    is_host,
    is_key_rule,
    is_loopback,
    is_origin,
    is_postgres_url,
    is_redis_url,
    is_secret_key,
    is_time_zone,
    is_token,
    normalize_origin,
)
from conversations.rules.endpoint_url import is_endpoint_url
from conversations.rules.frame_size import max_frame_size

BASE_DIR = Path(__file__).resolve().parent.parent

EXIT_CODE = 2
"""Exit code of a process with an invalid setting."""

PROVIDER_KEYS = (
    *("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY", "CEREBRAS_API_KEY", "COHERE_API_KEY"),
    *("DEEPSEEK_API_KEY", "FIREWORKS_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY", "LITELLM_API_KEY", "MISTRAL_API_KEY"),
    *("OLLAMA_API_KEY", "OPENROUTER_API_KEY", "TOGETHER_API_KEY", "VLLM_API_KEY", "XAI_API_KEY", "CHAT_KEY_*"),
)
"""The default of `CHAT_PROVIDER_KEYS`: environment variables whose values may be sent to endpoints."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings as read. Durations are in seconds, sizes in the units that `docs/configuration.md` gives."""

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


def read() -> Environment:
    """The settings of this process. Raises `InvalidSetting` for the first invalid one."""
    source = Reader(BASE_DIR / ".env")
    host = source.text("HOST", "127.0.0.1", "an IP address or a host name to listen on", is_host)
    port = source.whole("PORT", 8000, 1, 65535)
    prompt = source.whole("CHAT_MAX_PROMPT", 32_000, 1, 1_000_000, "characters")
    return Environment(
        HOST=host,
        PORT=port,
        DATA_DIR=BASE_DIR / Path(source.text("DATA_DIR", "var", "the path of a folder")).expanduser(),
        DATABASE_URL=source.text(
            "DATABASE_URL",
            "",
            "an address like postgresql://user:password@host:5432/name",
            is_postgres_url,
            secret=True,
        ),
        DATABASE_POOL_SIZE=source.whole("DATABASE_POOL_SIZE", 8, 4, 1000, "connections"),
        DATABASE_STATEMENT_TIMEOUT=source.number("DATABASE_STATEMENT_TIMEOUT", 10, 0.1, 3600),
        DATABASE_LOCK_TIMEOUT=source.number("DATABASE_LOCK_TIMEOUT", 3, 0.1, 3600),
        REDIS_URL=source.text("REDIS_URL", "", "an address like redis://host:6379/0", is_redis_url, secret=True),
        SECRET_KEY=source.text("SECRET_KEY", "", f"at least {MIN_SECRET_KEY} characters", is_secret_key, secret=True),
        SECRET_KEY_FALLBACKS=source.names(
            "SECRET_KEY_FALLBACKS",
            f"keys of at least {MIN_SECRET_KEY} characters, separated by commas",
            is_secret_key,
            secret=True,
        ),
        DEBUG=source.flag("DEBUG", default=False),
        ALLOWED_ORIGINS=_origins(source, host, port),
        HSTS=source.choice("HSTS", "host", "host", "subdomains", "preload"),
        LOG_LEVEL=source.choice("LOG_LEVEL", "INFO", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
        LOG_FORMAT=source.choice("LOG_FORMAT", "text", "text", "json"),
        METRICS_TOKEN=source.text(
            "METRICS_TOKEN", "", f"{MIN_TOKEN} or more letters, digits or any of -._~+/=", is_token, secret=True
        ),
        OPENAI_BASE_URL=source.text(
            "OPENAI_BASE_URL", "", "an address that begins with http:// or https://", is_endpoint_url
        ).rstrip("/"),
        OPENAI_API_KEY=source.text("OPENAI_API_KEY", "", "printable ASCII characters", is_api_key, secret=True),
        CHAT_MODELS=source.names("CHAT_MODELS", "names of models, separated by commas", lambda name: bool(name)),
        CHAT_PROVIDER_KEYS=source.names(
            "CHAT_PROVIDER_KEYS", "names of environment variables, separated by commas", is_key_rule
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
        TIME_ZONE=source.text("TIME_ZONE", "UTC", "the name of a time zone like Europe/Berlin", is_time_zone),
        DJANGO_SUPERUSER_USERNAME=source.text(
            "DJANGO_SUPERUSER_USERNAME", "", "at most 150 characters", lambda text: len(text) <= 150
        ),
        DJANGO_SUPERUSER_PASSWORD=source.text("DJANGO_SUPERUSER_PASSWORD", "", "text on one line", secret=True),
        DJANGO_SUPERUSER_EMAIL=source.text("DJANGO_SUPERUSER_EMAIL", "", "an e-mail address", lambda text: "@" in text),
    )


def _origins(source: Reader, host: str, port: int) -> tuple[str, ...]:
    """`ALLOWED_ORIGINS`, or the loopback origins of a server that only this machine can reach."""
    expected = "full origins like https://chat.example.org, separated by commas, without a path"
    given = source.names("ALLOWED_ORIGINS", expected, is_origin)
    if given:
        return tuple(normalize_origin(origin) for origin in given)
    if not is_loopback(host):
        raise InvalidSetting(
            f"ALLOWED_ORIGINS is not set, but HOST {host!r} can be reached from other machines; expected {expected}."
        )
    return tuple(dict.fromkeys(f"http://{name}:{port}" for name in ("127.0.0.1", "localhost", bracketed(host))))
