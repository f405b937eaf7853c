"""The socket folder and the database name of the local PostgreSQL server."""

import hashlib
import os
import tempfile
from pathlib import Path

DATABASE = "chat"
SOCKET_NAME = ".s.PGSQL.5432"

MAX_SOCKET_PATH = 100
"""In bytes. The operating system's limit is 107 on Linux and 103 on macOS."""


def socket_folder(data: Path) -> Path:
    """The folder of the server's socket: `data` itself, or one in the temporary folder if that path is too long."""
    if len(os.fsencode(data / SOCKET_NAME)) <= MAX_SOCKET_PATH:
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"chat-postgres-{os.geteuid()}-{digest}"
