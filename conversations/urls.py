"""Addresses of the product."""

from django.urls import path

from . import settings_page, views

urlpatterns = [
    path("", views.home, name="home"),
    path("c/<uuid:pk>/", views.conversation, name="conversation"),
    path("c/<uuid:pk>/messages/", views.messages, name="messages"),
    path("settings/", settings_page.show, name="settings"),
    path("settings/password/", settings_page.change_password, name="password"),
    path("sidebar/", views.sidebar, name="sidebar"),
    path("messages/<uuid:pk>/show/", views.show, name="show-message"),
    path("generations/<uuid:pk>/stop/", views.stop, name="stop-generation"),
]
