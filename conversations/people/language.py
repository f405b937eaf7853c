"""The language of a page and its socket: set by the administrator, else chosen by the person, else the browser's."""

from urllib.parse import parse_qs

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from . import effective_preferences


class LanguageMiddleware(LocaleMiddleware):
    """Prefers the language from the person's settings; falls back to Django's choice by cookie and browser."""

    def process_request(self, request: HttpRequest) -> None:
        chosen = nearest_supported(effective_preferences.effective(request.user).language)
        if not chosen:
            super().process_request(request)
            return
        translation.activate(chosen)
        request.LANGUAGE_CODE = chosen


def nearest_supported(language: str) -> str:
    """Return the language of the interface that is nearest to this language code; "" if there is none."""
    try:
        return translation.get_supported_language_variant(language)
    except LookupError:
        return ""


def socket_language(query: bytes) -> str:
    """Return the language that a page named in the query string of its socket, else the server's default."""
    named = parse_qs(query.decode("ascii", "replace")).get("language", [""])[0]
    return nearest_supported(settings.CHAT_LANGUAGE or named[:20]) or settings.LANGUAGE_CODE
