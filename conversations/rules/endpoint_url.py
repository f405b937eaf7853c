"""What counts as the address of an endpoint. Knows nothing of Django: `chatapp.environment` uses it."""

from urllib.parse import SplitResult, urlsplit


def parse_url(address: str) -> SplitResult | None:
    """The parts of a URL with a host and a possible port; None for anything else."""
    try:
        parts = urlsplit(address)
        usable = parts.port != 0 and bool(parts.hostname)
    except ValueError:
        return None
    return parts if usable and address.isprintable() and " " not in address else None


def is_endpoint_url(text: str) -> bool:
    parts = parse_url(text)
    if parts is None or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        return False
    return _can_be_asked(text)


def _can_be_asked(address: str) -> bool:
    """Whether the client of the endpoints takes this address: some that look like one have a host that cannot be."""
    import httpx2  # not above: half a second, for a process that may only print what is wrong with a setting

    try:
        return bool(httpx2.URL(address).host)
    except (httpx2.InvalidURL, ValueError):
        return False
