"""The share of an unfinished answer that was written.

The share is exact if the answer was later continued to its end. Otherwise it is an estimate, compared with the
regenerated answer or with the median length of the model's complete answers. An answer longer than that has no share.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext as _

from conversations.models import Generation, Kind
from conversations.rules.status import UNFINISHED, Status

SAMPLE_SIZE = 20_000
"""Recent generations that are sampled for a model's median answer length."""

MEDIAN_LENGTHS = """
SELECT newest.model, percentile_cont(0.5) WITHIN GROUP (ORDER BY newest.characters)
FROM (SELECT model, characters, status FROM conversations_generation ORDER BY requested_at DESC LIMIT %s) AS newest
WHERE newest.status = 'complete' AND newest.model = ANY(%s)
GROUP BY newest.model
"""

COMPLETED_VERSIONS = """
SELECT g.id, later.kind, length(m.content), length(whole.content)
FROM conversations_generation g
JOIN conversations_message m ON m.id = g.message_id
JOIN conversations_message whole
     ON whole.parent_id = m.parent_id AND whole.role = m.role AND whole.id > m.id AND whole.status = 'complete'
JOIN conversations_generation later
     ON later.message_id = whole.id
     AND (later.kind = 'regenerate' OR later.kind = 'continue' AND later.continued_from_id = m.id)
WHERE g.id = ANY(%s)
ORDER BY later.kind DESC, whole.id DESC
"""


@dataclass(frozen=True, slots=True)
class Share:
    """`percent` of the answer, up to 100. `source`: a sentence on what it was compared with."""

    percent: int
    exact: bool
    source: str

    def __str__(self) -> str:
        return f"{self.percent} %" if self.exact else f"≈ {self.percent} %"


def shares(generations: Sequence[Generation]) -> dict[uuid.UUID, Share]:
    """Shares by generation id, where known. Two queries, however many generations there are."""
    cut_off = [generation for generation in generations if generation.status in UNFINISHED]
    found = {
        generation.pk: Share(100, True, _("This answer is complete."))
        for generation in generations
        if generation.status == Status.COMPLETE
    }
    usual = _median_lengths({generation.model for generation in cut_off})
    for generation in cut_off:
        if generation.characters < usual.get(generation.model, 0):
            source = _("Compared with the median length of this model's recent complete answers.")
            found[generation.pk] = Share(_percent(generation.characters, usual[generation.model]), False, source)
    return found | _compared_with_versions(generation.pk for generation in cut_off)


def _median_lengths(models: Iterable[str]) -> dict[str, float]:
    with connection.cursor() as cursor:
        cursor.execute(MEDIAN_LENGTHS, [SAMPLE_SIZE, list(models)])
        return dict(cursor.fetchall())


def _compared_with_versions(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, Share]:
    """Shares compared with later versions. The rows are ordered so that continuations overwrite regenerated answers."""
    found: dict[uuid.UUID, Share] = {}
    with connection.cursor() as cursor:
        cursor.execute(COMPLETED_VERSIONS, [list(keys)])
        for key, kind, written, whole in cursor.fetchall():
            exact = kind == Kind.CONTINUE
            if not whole or (written > whole and not exact):
                continue
            source = (
                _("Compared with the answer after it was continued to its end.")
                if exact
                else _("Compared with the regenerated answer to the same prompt.")
            )
            found[key] = Share(_percent(written, whole), exact, source)
    return found


def _percent(written: float, whole: float) -> int:
    return min(100, round(100 * written / whole))
