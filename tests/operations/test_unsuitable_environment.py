"""In an environment where the product cannot work safely, it refuses to start and says why."""

import subprocess
import sys

from chatapp import local_socket
from tests.support import database as databases
from tests.support import environment, people
from tests.support.polling import eventually
from tests.support.pooler import pooler
from tests.support.servers import REPOSITORY, free_port


def test_transaction_pooler_is_refused(database):
    with pooler(str(local_socket.socket_folder(databases.FOLDER / "postgres") / local_socket.SOCKET_NAME)) as between:
        settings = environment.server_environment(
            str(databases.FOLDER / "pooled"), PORT=free_port(), DATABASE_URL=between.url
        )
        ended = subprocess.run(
            [sys.executable, "-m", "chatapp.server"],
            cwd=REPOSITORY,
            env=settings,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ended.returncode == 1
    assert "set its pool_mode to session" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_plain_daphne_is_refused(database):
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-p", str(port), "chatapp.asgi:application"]
    settings = environment.server_environment(str(databases.FOLDER / "daphne"), PORT=port)
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        page = eventually(lambda: asked(port), "an answer", 60)
    finally:
        process.terminate()
        process.wait(30)
    assert page.status == 503
    assert "python -m chatapp.server" in page.html


class At:
    """The address of a server that the test did not start itself."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"


def asked(port):
    try:
        return people.Person(None, "", At(port)).get("/accounts/login/")
    except ConnectionError:
        return None
