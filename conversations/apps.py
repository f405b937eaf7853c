"""The product as a Django application."""

from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    """Registers the system checks and signals with Django."""

    name = "conversations"
    verbose_name = "Conversations"

    def ready(self) -> None:
        from conversations import checks, signals  # noqa: F401
