"""Deleted conversations: kept for a while, then removed for good."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from conversations.models import Conversation, Generation
from conversations.models.conversation import ConversationQuerySet
from conversations.storage.db_threads import in_background

logger = logging.getLogger(__name__)

EVERY = 600.0
"""Seconds between two looks."""

BATCH = 20
"""Conversations that one transaction removes, so that none is long."""


async def empty_soon() -> None:
    """Remove what has been deleted for long enough, batch after batch. Any number of processes may do so at once."""
    while await in_background(empty):
        pass


def empty() -> int:
    """Remove a batch of conversations for good; returns how many. One whose answer has yet to end waits."""
    until = timezone.now() - timedelta(days=settings.CHAT_KEEP_DELETED)
    removed = remove(Conversation.objects.filter(deleted_at__lt=until).order_by("deleted_at"))
    if removed:
        logger.info("%d deleted conversations removed for good", removed)
    return removed


def remove(conversations: ConversationQuerySet) -> int:
    """Remove a batch of these for good, in a transaction of its own; returns how many. What another process is at, or
    is still being answered, stays."""
    with transaction.atomic():
        doomed = list(
            conversations.select_for_update(skip_locked=True)
            .exclude(pk__in=Generation.objects.streaming().values("conversation_id"))
            .values_list("pk", flat=True)[:BATCH]
        )
        Conversation.objects.filter(pk__in=doomed).delete()
    return len(doomed)
