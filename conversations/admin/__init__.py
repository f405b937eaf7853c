"""The admin: what was asked, what was written, how each generation ended. Read-only: nobody edits what a model said."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from conversations.admin.generations import generation_admin

from . import accounts, audit, base, conversations, endpoints, language_models

__all__ = ["accounts", "audit", "base", "conversations", "endpoints", "generation_admin", "language_models"]

admin.site.site_header = admin.site.site_title = admin.site.index_title = _("Chat admin")
