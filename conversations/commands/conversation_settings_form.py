"""The form for the settings of one conversation: system prompt and temperature. They apply from the next answer."""

from django import forms
from django.utils.translation import gettext_lazy as lazy

from conversations.protocol.commands import Send
from conversations.protocol.refusal import Refusal
from conversations.rules.frame_size import MAX_SYSTEM_PROMPT

MAX_TEMPERATURE = 2.0
"""The highest temperature that endpoints accept."""


class ConversationSettingsForm(forms.Form):
    """Validates both the dialog's form and the first `send` of a new chat."""

    system_prompt = forms.CharField(
        label=lazy("System prompt"),
        required=False,
        max_length=MAX_SYSTEM_PROMPT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=lazy("Instructions that the model follows in every answer here."),
    )
    temperature = forms.FloatField(
        label=lazy("Temperature"),
        required=False,
        min_value=0,
        max_value=MAX_TEMPERATURE,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
        help_text=lazy("0 is predictable, 2 is wild. Leave empty for the provider's default."),
    )

    use_required_attribute = False


def check_settings(command: Send) -> None:
    """Check the settings with which a new conversation starts. Raises Refusal."""
    form = ConversationSettingsForm({"system_prompt": command.system_prompt, "temperature": command.temperature})
    if not form.is_valid():
        name, errors = next(iter(form.errors.items()))
        raise Refusal("malformed", f"{form.fields[name].label}: {errors[0]}")
