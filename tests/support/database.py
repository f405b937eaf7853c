"""The PostgreSQL server of the test session, in a temporary folder of its own.

Its address is known before it starts, so Django's settings can be loaded first, and tests that need no database never
start it. The test process and the servers under test use the same database, without wrapping transactions.
"""

import atexit
import shutil
import tempfile
from pathlib import Path

from chatapp import postgres

# A short path, because the path of the socket inside it is limited to about a hundred bytes.
FOLDER = Path(tempfile.mkdtemp(prefix="chat-", dir="/tmp" if Path("/tmp").is_dir() else None)).resolve()
# PostgreSQL does not run as root. If the tests do, PostgreSQL's own user needs access to the folder inside this one.
FOLDER.chmod(0o711)
# Registered before the server's clean-up, so it runs after that.
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

URL = postgres.local_url(FOLDER)


class Database:
    """The running PostgreSQL server."""

    def __init__(self) -> None:
        from chatapp.local_postgres import LocalServer

        self._server = LocalServer(FOLDER / "postgres")
        self._server.join()

    def stop(self) -> None:
        self._server.leave()
