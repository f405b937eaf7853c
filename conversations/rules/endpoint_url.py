"""Checks whether a URL can be the address of an endpoint.

Uses nothing of Django, because `chatapp.installation_settings` imports it.
"""

from urllib.parse import SplitResult, urlsplit


def parse_url(text: str) -> SplitResult | None:
    """Return the parts of a URL of any scheme; None if it has no host, an impossible port, or spaces."""
    try:
        parts = urlsplit(text)
        usable = parts.port != 0 and bool(parts.hostname)
    except ValueError:
        return None
    return parts if usable and text.isprintable() and " " not in text else None


def is_endpoint_url(text: str) -> bool:
    """Return whether this is an http(s) URL, without query and fragment, that the HTTP client accepts."""
    parts = parse_url(text)
    if parts is None or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        return False
    return _is_accepted_by_client(text)


def _is_accepted_by_client(url: str) -> bool:
    """Return whether the HTTP client accepts this URL: it rejects some hosts that `urlsplit` accepts."""
    import httpx2  # takes half a second; a process that only reports a wrong setting should not wait for it

    try:
        return bool(httpx2.URL(url).host)
    except (httpx2.InvalidURL, ValueError):
        return False
