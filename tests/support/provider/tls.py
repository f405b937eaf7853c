"""TLS in front of the fake provider that never answers when the product closes the connection.

Many servers answer a `close_notify` at once, which hides a client that waits for the answer. This one reads it, sends
nothing, and keeps its end open until the other end closes the TCP connection.
"""

import asyncio
import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support import database
from tests.support.polling import TIMEOUT
from tests.support.provider.server import Provider

HOST = "127.0.0.1"


class SilentTls:
    """A TLS port in front of the provider's plain one. Servers trust it with `SSL_CERT_FILE=certificate`."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.certificate = database.FOLDER / "provider.pem"
        self._context = _context(self.certificate)
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), provider.loop).result(TIMEOUT)

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self._server.sockets[0].getsockname()[1]}/v1"

    def stop(self) -> None:
        self.provider.loop.call_soon_threadsafe(self._server.close)

    async def _listen(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _Client(self._context, self.provider.port), HOST, 0)


class _Client(asyncio.Protocol):
    """One connection from the product."""

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._port = port
        self._provider: asyncio.StreamWriter | None = None
        self._greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._incoming.write(data)
        try:
            if not self._greeted:
                self._greet()
            elif self._provider is not None:
                self._pass_on(self._provider)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            return  # the other side wants to close: send nothing
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        if self._provider is not None:
            self._provider.close()

    def _greet(self) -> None:
        self._tls.do_handshake()
        self._greeted = True
        self._flush()
        self._transport.pause_reading()
        self._task = asyncio.get_running_loop().create_task(self._bring_back())

    def _pass_on(self, provider: asyncio.StreamWriter) -> None:
        while True:
            provider.write(self._tls.read(65536))

    async def _bring_back(self) -> None:
        """Forward everything from the provider, encrypted."""
        reader, self._provider = await asyncio.open_connection(HOST, self._port)
        self._transport.resume_reading()
        self.data_received(b"")  # data that arrived together with the handshake
        while data := await reader.read(65536):
            self._tls.write(data)
            self._flush()
        if not self._transport.is_closing():
            self._transport.close()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._transport.write(self._outgoing.read())


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(write_certificate(certificate))
    return context


def write_certificate(certificate: Path) -> Path:
    """Write a self-signed certificate for this machine. Return the path of a file that holds its key as well."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    today = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    together = certificate.with_suffix(".key.pem")
    together.write_bytes(secret + certificate.read_bytes())
    return together
