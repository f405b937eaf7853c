"""Which language a page and its socket speak: fixed, else chosen, else the browser's."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

from . import preferences


class LanguageMiddleware(LocaleMiddleware):
    """Django's own, which asks cookie and browser, under what the person chose in the settings."""

    def process_request(self, request: HttpRequest) -> None:
        chosen = supported(preferences.of(request.user).language)
        if not chosen:
            super().process_request(request)
            return
        translation.activate(chosen)
        request.LANGUAGE_CODE = chosen


def supported(language: str) -> str:
    """The interface's language that is nearest to this one; "" if there is none."""
    try:
        return translation.get_supported_language_variant(language)
    except LookupError:
        return ""


def of_page(language: str) -> str:
    """The language of a page that says it speaks this one."""
    return supported(settings.CHAT_LANGUAGE or language) or settings.LANGUAGE_CODE
