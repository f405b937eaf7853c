"""The admin: what was asked, what was written, how each run ended. Read-only: nobody edits what a model said."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from . import accounts, audit, base, conversations, endpoints, generations

__all__ = ["accounts", "audit", "base", "conversations", "endpoints", "generations"]

admin.site.site_header = admin.site.site_title = _("Chat administration")
