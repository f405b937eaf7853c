"""Addresses of the product."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("c/<uuid:pk>/", views.conversation, name="conversation"),
    path("c/<uuid:pk>/messages/", views.messages, name="messages"),
    path("sidebar/", views.sidebar, name="sidebar"),
    path("messages/<uuid:pk>/show/", views.show, name="show-message"),
    path("generations/<uuid:pk>/stop/", views.stop, name="stop-generation"),
]
