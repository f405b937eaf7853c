"""Removes deleted conversations permanently once `CHAT_KEEP_DELETED` days have passed."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from conversations.models import Conversation, Generation
from conversations.models.conversation import ConversationQuerySet
from conversations.storage.db_threads import in_background

logger = logging.getLogger(__name__)

PURGE_INTERVAL = 600.0
"""Seconds between two purges."""

BATCH_SIZE = 20
"""Conversations that one transaction removes, to keep transactions short."""


async def purge() -> None:
    """Purge batch after batch on a background thread. Any number of processes may do it at once. May be cancelled; a
    batch that has begun is finished. Raises django.db.Error."""
    while await in_background(purge_batch):
        pass


def purge_batch() -> int:
    """Remove a batch of conversations whose time has passed. Returns how many."""
    until = timezone.now() - timedelta(days=settings.CHAT_KEEP_DELETED)
    removed = delete_batch(Conversation.objects.filter(deleted_at__lt=until).order_by("deleted_at"))
    if removed:
        logger.info("%d deleted conversations removed permanently", removed)
    return removed


def delete_batch(conversations: ConversationQuerySet) -> int:
    """Remove up to `BATCH_SIZE` of these permanently, in a transaction of its own. Returns how many.

    Conversations that are locked or still being answered stay. Raises django.db.Error.
    """
    with transaction.atomic():
        doomed = list(
            conversations.select_for_update(skip_locked=True)
            .exclude(pk__in=Generation.objects.streaming().values("conversation_id"))
            .values_list("pk", flat=True)[:BATCH_SIZE]
        )
        Conversation.objects.filter(pk__in=doomed).delete()
    return len(doomed)
