"""Where the local PostgreSQL server listens, and what its database is called."""

import hashlib
import os
import tempfile
from pathlib import Path

DATABASE = "chat"
SOCKET_NAME = ".s.PGSQL.5432"

LONGEST_SOCKET_PATH = 100
"""Bytes; the system's own limit is 107 on Linux and 103 on macOS."""


def socket_folder(data: Path) -> Path:
    """Where the server with this data has its socket: beside the data, unless that path is too long for a socket."""
    if len(os.fsencode(data / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"chat-postgres-{os.geteuid()}-{digest}"
