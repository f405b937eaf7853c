"""Applies changes of accounts and rows to open sockets and running generations."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from django.dispatch import receiver
from django.http import HttpRequest

from conversations.cluster.notifications import Kind
from conversations.generation.supervisor import supervisor
from conversations.people import socket_sessions
from conversations.rules.status import Status

from .models import Endpoint, Generation, LanguageModel


@receiver(user_logged_out)
def signed_out(request: HttpRequest, **_kwargs: Any) -> None:
    """End the sockets and generations of the session, in this process and in the others."""
    key = request.session.session_key
    if key:
        digest = socket_sessions.digest(key)
        supervisor.call(supervisor.sessions.end, digest)
        supervisor.call(lambda: supervisor.notifier.notify(Kind.SESSION_ENDED, id=digest))


@receiver(post_save, sender=get_user_model())
def account_changed(instance: AbstractBaseUser, **_kwargs: Any) -> None:
    """Make the person's sockets check their sessions: the password may be new, or the account disabled."""
    person = instance.pk

    def recheck_sockets() -> None:
        supervisor.call(supervisor.sockets.recheck, person)
        supervisor.call(lambda: supervisor.notifier.notify(Kind.ACCOUNT_CHANGED, id=str(person)))

    transaction.on_commit(recheck_sockets)


@receiver([post_save, post_delete], sender=Endpoint)
@receiver([post_save, post_delete], sender=LanguageModel)
@receiver(m2m_changed, sender=LanguageModel.groups.through)
def models_changed(**_kwargs: Any) -> None:
    """Read the offered models anew."""
    transaction.on_commit(lambda: supervisor.call(supervisor.models_changed))


@receiver(pre_delete, sender=Generation)
def deleted(instance: Generation, **_kwargs: Any) -> None:
    """Lock the row of a running generation before it is deleted.

    Its owner notices at the next tick that the row has gone, and may save a piece of text until then. With the lock, an
    earlier piece is deleted as well, and a later one fails; without it, the deletion could fail.
    """
    if instance.status == Status.STREAMING:
        Generation.objects.select_for_update().filter(pk=instance.pk).first()
