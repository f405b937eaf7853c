"""`make run` starts on an empty data folder, and starts again later."""

import re
import secrets
import signal
import time
import urllib.request

import psutil
import pytest

from tests.support import database as databases
from tests.support.servers import Server, free_port, share_static_files

PASSWORD = re.compile(r"^Sign in as admin with the password (\S+) \(shown only this once\)\.$", re.MULTILINE)
TWO_STARTS = 90


@pytest.fixture
def data_dir():
    """A folder that does not exist yet. Its path is short because the path of a socket has to be."""
    return databases.FOLDER / f"empty-{secrets.token_hex(4)}"


@pytest.fixture
def static_files(data_dir):
    """Collected static files, so that the test need not collect them."""
    data_dir.mkdir(mode=0o711)
    share_static_files(data_dir)


@pytest.fixture
def start(data_dir):
    """Start a server with a data folder and a database of its own, as `make run` does."""
    made = []

    def begin(port=None, **given):
        own = {"DATA_DIR": data_dir, "DATABASE_URL": "", "SECRET_KEY": "", **given}
        made.append(Server(port or free_port(), own))
        return made[-1]

    yield begin
    for each in made:
        each.end_if_running()


def wait_ready(server):
    """Wait until the server is ready; returns the seconds."""
    begin = time.monotonic()
    server.wait_output(f"Ready: {server.url}\n", 60)
    return time.monotonic() - begin


def sign_in_page(server):
    with urllib.request.urlopen(f"{server.url}/accounts/login/", timeout=5) as response:
        return response.read().decode()


def database_runs(data_dir):
    mark = data_dir / "postgres" / "postmaster.pid"
    return mark.exists() and psutil.pid_exists(int(mark.read_text().split()[0]))


@pytest.mark.timeout(TWO_STARTS)
def test_starts_on_an_empty_folder_and_again(start, data_dir):
    first = start()
    took = wait_ready(first)
    assert 'name="username"' in sign_in_page(first)
    assert first.stop().code == 0
    assert len(PASSWORD.findall(first.output)) == 1
    assert first.output.count("Ready:") == 1
    key = data_dir / "secret-key"
    assert key.stat().st_mode & 0o777 == 0o600
    made = key.read_text()
    assert len(made) >= 50
    assert not database_runs(data_dir)

    second = start()
    assert wait_ready(second) < min(took, 10)
    assert 'name="username"' in sign_in_page(second)
    assert second.stop(signal.SIGINT).code == 0
    assert "password" not in second.output
    assert key.read_text() == made


@pytest.mark.usefixtures("static_files")
@pytest.mark.timeout(TWO_STARTS)
def test_administrator_comes_from_the_environment(start):
    server = start(DJANGO_SUPERUSER_USERNAME="grace", DJANGO_SUPERUSER_PASSWORD="correct horse")
    wait_ready(server)
    assert "correct horse" not in server.output
    assert "Sign in as" not in server.output


@pytest.mark.usefixtures("static_files")
@pytest.mark.timeout(TWO_STARTS)
def test_two_concurrent_starts_share_database_and_key(start):
    servers = [start(), start()]
    for each in servers:
        wait_ready(each)
    assert len(PASSWORD.findall("".join(each.output for each in servers))) == 1
    servers[0].stop()
    assert 'name="username"' in sign_in_page(servers[1])


@pytest.mark.usefixtures("static_files")
@pytest.mark.timeout(TWO_STARTS)
def test_starts_after_a_power_cut(start, data_dir):
    server = start()
    wait_ready(server)
    postmaster = psutil.Process(int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0]))
    server.kill()
    postmaster.kill()
    postmaster.wait(10)
    # The dead server's process id now belongs to another program: this one.
    mark = data_dir / "postgres" / "postmaster.pid"
    mark.write_text(mark.read_text().replace(str(postmaster.pid), str(psutil.Process().pid), 1))
    wait_ready(start())


@pytest.mark.long
@pytest.mark.usefixtures("static_files")
def test_killed_server_leaves_the_database_to_the_next_start(start, data_dir):
    server = start()
    wait_ready(server)
    server.kill()
    assert database_runs(data_dir)
    again = start()
    wait_ready(again)
    assert again.stop().code == 0
    assert not database_runs(data_dir)


def test_reports_that_the_port_is_taken(server, start, data_dir):
    second = start(port=server.port)
    assert second.wait_ended(time.monotonic()).code == 1
    assert second.output.count("\n") == 1
    assert f"PORT {server.port} cannot be used" in second.output
    assert not data_dir.exists()


def test_reports_a_missing_database(database, start):
    server = start(DATABASE_URL=f"postgresql://postgres:hunter2@/nowhere?host={databases.FOLDER}/postgres")
    assert server.wait_ended(time.monotonic()).code == 1
    assert 'database "nowhere" does not exist' in server.output
    assert "hunter2" not in server.output
    assert server.output.count("\n") == 1
