"""Message: one turn of a conversation, in a tree whose siblings are versions of each other."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.outcomes import Status

from .conversation import Conversation
from .ids import new_id


class Role(models.TextChoices):
    USER = "user", _("user")
    ASSISTANT = "assistant", _("assistant")


class MessageQuerySet(models.QuerySet["Message"]):
    def branch(self, head: uuid.UUID | None) -> list["Message"]:
        """The messages from the root to the one whose id is `head`, oldest first, in one query."""
        if head is None:
            return []
        rows = self.model.objects.raw(
            """
            WITH RECURSIVE branch AS (
                SELECT m.*, 0 AS depth FROM conversations_message m WHERE m.id = %s
                UNION ALL
                SELECT m.*, b.depth + 1 FROM conversations_message m JOIN branch b ON m.id = b.parent_id
            )
            SELECT * FROM branch ORDER BY depth DESC
            """,
            [head],
        )
        return list(rows)

    def versions_of(self, message: "Message") -> Self:
        """`message` and its siblings, oldest first."""
        return self.filter(
            conversation_id=message.conversation_id, parent_id=message.parent_id, role=message.role
        ).order_by("id")


class Message(models.Model):
    """What somebody wrote. Immutable once its status is terminal; a trigger in the database holds it so.

    The text of a streaming message is `content` followed by the generation's pieces; its end folds them into `content`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="replies")
    client_id = models.UUIDField(
        null=True,
        editable=False,
        help_text=_("The page's id of the command that made it; repeated, it makes no other."),
    )
    role = models.CharField(max_length=10, choices=Role.choices)
    content = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.COMPLETE)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client_id", "conversation"], name="message_once_per_client_id"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="message_role"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="message_status"),
            models.CheckConstraint(
                condition=Q(role=Role.ASSISTANT) | Q(status=Status.COMPLETE), name="message_of_a_person_is_complete"
            ),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=models.F("id")), name="message_is_not_its_own_parent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.content[:60]}"
