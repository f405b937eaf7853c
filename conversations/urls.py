"""Addresses of the product."""

from django.urls import path

from conversations.web import (
    conversation_actions,
    conversation_settings,
    export,
    pages,
    recently_deleted,
    search,
    sidebar,
    user_settings,
)

urlpatterns = [
    path("", pages.home, name="home"),
    path("c/<uuid:pk>/", pages.conversation, name="conversation"),
    path("c/<uuid:pk>/messages/", pages.messages, name="messages"),
    path("c/<uuid:pk>/instructions/", conversation_settings.show, name="instructions"),
    path("settings/", user_settings.show, name="settings"),
    path("settings/password/", user_settings.change_password, name="password"),
    path("c/<uuid:pk>/options/", conversation_actions.options, name="options"),
    path("c/<uuid:pk>/row/", conversation_actions.row, name="row"),
    path("c/<uuid:pk>/rename/", conversation_actions.rename, name="rename"),
    path("c/<uuid:pk>/pin/", conversation_actions.pin, name="pin"),
    path("c/<uuid:pk>/unpin/", conversation_actions.unpin, name="unpin"),
    path("c/<uuid:pk>/archive/", conversation_actions.archive, name="archive"),
    path("c/<uuid:pk>/unarchive/", conversation_actions.unarchive, name="unarchive"),
    path("c/<uuid:pk>/delete/", conversation_actions.delete, name="delete"),
    path("c/<uuid:pk>/restore/", conversation_actions.restore, name="restore"),
    path("c/<uuid:pk>/remove/", recently_deleted.remove, name="remove"),
    path("deleted/", recently_deleted.show, name="deleted"),
    path("c/<uuid:pk>/export.md", export.markdown, name="export-markdown"),
    path("c/<uuid:pk>/export.json", export.json, name="export-json"),
    path("search/", search.search, name="search"),
    path("sidebar/", sidebar.sidebar, name="sidebar"),
    path("messages/<uuid:pk>/show/", pages.show, name="show-message"),
    path("messages/<uuid:pk>/text/", pages.text, name="message-text"),
    path("generations/<uuid:pk>/stop/", pages.stop, name="stop-generation"),
]
