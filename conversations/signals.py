"""What happens to accounts and rows, and reaches the open sockets and the answers that are being written."""

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
from conversations.people import sessions
from conversations.rules.status import Status

from .models import Endpoint, Generation, LanguageModel


@receiver(user_logged_out)
def signed_out(request: HttpRequest, **_kwargs: Any) -> None:
    key = request.session.session_key
    if key:
        digest = sessions.digest(key)
        supervisor.call(supervisor.sessions.end, digest)
        supervisor.call(lambda: supervisor.notifier.notify(Kind.SESSION_ENDED, id=digest))


@receiver(post_save, sender=get_user_model())
def account_changed(instance: AbstractBaseUser, **_kwargs: Any) -> None:
    """A new password, a disabled account: the sockets ask again who is behind them."""
    person = instance.pk

    def tell() -> None:
        supervisor.call(supervisor.sockets.recheck, person)
        supervisor.call(lambda: supervisor.notifier.notify(Kind.ACCOUNT_CHANGED, id=str(person)))

    transaction.on_commit(tell)


@receiver([post_save, post_delete], sender=Endpoint)
@receiver([post_save, post_delete], sender=LanguageModel)
@receiver(m2m_changed, sender=LanguageModel.groups.through)
def models_changed(**_kwargs: Any) -> None:
    transaction.on_commit(lambda: supervisor.call(supervisor.models_changed))


@receiver(pre_delete, sender=Generation)
def deleted(instance: Generation, **_kwargs: Any) -> None:
    """Its owner finds it gone at the next tick. Until then it may be saving a piece of its text, so the row is taken
    first: a piece that came before goes with the rest, and one that comes after fails instead of the deletion."""
    if instance.status == Status.STREAMING:
        Generation.objects.select_for_update().filter(pk=instance.pk).first()
