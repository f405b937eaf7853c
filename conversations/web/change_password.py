"""The page on which a person changes their password."""

from django import forms
from django.contrib import messages
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from conversations.people import socket_sessions

from .request_type import HttpRequest


class ChangePassword(PasswordChangeView):
    """Django's view, which keeps this session and ends all others."""

    template_name = "conversations/change_password.html"
    success_url = reverse_lazy("settings")

    @method_decorator(transaction.atomic)
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:  # type: ignore[override]
        """One transaction: sockets that check their session see it either before or after."""
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: forms.BaseForm) -> HttpResponse:
        messages.success(self.request, _("Your password was changed. You were signed out everywhere else."))
        session = self.request.session
        key_before = session.session_key
        response = super().form_valid(form)
        session.save()
        if key_before and session.session_key:
            socket_sessions.record_successor(key_before, session.session_key)
        return response


change_password = never_cache(sensitive_post_parameters()(ChangePassword.as_view()))
