"""Addresses of the product."""

from django.urls import path

from . import deleted, export, housekeeping, instructions_page, search, settings_page, sidebar, views

urlpatterns = [
    path("", views.home, name="home"),
    path("c/<uuid:pk>/", views.conversation, name="conversation"),
    path("c/<uuid:pk>/messages/", views.messages, name="messages"),
    path("c/<uuid:pk>/instructions/", instructions_page.show, name="instructions"),
    path("settings/", settings_page.show, name="settings"),
    path("settings/password/", settings_page.change_password, name="password"),
    path("c/<uuid:pk>/options/", housekeeping.options, name="options"),
    path("c/<uuid:pk>/row/", housekeeping.row, name="row"),
    path("c/<uuid:pk>/rename/", housekeeping.rename, name="rename"),
    path("c/<uuid:pk>/pin/", housekeeping.pin, name="pin"),
    path("c/<uuid:pk>/unpin/", housekeeping.unpin, name="unpin"),
    path("c/<uuid:pk>/archive/", housekeeping.archive, name="archive"),
    path("c/<uuid:pk>/unarchive/", housekeeping.unarchive, name="unarchive"),
    path("c/<uuid:pk>/delete/", housekeeping.delete, name="delete"),
    path("c/<uuid:pk>/restore/", housekeeping.restore, name="restore"),
    path("c/<uuid:pk>/remove/", deleted.remove, name="remove"),
    path("deleted/", deleted.show, name="deleted"),
    path("c/<uuid:pk>/export.md", export.markdown, name="export-markdown"),
    path("c/<uuid:pk>/export.json", export.json, name="export-json"),
    path("search/", search.search, name="search"),
    path("sidebar/", sidebar.sidebar, name="sidebar"),
    path("messages/<uuid:pk>/show/", views.show, name="show-message"),
    path("messages/<uuid:pk>/text/", views.text, name="message-text"),
    path("generations/<uuid:pk>/stop/", views.stop, name="stop-generation"),
]
