"""What every answer of the server carries, and what it does not take."""

import http.client
import re
import socket as sockets

import pytest
from django.conf import settings

LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def get(server, path, **headers):
    connection = http.client.HTTPConnection(server.url[7:], timeout=10)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def first_line(server, request):
    """What the server says to these bytes before the body has been sent."""
    with sockets.create_connection(server.address, timeout=10) as raw:
        raw.sendall(request)
        return raw.recv(4096).split(b"\r\n")[0]


def test_pages_allow_nothing_from_elsewhere(server):
    response, _ = get(server, "/accounts/login/")
    policy = dict(part.strip().partition(" ")[::2] for part in response.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["img-src"] == "'self' data:"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert re.fullmatch(r"'self'( 'nonce-[\w+/=]+')?", policy["script-src"])
    assert "unsafe" not in str(policy)
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Server"] is None


def test_cookies_are_out_of_reach_of_scripts(server):
    cookie = get(server, "/accounts/login/")[0].headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_files_are_kept_for_a_year_and_compressed(server):
    page = get(server, "/accounts/login/")[1].decode()
    paths = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page)
    assert len(paths) >= 10
    for path in paths:
        response, _ = get(server, path, Accept_Encoding="gzip")
        assert response.status == 200, path
        assert "immutable" in response.headers["Cache-Control"], path
        assert response.headers["Set-Cookie"] is None
    admin = get(server, "/admin/login/")[1].decode()
    path = re.search(r'href="(/static/admin/css/base\.[^"]+\.css)"', admin).group(1)
    assert get(server, path, Accept_Encoding="gzip")[0].headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("path", ["/static/../manage.py", "/static/%2e%2e/manage.py", "/static/staticfiles.json"])
def test_nothing_else_is_served_as_a_file(server, path):
    assert get(server, path)[0].status == 404


def test_another_host_is_refused(server):
    assert get(server, "/", Host="evil.example.org")[0].status == 400
    assert "evil.example.org" not in server.output


def test_a_long_body_is_refused_before_it_arrives(server):
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: {server.url[7:]}\r\nContent-Length: {LIMIT + 1}\r\n\r\n"
    assert first_line(server, head.encode()) == b"HTTP/1.1 413 Content Too Large"


def test_a_long_body_in_chunks_is_refused(server):
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: {server.url[7:]}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = f"{LIMIT + 1:x}\r\n".encode() + b"x" * (LIMIT + 1)
    assert first_line(server, head.encode() + chunk) == b"HTTP/1.1 413 Content Too Large"


def test_a_body_up_to_the_limit_is_taken(server):
    body = b"x" * LIMIT
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: {server.url[7:]}\r\nContent-Length: {LIMIT}\r\n\r\n"
    assert b"413" not in first_line(server, head.encode() + body)


def test_an_unknown_socket_is_refused_quietly(server):
    head = (
        f"GET /nowhere/ HTTP/1.1\r\nHost: {server.url[7:]}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: {server.url}\r\n\r\n"
    )
    assert first_line(server, head.encode()).startswith(b"HTTP/1.1 403 ")
    assert "Traceback" not in server.output
