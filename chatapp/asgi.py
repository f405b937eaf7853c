"""The ASGI application: HTTP goes to Django, WebSockets to the consumer."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
pages = get_asgi_application()  # before anything that imports models

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from channels.sessions import CookieMiddleware
from django.urls import re_path

from chatapp.asgi_server_check import OwnServerOnly
from chatapp.origin_check import OriginCheck
from chatapp.response_headers import ResponseHeaders
from conversations.operations.probes import Probes
from conversations.routing import websocket_urlpatterns
from conversations.storage.request_connections import ReleaseConnections

# Without the last route, a socket on any other path would raise and leave a traceback in the log.
sockets = URLRouter([*websocket_urlpatterns, re_path(r"", WebsocketDenier.as_asgi())])

# The consumer finds session and user itself, from the cookies: it has to check them again later anyway, because an
# open socket outlives a sign-out.
application = OwnServerOnly(
    ProtocolTypeRouter(
        {
            "http": ResponseHeaders(Probes(ReleaseConnections(pages))),
            "websocket": OriginCheck(CookieMiddleware(sockets)),
        }
    )
)
