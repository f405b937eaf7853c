"""Which language a page and its socket speak: fixed, else chosen, else the browser's."""

from urllib.parse import parse_qs

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from . import preferences


class LanguageMiddleware(LocaleMiddleware):
    """Django's own, which asks cookie and browser, under what the person chose in the settings."""

    def process_request(self, request: HttpRequest) -> None:
        chosen = nearest_supported(preferences.effective(request.user).language)
        if not chosen:
            super().process_request(request)
            return
        translation.activate(chosen)
        request.LANGUAGE_CODE = chosen


def nearest_supported(language: str) -> str:
    """The interface's language that is nearest to this one; "" if there is none."""
    try:
        return translation.get_supported_language_variant(language)
    except LookupError:
        return ""


def socket_language(query: bytes) -> str:
    """The language of the page that opened a socket, which says so in its address; else the server's own."""
    said = parse_qs(query.decode("ascii", "replace")).get("language", [""])[0]
    return nearest_supported(settings.CHAT_LANGUAGE or said[:20]) or settings.LANGUAGE_CODE
