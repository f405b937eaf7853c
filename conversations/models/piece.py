"""Piece: text that a streaming answer has written so far."""

from django.db import models

from .generation import Generation


class Piece(models.Model):
    """Text that a streaming generation has written since `start` (characters from the beginning of the message).

    Appended by the journal's ticks, folded into the message and removed by the end.
    """

    pk = models.CompositePrimaryKey("generation_id", "start")
    generation = models.ForeignKey(Generation, models.CASCADE, related_name="pieces")
    start = models.PositiveIntegerField()
    text = models.TextField()

    def __str__(self) -> str:
        return f"{self.generation_id} from {self.start}"
