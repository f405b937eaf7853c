"""The form of a person's settings."""

from copy import copy
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from conversations.models import Preferences, Theme, WhenLeaving
from conversations.people import effective_preferences
from conversations.providers.catalog.model_catalog import catalog

from .request_type import User

LEAVING_CHOICES = {
    WhenLeaving.STOP: lazy("Stop the answer at once"),
    WhenLeaving.WAIT: lazy("Wait a minute for me to come back, then stop"),
    WhenLeaving.FINISH: lazy("Finish the answer in the background"),
}
THEME_CHOICES = {Theme.SYSTEM: lazy("System"), Theme.LIGHT: lazy("Light"), Theme.DARK: lazy("Dark")}


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """What a person may choose. A preference that the administrator has fixed is not a field, so submitting it changes
    nothing."""

    when_leaving = forms.ChoiceField(
        label=lazy("When I close the page"), choices=LEAVING_CHOICES.items(), widget=forms.RadioSelect
    )
    theme = forms.ChoiceField(label=lazy("Theme"), choices=THEME_CHOICES.items(), widget=forms.RadioSelect)
    enter_sends = forms.BooleanField(label=lazy("Enter sends the message"), required=False)
    default_model = forms.ChoiceField(label=lazy("Model for new chats"), required=False)
    language = forms.ChoiceField(label=lazy("Language"), required=False)

    class Meta:
        model = Preferences
        fields = ("when_leaving", "theme", "language", "default_model", "enter_sends")

    def __init__(self, user: User, data: QueryDict | dict[str, str] | None = None) -> None:
        # On a copy: validation changes the instance, and a page that rejects the form must not show those changes.
        super().__init__(data, instance=copy(effective_preferences.chosen(user)))
        self._set_choices("default_model", _model_choices(user, self.instance))
        self._set_choices("language", [("", _("Automatic (browser)")), *settings.LANGUAGES])
        for name in effective_preferences.fixed():
            del self.fields[name]

    def _set_choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


def fixed_preferences() -> list[tuple[str, str]]:
    """What the administrator has fixed: (label, value), both in words."""
    fields = PreferencesForm.base_fields
    values: dict[str, Any] = {
        "when_leaving": LEAVING_CHOICES,
        "theme": THEME_CHOICES,
        "language": dict(settings.LANGUAGES),
    }
    fixed = effective_preferences.fixed()
    return [(str(fields[name].label), str(values[name][value])) for name, value in fixed.items()]


def _model_choices(user: User, own: Preferences) -> list[tuple[str, str]]:
    """The models for new chats. The current choice stays in the list even if it is no longer offered."""
    offered, chosen = catalog.choices(user), own.default_model
    default = next((choice.label for choice in offered if choice.default), "")
    last = next((choice.label for choice in offered if choice.key == own.last_model), "")
    choices = [("", _("Default (%(name)s)") % {"name": default} if default else _("Default"))]
    if last:
        choices = [("", _("Last used (%(name)s)") % {"name": last})]
    choices += [(choice.key, choice.label) for choice in offered]
    if chosen and chosen not in dict(choices):
        choices.append((chosen, _("%(name)s (no longer available)") % {"name": chosen}))
    return choices
