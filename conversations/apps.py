"""The product as a Django application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConversationsConfig(AppConfig):
    """Registers the system checks and signals with Django."""

    name = "conversations"
    verbose_name = _("Chat")

    def ready(self) -> None:
        from conversations.telemetry import security_log  # noqa: F401

        from . import checks, signals  # noqa: F401
