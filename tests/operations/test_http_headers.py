"""Headers of every response, and requests that the server refuses."""

import http.client
import json
import re
import socket as sockets

import pytest
from django.conf import settings
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support import environment, people, servers

LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def get(server, path, **headers):
    connection = http.client.HTTPConnection(server.url[7:], timeout=10)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def first_line(server, request):
    """The first line of the server's response to these bytes, before the body is sent."""
    with sockets.create_connection(server.address, timeout=10) as raw:
        raw.sendall(request)
        return raw.recv(4096).split(b"\r\n")[0]


def test_content_security_policy_allows_nothing_external(server):
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


@pytest.mark.parametrize("path", ["/accounts/login/", "/static/", "/healthz", "/nowhere/", "/admin/login/"])
def test_every_response_forbids_content_sniffing(server, path):
    if path == "/static/":
        path = re.search(r'href="(/static/[^"]+\.css)"', get(server, "/accounts/login/")[1].decode()).group(1)
    headers = get(server, path)[0].headers
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Strict-Transport-Security"] is None


@pytest.fixture(scope="module")
def secure(database, provider):
    """A server behind a TLS proxy, after its secret key was changed."""
    keys = {"SECRET_KEY": "k" * 40, "SECRET_KEY_FALLBACKS": environment.SECRET_KEY}
    with servers.running(OPENAI_BASE_URL=provider.url, ALLOWED_ORIGINS="https://chat.example.org", **keys) as server:
        yield server


BEHIND_PROXY = {"Host": "chat.example.org", "X_Forwarded_Proto": "https"}


@pytest.mark.parametrize("path", ["/accounts/login/", "/static/"])
def test_hsts_covers_this_host_only(secure, path):
    page = get(secure, "/accounts/login/", **BEHIND_PROXY)[1].decode()
    if path == "/static/":
        path = re.search(r'href="(/static/[^"]+\.css)"', page).group(1)
    headers = get(secure, path, **BEHIND_PROXY)[0].headers
    assert headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]


def test_cookies_belong_to_this_host_only(secure):
    (cookie,) = get(secure, "/accounts/login/", **BEHIND_PROXY)[0].headers.get_all("Set-Cookie")
    assert cookie.startswith("__Host-csrftoken=")
    assert "Secure" in cookie
    assert "Path=/;" in f"{cookie};"
    assert "Domain" not in cookie


def test_session_signed_with_the_former_key_stays_valid(secure):
    """A socket leaves the cookie unchanged; the next page signs it again and sends it to the browser."""
    cookie = {"Cookie": f"__Host-sessionid={people.new_person('somebody', secure).session}"}
    for _ in range(2):
        with connect(secure.ws_url, origin="https://chat.example.org", additional_headers=cookie, proxy=None) as page:
            assert json.loads(page.recv(10)) == {"op": "hello"}
    page, _ = get(secure, "/", **BEHIND_PROXY, **cookie)
    assert page.status == 200
    assert any(each.startswith("__Host-sessionid=") for each in page.headers.get_all("Set-Cookie"))


def test_password_page_is_not_cached(alice):
    assert "no-store" in alice.get("/settings/password/").headers["Cache-Control"]


def test_cookies_are_http_only(server):
    cookie = get(server, "/accounts/login/")[0].headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_static_files_are_cached_for_a_year_and_compressed(server):
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
def test_only_collected_files_are_served(server, path):
    assert get(server, path)[0].status == 404


def test_unknown_host_is_refused(server):
    assert get(server, "/", Host="evil.example.org")[0].status == 400
    assert "evil.example.org" not in server.output
    server.wait_output("its Host is in none of ALLOWED_ORIGINS", 5)


def test_socket_without_upgrade_explains_the_proxy_setting(server):
    response, _ = get(server, "/ws/")
    assert (response.status, response.headers["Upgrade"]) == (426, "websocket")
    server.wait_output("pass on Upgrade and Connection", 5)


def test_refused_origin_names_the_setting(server):
    with connect(server.ws_url, origin="https://evil.example.org", proxy=None) as page, pytest.raises(ConnectionClosed):
        page.recv(10)
    server.wait_output("ALLOWED_ORIGINS lists the origins that may", 5)


def test_too_many_form_fields_leave_no_traceback(server, alice):
    for _ in range(3):
        assert alice.without_session().post_pairs("/accounts/login/", [("a", n) for n in range(1001)]).status == 400
    assert server.output.count("DATA_UPLOAD_MAX_NUMBER_FIELDS") <= 1
    assert "Traceback" not in server.output


def test_root_path_header_from_outside_is_ignored(server):
    page = get(server, "/", Daphne_Root_Path="/elsewhere")[0]
    assert page.headers["Location"].startswith("/accounts/login/")


def test_oversized_body_is_refused_before_it_arrives(server):
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: {server.url[7:]}\r\nContent-Length: {LIMIT + 1}\r\n\r\n"
    assert first_line(server, head.encode()) == b"HTTP/1.1 413 Content Too Large"


def test_oversized_chunked_body_is_refused(server):
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: {server.url[7:]}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = f"{LIMIT + 1:x}\r\n".encode() + b"x" * (LIMIT + 1)
    assert first_line(server, head.encode() + chunk) == b"HTTP/1.1 413 Content Too Large"


def test_body_up_to_the_limit_is_accepted(server):
    body = b"x" * LIMIT
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: {server.url[7:]}\r\nContent-Length: {LIMIT}\r\n\r\n"
    assert b"413" not in first_line(server, head.encode() + body)


def test_unknown_socket_path_is_refused_quietly(server):
    head = (
        f"GET /nowhere/ HTTP/1.1\r\nHost: {server.url[7:]}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: {server.url}\r\n\r\n"
    )
    assert first_line(server, head.encode()).startswith(b"HTTP/1.1 403 ")
    assert "Traceback" not in server.output
