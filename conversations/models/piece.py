"""Piece: text that a streaming answer has written so far."""

from django.db import models

from .generation import Generation


class Piece(models.Model):
    """Text of a streaming generation from `start` on (characters from the beginning of the message).

    The journal appends pieces at each tick; the end of the generation moves them into the message.
    """

    pk = models.CompositePrimaryKey("generation_id", "start")
    generation = models.ForeignKey(Generation, models.CASCADE, related_name="pieces")
    start = models.PositiveIntegerField()
    text = models.TextField()

    def __str__(self) -> str:
        return f"{self.generation_id} from {self.start}"
