"""The addresses of the product."""

from django.urls import path

from conversations.web import (
    change_password,
    chat_page,
    conversation_actions,
    conversation_settings_dialog,
    export,
    message_actions,
    recently_deleted,
    search,
    sidebar,
    stop_form,
    user_settings,
)

urlpatterns = [
    path("", chat_page.new_chat, name="home"),
    path("c/<uuid:pk>/", chat_page.conversation, name="conversation"),
    path("c/<uuid:pk>/messages/", chat_page.more_messages, name="more-messages"),
    path("c/<uuid:pk>/instructions/", conversation_settings_dialog.conversation_settings, name="conversation-settings"),
    path("c/<uuid:pk>/options/", conversation_actions.actions, name="conversation-actions"),
    path("c/<uuid:pk>/row/", conversation_actions.row, name="sidebar-row"),
    path("c/<uuid:pk>/rename/", conversation_actions.rename, name="rename"),
    path("c/<uuid:pk>/pin/", conversation_actions.pin, name="pin"),
    path("c/<uuid:pk>/unpin/", conversation_actions.unpin, name="unpin"),
    path("c/<uuid:pk>/archive/", conversation_actions.archive, name="archive"),
    path("c/<uuid:pk>/unarchive/", conversation_actions.unarchive, name="unarchive"),
    path("c/<uuid:pk>/delete/", conversation_actions.delete, name="delete"),
    path("c/<uuid:pk>/restore/", conversation_actions.restore, name="restore"),
    path("c/<uuid:pk>/remove/", recently_deleted.delete_for_good, name="delete-for-good"),
    path("c/<uuid:pk>/export.md", export.markdown, name="export-markdown"),
    path("c/<uuid:pk>/export.json", export.json, name="export-json"),
    path("messages/<uuid:pk>/show/", message_actions.switch_version, name="switch-version"),
    path("messages/<uuid:pk>/text/", message_actions.text, name="message-text"),
    path("generations/<uuid:pk>/stop/", stop_form.stop, name="stop"),
    path("sidebar/", sidebar.sidebar, name="sidebar"),
    path("search/", search.search, name="search"),
    path("deleted/", recently_deleted.recently_deleted, name="recently-deleted"),
    path("settings/", user_settings.user_settings, name="settings"),
    path("settings/password/", change_password.change_password, name="change-password"),
]
