"""SearchEntry: what can be found of a conversation, by words."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

from .conversation import Conversation


class SearchEntry(models.Model):
    """The words of a message, or of a conversation's title. `id` is that of the message or the conversation.

    Triggers insert it without its words, which is cheap, when a message ends or a title changes; the words follow in
    the background (search_index.py). Each word carries its owner, so that a search never meets the words of others.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="+", db_constraint=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    is_title = models.BooleanField()
    vector = SearchVectorField(null=True)

    class Meta:
        indexes = [
            GinIndex(fields=["vector"], name="search_words"),
            models.Index(models.F("owner"), models.F("id").desc(), name="search_newest_first"),
            models.Index(fields=["id"], name="search_to_index", condition=Q(vector=None)),
        ]
        verbose_name_plural = "search entries"

    def __str__(self) -> str:
        return f"{'title' if self.is_title else 'message'} {self.id}"
