"""SearchEntry: the full-text index of titles and messages."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .conversation import Conversation


class SearchEntry(models.Model):
    """The words of a message or a title. `id` is the id of the message or the conversation.

    Triggers insert an entry without words, which is cheap, when a message ends or a title changes;
    `operations.search_index` adds the words later. Each word includes its owner, so a search never reads the words of
    others.
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
        verbose_name = _("search entry")
        verbose_name_plural = _("search entries")

    def __str__(self) -> str:
        return f"{'title' if self.is_title else 'message'} {self.id}"
