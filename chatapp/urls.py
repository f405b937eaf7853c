"""URLs: the admin, sign-in and sign-out, and the product's own."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from conversations.web import error_pages

handler400 = "conversations.web.error_pages.bad_request"
handler403 = "conversations.web.error_pages.permission_denied"
handler404 = "conversations.web.error_pages.page_not_found"
handler500 = "conversations.web.error_pages.server_error"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("ws/", error_pages.upgrade_required),
    path("", include("conversations.urls")),
]
