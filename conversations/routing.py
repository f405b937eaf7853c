"""Addresses of WebSockets."""

from django.urls import path

from conversations.socket.consumer import ChatConsumer

websocket_urlpatterns = [path("ws/", ChatConsumer.as_asgi())]
