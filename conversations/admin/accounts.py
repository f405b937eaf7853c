"""Accounts and groups in the admin.

Only superusers may change permissions, groups, other people's passwords and the accounts of superusers. Otherwise staff
who may change accounts could sign in as anybody.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from conversations.models import Conversation, Generation
from conversations.operations import account_removal
from conversations.rules.stop_request import StopOrigin, StopRequest

from .audit import AuditedAdmin
from .base import RestrictedLookupAdmin

POWER_FIELDS = ("is_staff", "is_superuser", "groups", "user_permissions")

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class AccountAdmin(AuditedAdmin, RestrictedLookupAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """The delete permission is enough to delete an account with everything in it."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_edit(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody may delete their own account."""
        return super().has_delete_permission(request, obj) and _may_edit(request, obj) and obj != request.user

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if _is_superuser(request) else (*fields, *POWER_FIELDS, "last_login", "date_joined")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Hide the password, which only superusers may change for others."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or _is_superuser(request):
            return fieldsets
        return [(title, {**more, "fields": _without_password(more["fields"])}) for title, more in fieldsets]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Change another person's password. Your own has a page that asks for the old one."""
        if not _is_superuser(request):
            raise PermissionDenied
        response: HttpResponse = super().user_change_password(request, id, form_url)
        return response

    # Deletion

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count what is deleted with these accounts. Django would list every title and text, and require the permission
        to delete each."""
        accounts = list(objs)
        count = {
            User._meta.verbose_name_plural: len(accounts),  # noqa: SLF001  Django's own name for it
            _("conversations"): Conversation.objects.filter(owner__in=accounts).count(),
            _("generations"): Generation.objects.filter(conversation__owner__in=accounts).count(),
        }
        lacking = set() if super().has_delete_permission(request) else {self.opts.verbose_name}
        kept = [str(account) for account in accounts if not self.has_delete_permission(request, account)]
        return [str(account) for account in accounts], count, lacking, [] if lacking else kept

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Delete after the audit entry is committed: `remove_account` must not run within a transaction."""
        transaction.on_commit(_removal(obj, request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for each in list(queryset):
            self.delete_model(request, each)


@admin.register(Group)
class GroupAdmin(AuditedAdmin, RestrictedLookupAdmin, DjangoGroupAdmin):
    """Groups grant permissions, so only superusers may change them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


def _may_edit(request: HttpRequest, account: User | None) -> bool:
    """Only superusers may edit superusers."""
    return account is None or not account.is_superuser or _is_superuser(request)


def _without_password(fields: Iterable[Any]) -> list[Any]:
    return [field for field in fields if field != "password"]


def _removal(account: User, request: HttpRequest) -> Callable[[], None]:
    by = StopRequest(StopOrigin.ADMIN, request.user.pk)
    return lambda: account_removal.remove_account(account, by)
