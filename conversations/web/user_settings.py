"""The settings of a person: a page, or a dialog over the chat."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from conversations.models import Preferences
from conversations.people import effective_preferences

from . import monthly_usage
from .request_type import HttpRequest
from .user_settings_form import PreferencesForm, fixed_preferences

COOKIE_AGE = 31_536_000
"""Seconds (a year) that a browser keeps the theme and the language for pages before the next sign-in."""


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def user_settings(request: HttpRequest) -> HttpResponse:
    """GET: the form. POST: save it, or show it again with its errors."""
    form = PreferencesForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _save(request, form)
    return _render(request, form)


def _save(request: HttpRequest, form: PreferencesForm) -> HttpResponse:
    """Save and say so. A change of language reloads the page."""
    Preferences.objects.get_or_create(user_id=request.user.pk)  # two tabs may save at the same time
    chosen = form.save()
    request.user.preferences = chosen  # type: ignore[union-attr]
    if not request.htmx:
        with translation.override(effective_preferences.effective(request.user).language or translation.get_language()):
            messages.success(request, _("Your settings are saved."))
        return _with_cookies(redirect("settings"), chosen)
    response = _render(request, PreferencesForm(request.user), saved=True)
    if "language" in form.changed_data:
        response["HX-Refresh"] = "true"
    return _with_cookies(response, chosen)


def _with_cookies(response: HttpResponse, chosen: Preferences) -> HttpResponse:
    _set_cookie(response, effective_preferences.THEME_COOKIE, chosen.theme)
    if chosen.language:
        _set_cookie(response, settings.LANGUAGE_COOKIE_NAME, chosen.language)
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
    return response


def _set_cookie(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=COOKIE_AGE, secure=settings.HTTPS, httponly=True, samesite="Lax")


def _render(request: HttpRequest, form: PreferencesForm, *, saved: bool = False) -> HttpResponse:
    template = "conversations/_user_settings.html" if request.htmx else "conversations/user_settings.html"
    context = {
        "form": form,
        "fixed": fixed_preferences(),
        "saved": saved,
        "usage": monthly_usage.this_month(request.user),
    }
    return render(request, template, context)
