"""The settings page: what a person chooses for themselves. In the chat it opens over the conversation."""

from copy import copy

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from conversations.models import Preferences, Theme, WhenLeaving
from conversations.people import preferences, sessions
from conversations.providers.model_catalog import catalog

from . import usage
from .request import HttpRequest

YEAR = 31_536_000
"""Seconds that a browser keeps the cookies for pages of somebody who is signed out."""

LEAVING = {
    WhenLeaving.STOP: lazy("Stop the answer at once"),
    WhenLeaving.WAIT: lazy("Wait a minute for me to come back, then stop"),
    WhenLeaving.FINISH: lazy("Finish the answer in the background"),
}
THEMES = {Theme.SYSTEM: lazy("System"), Theme.LIGHT: lazy("Light"), Theme.DARK: lazy("Dark")}


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """What may be chosen here; what is fixed is no field of it, so whatever arrives for it changes nothing."""

    when_leaving = forms.ChoiceField(
        label=lazy("When I close the page"), choices=LEAVING.items(), widget=forms.RadioSelect
    )
    theme = forms.ChoiceField(label=lazy("Theme"), choices=THEMES.items(), widget=forms.RadioSelect)
    enter_sends = forms.BooleanField(label=lazy("Enter sends the message"), required=False)
    default_model = forms.ChoiceField(label=lazy("Model for new chats"), required=False)
    language = forms.ChoiceField(label=lazy("Language"), required=False)

    class Meta:
        model = Preferences
        fields = ("when_leaving", "theme", "language", "default_model", "enter_sends")

    def __init__(self, user: AbstractBaseUser | AnonymousUser, data: QueryDict | dict[str, str] | None = None) -> None:
        # A copy: what is refused must not show in the page that says so.
        super().__init__(data, instance=copy(preferences.chosen(user)))
        self._choose("default_model", _models(user, self.instance))
        self._choose("language", [("", _("Automatic (browser)")), *settings.LANGUAGES])
        for name in preferences.fixed():
            del self.fields[name]

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


def _models(user: AbstractBaseUser | AnonymousUser, own: Preferences) -> list[tuple[str, str]]:
    """What a new chat may begin with; what was chosen stays to be seen, even if it is gone."""
    offered, chosen = catalog.choices(user), own.default_model
    usual = next((choice.label for choice in offered if choice.default), "")
    last = next((choice.label for choice in offered if choice.key == own.last_model), "")
    choices = [("", _("Default (%(name)s)") % {"name": usual} if usual else _("Default"))]
    if last:
        choices = [("", _("The one that I chose last (%(name)s)") % {"name": last})]
    choices += [(choice.key, choice.label) for choice in offered]
    if chosen and chosen not in dict(choices):
        choices.append((chosen, _("%(name)s (no longer available)") % {"name": chosen}))
    return choices


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """See and change one's settings."""
    form = PreferencesForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return _saved(request, form)
    return _render(request, form)


def _saved(request: HttpRequest, form: PreferencesForm) -> HttpResponse:
    """Say so; a page in another language has to come anew."""
    Preferences.objects.get_or_create(user_id=request.user.pk)  # two tabs may save at the same time
    chosen = form.save()
    request.user.preferences = chosen  # type: ignore[union-attr]
    if not request.htmx:
        with translation.override(preferences.effective(request.user).language or translation.get_language()):
            messages.success(request, _("Your settings are saved."))
        return _remember(redirect("settings"), chosen)
    response = _render(request, PreferencesForm(request.user), saved=True)
    if "language" in form.changed_data:
        response["HX-Refresh"] = "true"
    return _remember(response, chosen)


def _remember(response: HttpResponse, chosen: Preferences) -> HttpResponse:
    """For the pages before the next sign-in."""
    _keep(response, preferences.THEME_COOKIE, chosen.theme)
    if chosen.language:
        _keep(response, settings.LANGUAGE_COOKIE_NAME, chosen.language)
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
    return response


def _keep(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=YEAR, secure=settings.HTTPS, httponly=True, samesite="Lax")


def _render(request: HttpRequest, form: PreferencesForm, *, saved: bool = False) -> HttpResponse:
    template = "conversations/_settings.html" if request.htmx else "conversations/settings.html"
    context = {"form": form, "fixed": _fixed(), "saved": saved, "usage": usage.month(request.user)}
    return render(request, template, context)


def _fixed() -> list[tuple[str, str]]:
    """(label, value) of what the administrator decided."""
    labels = PreferencesForm.base_fields
    words = {"when_leaving": LEAVING, "theme": THEMES, "language": dict(settings.LANGUAGES)}
    return [(str(labels[name].label), str(words[name][value])) for name, value in preferences.fixed().items()]  # type: ignore[index]


class ChangePassword(PasswordChangeView):
    """Django's own: it keeps this session, and all others end."""

    template_name = "conversations/password.html"
    success_url = reverse_lazy("settings")

    @method_decorator(transaction.atomic)
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:  # type: ignore[override]
        """All at once, so that sockets that look at their session see it before or after."""
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: forms.BaseForm) -> HttpResponse:
        messages.success(self.request, _("Your password is changed. Everywhere else you are signed out."))
        session = self.request.session
        before = session.session_key
        response = super().form_valid(form)
        session.save()
        if before and session.session_key:
            sessions.record_successor(before, session.session_key)
        return response


change_password = never_cache(sensitive_post_parameters()(ChangePassword.as_view()))
