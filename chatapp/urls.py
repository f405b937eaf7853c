"""URLs: the admin, sign-in and sign-out, and the product's own."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from conversations.web import error_pages

handler400 = "conversations.web.error_pages.refused"
handler403 = "conversations.web.error_pages.forbidden"
handler404 = "conversations.web.error_pages.missing"
handler500 = "conversations.web.error_pages.failed"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("ws/", error_pages.not_upgraded),
    path("", include("conversations.urls")),
]
