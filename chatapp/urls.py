"""Addresses: administration, sign-in and sign-out, and the product."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from conversations import failures

handler400 = "conversations.failures.refused"
handler403 = "conversations.failures.forbidden"
handler404 = "conversations.failures.missing"
handler500 = "conversations.failures.failed"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("ws/", failures.not_upgraded),
    path("", include("conversations.urls")),
]
