"""Django's deployment checks find nothing wrong with the settings of an installation."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from chatapp.installation_settings import BASE_DIR
from tests.support.environment import BLANK

HTTPS = {"HOST": "0.0.0.0", "ALLOWED_ORIGINS": "https://chat.example.org"}
ONLY_WITH_HTTPS = {"security.W004", "security.W008", "security.W012", "security.W016"}


def check(data_dir: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Run Django's deployment checks, with the address of a database that is never contacted."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=BASE_DIR,
        env=BLANK | {"DATABASE_URL": "postgresql://127.0.0.1:1/chat", "DATA_DIR": str(data_dir)} | given,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_no_warnings_behind_https(tmp_path: Path) -> None:
    checked = check(tmp_path, **HTTPS)
    assert checked.stdout == "System check identified no issues (2 silenced).\n", checked.stderr
    assert checked.returncode == 0


def test_only_https_is_missing_locally(tmp_path: Path) -> None:
    checked = check(tmp_path)
    assert checked.stdout == f"System check identified no issues ({len(ONLY_WITH_HTTPS)} silenced).\n", checked.stderr
    assert checked.returncode == 0
    assert set(settings.SILENCED_SYSTEM_CHECKS) == ONLY_WITH_HTTPS


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (HTTPS | {"DEBUG": "true"}, "chat.W001"),
        (HTTPS | {"ALLOWED_ORIGINS": "http://chat.example.org"}, "chat.W002"),
        ({"ALLOWED_ORIGINS": "https://chat.example.org,http://localhost:8000"}, "chat.W005"),
        ({"CHAT_LEASE": "0.5"}, "chat.W003"),
        ({"CHAT_MAX_FRAME": "2000"}, "chat.W004"),
        ({"CHAT_MAX_FRAME": "131072"}, "chat.W004"),
    ],
)
def test_unsafe_settings_are_named(given: dict[str, str], code: str, tmp_path: Path) -> None:
    checked = check(tmp_path, **given)
    assert f"({code})" in checked.stderr
    assert "Database: chat at 127.0.0.1:1\n" in checked.stderr
    assert checked.returncode == 1
