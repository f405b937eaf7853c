"""Finds the generation that a stop means. Synchronous; runs on a database thread."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser

from conversations.models import Generation, Message


def find_generation(
    user: AbstractBaseUser, generation: uuid.UUID | None, command: uuid.UUID | None
) -> Generation | None:
    """Return the person's generation with this id, or else the one that `command` started; None if there is none."""
    visible = Generation.objects.visible_to(user).select_related("message")
    if generation is not None:
        return visible.filter(pk=generation).first()
    made = Message.objects.filter(conversation__owner_id=user.pk, client_id=command).first()
    if made is None:
        return None
    return visible.filter(message=made).first() or visible.filter(message__parent=made).order_by("id").first()
