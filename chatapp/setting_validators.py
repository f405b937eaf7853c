"""Checks the values of settings, one function for each kind of value."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from conversations.rules.endpoint_url import parse_url

MIN_SECRET_KEY = 32
"""Characters of a secret key."""

MIN_TOKEN = 16
"""Characters of a bearer token."""

_HOSTNAME = re.compile(r"\w[\w-]*(\.\w[\w-]*)*", re.ASCII)  # no leading dot: Django would take it for a wildcard
_TOKEN = re.compile(r"[\w.~+/=-]+", re.ASCII)
_KEY_RULE = re.compile(r"[A-Za-z_]\w*\*?(@[\w.:-]+)?", re.ASCII)


def bracketed(host: str) -> str:
    """`host` as a URL contains it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def normalize_origin(origin: str) -> str:
    """`origin` as browsers send it: in lower case, without the default port of its scheme."""
    parts = urlsplit(origin)
    default_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, default_port) else f":{parts.port}"
    return f"{parts.scheme}://{bracketed(parts.hostname or '')}{port}"


def is_time_zone(text: str) -> bool:
    """The name of a time zone in the IANA database."""
    return text in available_timezones()


def is_origin(text: str) -> bool:
    """A full http or https origin, without path, query or credentials."""
    parts = parse_url(text)
    if parts is None or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        return False
    return not (parts.path or parts.query or parts.fragment) and is_host(parts.hostname or "")


def is_key_rule(text: str) -> bool:
    """The name of an environment variable, or the beginning of names and "*", then optionally "@" and the only host."""
    return _KEY_RULE.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """An IP address or a host name."""
    return _is_ip(text) or bool(_HOSTNAME.fullmatch(text))


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    return host == "localhost" or (_is_ip(host) and ip_address(host).is_loopback)


def is_postgres_url(text: str) -> bool:
    """A URL that libpq understands and that names a database."""
    if not text.startswith(("postgres://", "postgresql://")):
        return False
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return bool(conninfo_to_dict(text).get("dbname"))
    except ProgrammingError:
        return False


def is_redis_url(text: str) -> bool:
    """A URL of Redis, over TCP, TLS or a Unix socket."""
    return text.startswith("unix://") or (text.startswith(("redis://", "rediss://")) and parse_url(text) is not None)


def is_secret_key(text: str) -> bool:
    """Long enough to sign sessions with."""
    return len(text) >= MIN_SECRET_KEY


def is_token(text: str) -> bool:
    """Long enough, and allowed in an Authorization header (RFC 6750, 2.1)."""
    return len(text) >= MIN_TOKEN and bool(_TOKEN.fullmatch(text))


def is_api_key(text: str) -> bool:
    """Allowed in an HTTP header."""
    return text.isascii() and text.isprintable()
