"""ServerProcess: one process of the server, and the lease that shows that it is alive."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from .ids import new_id


class ServerProcess(models.Model):
    """A process of the server, which owns generations. `renewed_at`: when the journal last ticked, by the database's
    clock.

    Its journal's connection also holds an advisory lock on the id, which PostgreSQL releases as soon as the process
    dies.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(db_default=Now())
    renewed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("server process")
        verbose_name_plural = _("server processes")

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"
