"""The sign-in backend. Sessions name it by this path, so a move would sign everybody out."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User


class Backend(ModelBackend):
    """Loads preferences together with their person, so that no page and no socket asks for them again."""

    def get_user(self, user_id: int) -> User | None:
        people = User.objects.select_related("preferences")
        user = people.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
