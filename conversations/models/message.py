"""Message: one turn of a conversation, in a tree whose siblings are versions of each other."""

import uuid
from collections.abc import Collection
from typing import Self

from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations.rules.status import Status

from .conversation import Conversation
from .ids import new_id

NO_LIMIT = 2**31 - 1


class Role(models.TextChoices):
    USER = "user", _("user")
    ASSISTANT = "assistant", _("assistant")


class MessageQuerySet(models.QuerySet["Message"]):
    def branch(self, head: uuid.UUID | None, *, limit: int | None = None, size: int | None = None) -> list["Message"]:
        """The messages from the root to the one whose id is `head`, oldest first, in one query.

        A long branch is cut to its last `limit` messages, and to those that reach `size` bytes of text.
        """
        if head is None:
            return []
        rows = self.model.objects.raw(
            """
            WITH RECURSIVE up AS (
                SELECT id, parent_id, 1 AS depth, octet_length(content)::bigint AS size
                FROM conversations_message WHERE id = %s
                UNION ALL
                SELECT m.id, m.parent_id, up.depth + 1, up.size + octet_length(m.content)
                FROM up JOIN conversations_message m ON m.id = up.parent_id WHERE up.depth < %s AND up.size < %s
            )
            SELECT m.* FROM up JOIN conversations_message m ON m.id = up.id ORDER BY up.depth DESC
            """,
            [head, limit or NO_LIMIT, size or NO_LIMIT],
        )
        return list(rows)

    def branch_ids(self, head: uuid.UUID | None) -> list[uuid.UUID]:
        """The ids of the whole branch, oldest first, in one query."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH RECURSIVE up AS (
                    SELECT id, parent_id, 1 AS depth FROM conversations_message WHERE id = %s
                    UNION ALL
                    SELECT m.id, m.parent_id, up.depth + 1 FROM up JOIN conversations_message m ON m.id = up.parent_id
                )
                SELECT id FROM up ORDER BY depth DESC
                """,
                [head],
            )
            return [row[0] for row in cursor.fetchall()]

    def branch_from(self, start: uuid.UUID, head: uuid.UUID | None, *, limit: int, size: int) -> list["Message"]:
        """`start` and what follows it on the branch that ends in `head`, limited like `branch`, in one query.

        Empty if `start` is not on that branch.
        """
        rows = self.model.objects.raw(
            """
            WITH RECURSIVE up AS (
                SELECT id, parent_id, 1 AS depth FROM conversations_message WHERE id = %s
                UNION ALL
                SELECT m.id, m.parent_id, up.depth + 1
                FROM up JOIN conversations_message m ON m.id = up.parent_id WHERE up.id <> %s
            ), first AS (
                SELECT id, depth FROM up ORDER BY depth DESC LIMIT %s
            ), sized AS (
                SELECT m.id, f.depth,
                       sum(octet_length(m.content)) OVER (ORDER BY f.depth DESC) - octet_length(m.content) AS before
                FROM first f JOIN conversations_message m ON m.id = f.id
            )
            SELECT m.* FROM sized s JOIN conversations_message m ON m.id = s.id
            WHERE s.before < %s ORDER BY s.depth DESC
            """,
            [head, start, limit, size],
        )
        found = list(rows)
        return found if found and found[0].pk == start else []

    def on_branch(self, head: uuid.UUID | None, wanted: Collection[uuid.UUID]) -> uuid.UUID | None:
        """The last of the messages `wanted` on the branch that ends in `head`, in one query; None if there is none."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH RECURSIVE up AS (
                    SELECT id, parent_id FROM conversations_message WHERE id = %s
                    UNION ALL
                    SELECT m.id, m.parent_id
                    FROM up JOIN conversations_message m ON m.id = up.parent_id WHERE up.id <> ALL(%s)
                )
                SELECT id FROM up WHERE id = ANY(%s)
                """,
                [head, list(wanted), list(wanted)],
            )
            row: tuple[uuid.UUID] | None = cursor.fetchone()
        return row[0] if row else None

    def newest_leaf(self, message: uuid.UUID) -> uuid.UUID:
        """The end of the branch through `message` on which each message is the newest reply, in one query."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH RECURSIVE down AS (
                    SELECT %s::uuid AS id, 1 AS depth
                    UNION ALL
                    SELECT reply.id, down.depth + 1 FROM down, LATERAL (
                        SELECT id FROM conversations_message WHERE parent_id = down.id ORDER BY id DESC LIMIT 1
                    ) AS reply
                )
                SELECT id FROM down ORDER BY depth DESC LIMIT 1
                """,
                [message],
            )
            row: tuple[uuid.UUID] = cursor.fetchone()
        return row[0]

    def versions_of(self, message: "Message") -> Self:
        """`message` and its siblings, oldest first."""
        return self.filter(
            conversation_id=message.conversation_id, parent_id=message.parent_id, role=message.role
        ).order_by("id")


class Message(models.Model):
    """A prompt or an answer. A database trigger makes it immutable once its status is terminal.

    The text of a streaming message is `content` plus the generation's pieces; its end moves them into `content`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="messages", verbose_name=_("conversation")
    )
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="replies")
    client_id = models.UUIDField(
        null=True,
        editable=False,
        help_text=_("The page's id of its command, so that a repeated command creates one message only."),
    )
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    content = models.TextField(_("text"), blank=True)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.COMPLETE)
    created_at = models.DateTimeField(_("time"), default=timezone.now, editable=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
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
