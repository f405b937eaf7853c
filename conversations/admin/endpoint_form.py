"""Validation of an endpoint: its address, and which key may be sent there."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from conversations.providers import endpoint_check, endpoints
from conversations.rules.endpoint_url import is_endpoint_url


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes no argument at run time
    """An endpoint that this server can use: its API key is set, and not stored in the database."""

    def clean_base_url(self) -> str:
        address = str(self.cleaned_data["base_url"]).strip().rstrip("/")
        if address and ("@" in address or not is_endpoint_url(address)):
            raise ValidationError(
                gettext("Enter an address that begins with http:// or https://, without user, password or query.")
            )
        return address

    def clean(self) -> dict[str, Any] | None:
        """Check the key with the address: where a key may be sent is restricted."""
        cleaned = super().clean()
        variable, address = self.cleaned_data.get("key_variable", ""), self.cleaned_data.get("base_url")
        if variable and address is not None and (wrong := _key_error(variable, address)):
            self.add_error("key_variable", wrong)
        return cleaned


def _key_error(variable: str, address: str) -> str:
    """Why this variable cannot be the endpoint's key; "" if it can."""
    if not endpoints.may_be_sent(variable, address):
        return gettext(
            "%(name)s may not be sent to this address. The server's operator can allow it in CHAT_PROVIDER_KEYS. "
            "By default, only the usual names such as OPENAI_API_KEY and names that begin with CHAT_KEY_ are allowed."
        ) % {"name": variable}
    return "" if endpoints.key_in(variable, address) else endpoint_check.missing_variable(variable)
