"""Deleted conversations: kept for a while, then removed for good."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from .database import in_background
from .models import Conversation, Generation

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
    with transaction.atomic():
        doomed = list(
            Conversation.objects.select_for_update(skip_locked=True)
            .filter(deleted_at__lt=until)
            .exclude(pk__in=Generation.objects.streaming().values("conversation_id"))
            .order_by("deleted_at")
            .values_list("pk", flat=True)[:BATCH]
        )
        Conversation.objects.filter(pk__in=doomed).delete()
    if doomed:
        logger.info("%d deleted conversations removed for good", len(doomed))
    return len(doomed)
