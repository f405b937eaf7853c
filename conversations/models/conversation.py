"""Conversation: one person's thread of messages."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .ids import new_id

if TYPE_CHECKING:
    from .message import Message

PROMPT_TITLE_LENGTH = 60
"""Maximum characters of a title made from a prompt."""

MAX_TITLE_LENGTH = 200
"""Maximum characters of any title."""


class TitleSource(models.TextChoices):
    PROMPT = "prompt", _("first words of the prompt")
    MODEL = "model", _("written by the model")
    PERSON = "person", _("given by the person")


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        return self.filter(owner_id=user.pk, deleted_at=None)

    def deleted_by(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Deleted conversations that can still be restored."""
        return self.filter(owner_id=user.pk, deleted_at__isnull=False)

    def begun(self) -> Self:
        """Conversations that have messages."""
        return self.filter(head__isnull=False)

    def pinned(self) -> Self:
        return self.filter(pinned_at__isnull=False, archived_at=None).order_by("-pinned_at", "-id")

    def archived(self) -> Self:
        return self.filter(archived_at__isnull=False)

    def listed(self, besides: "Iterable[Conversation]" = ()) -> Self:
        """Conversations that are not archived, without those in `besides` (the pinned ones, listed separately)."""
        return self.filter(archived_at=None).exclude(pk__in=[each.pk for each in besides])

    def newest_first(self) -> Self:
        return self.order_by("-active_at", "-id")

    def before(self, active_at: datetime, pk: uuid.UUID) -> Self:
        """The conversations after this position in `newest_first`. Only the first condition can use an index."""
        return self.filter(active_at__lte=active_at).exclude(active_at=active_at, id__gte=pk)


class Conversation(models.Model):
    """A tree of messages. `head` is the leaf of the branch on screen."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="conversations", verbose_name=_("owner")
    )
    client_id = models.UUIDField(
        null=True,
        editable=False,
        help_text=_("Chosen by the page, so that a repeated request creates one conversation only."),
    )
    title = models.CharField(_("title"), max_length=MAX_TITLE_LENGTH)
    title_source = models.CharField(max_length=8, choices=TitleSource.choices, db_default=TitleSource.PROMPT)
    model = models.CharField(
        _("model"), max_length=200, blank=True, help_text=_("Key of the model that answered last.")
    )
    system_prompt = models.TextField(blank=True, db_default="")
    temperature = models.FloatField(null=True, blank=True, help_text=_("0 to 2; empty for the provider's default."))
    pinned_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    head = models.ForeignKey("Message", models.SET_NULL, null=True, related_name="+")
    leaves = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        editable=False,
        help_text=_("For each version not on screen: the leaf of its branch that was shown last."),
    )
    created_at = models.DateTimeField(_("begun"), default=timezone.now, editable=False)
    active_at = models.DateTimeField(_("last active"), default=timezone.now)
    deleted_at = models.DateTimeField(_("deleted"), null=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        constraints = [
            models.UniqueConstraint(fields=["owner", "client_id"], name="conversation_once_per_client_id"),
        ]
        indexes = [
            models.Index(
                models.F("owner"),
                models.F("active_at").desc(),
                models.F("id").desc(),
                name="conversation_newest_first",
                condition=models.Q(deleted_at=None, archived_at=None),
            ),
            models.Index(
                models.F("owner"),
                models.F("active_at").desc(),
                models.F("id").desc(),
                name="conversation_archived",
                condition=models.Q(deleted_at=None, archived_at__isnull=False),
            ),
            models.Index(
                models.F("owner"),
                models.F("pinned_at").desc(),
                models.F("id").desc(),
                name="conversation_pinned",
                condition=models.Q(deleted_at=None, archived_at=None, pinned_at__isnull=False),
            ),
            models.Index(
                fields=["deleted_at"], name="conversation_deleted", condition=models.Q(deleted_at__isnull=False)
            ),
            # All conversations, for the admin.
            models.Index(models.F("active_at").desc(), models.F("id").desc(), name="conversation_by_activity"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("conversation", args=[self.pk])

    @property
    def has_settings(self) -> bool:
        """Whether the person set a system prompt or a temperature."""
        return bool(self.system_prompt) or self.temperature is not None

    temporary_head: bool = False
    """Whether `head` was set for this request only, and differs from the stored one."""

    def show_temporarily(self, head: "Message") -> None:
        """Show the branch that ends in `head` in this request only; nothing is saved."""
        self.head = head
        self.temporary_head = True

    def show(self, head: uuid.UUID) -> None:
        """Show the branch that ends in the message `head` on every page, and save that."""
        self.head_id = head
        self.save(update_fields=["head", "leaves"])

    def rename(self, title: str) -> None:
        """Set a person's own title, which the automatic title never replaces."""
        self.title, self.title_source = title, TitleSource.PERSON
        self.save(update_fields=["title", "title_source"])

    def pin(self) -> None:
        """Pin; this takes the conversation out of the archive."""
        self.pinned_at, self.archived_at = timezone.now(), None
        self.save(update_fields=["pinned_at", "archived_at"])

    def unpin(self) -> None:
        self.pinned_at = None
        self.save(update_fields=["pinned_at"])

    def archive(self) -> None:
        self.pinned_at, self.archived_at = None, timezone.now()
        self.save(update_fields=["pinned_at", "archived_at"])

    def unarchive(self) -> None:
        self.archived_at = None
        self.save(update_fields=["archived_at"])

    def delete_softly(self) -> None:
        """Hide now; `operations.retention` removes it permanently after `CHAT_KEEP_DELETED` days."""
        self.deleted_at = timezone.now()
        self.save(update_fields=["deleted_at"])

    def restore(self) -> None:
        self.deleted_at = None
        self.save(update_fields=["deleted_at"])


def title_from_prompt(prompt: str) -> str:
    """A title from the first words of a prompt: up to `PROMPT_TITLE_LENGTH` characters."""
    words = " ".join(prompt.split())
    if len(words) <= PROMPT_TITLE_LENGTH:
        return words
    cut = words[: PROMPT_TITLE_LENGTH - 1].rsplit(" ", 1)[0]
    return f"{cut}…"


def parse_id(text: str) -> uuid.UUID | None:
    """The UUID in `text`; None if it is not one."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
