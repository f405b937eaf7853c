"""The settings of the test process and of the servers under test, independent of the developer's own environment."""

import importlib
import os
import secrets

import django

from chatapp.installation_settings import Environment
from tests.support import database

# If this appears in any answer, page or line of output, it is a leak.
CANARY_KEY = f"sk-canary-{secrets.token_hex(16)}"
METRICS_TOKEN = f"canary-{secrets.token_hex(16)}"
SECRET_KEY = secrets.token_urlsafe(50)
# Set but empty means "not given", and hides a developer's .env file.
BLANK = dict.fromkeys(Environment.__annotations__, "")

COMMON = BLANK | {
    "DATABASE_URL": database.URL,
    "SECRET_KEY": SECRET_KEY,
    "OPENAI_API_KEY": CANARY_KEY,
    "CHAT_TITLES": "false",  # no test expects title requests; the tests of titles turn them on
}


def prepare_test_process() -> None:
    """Set the environment that Django's settings read, then load them. Must run before anything else loads them."""
    # Each event loop of a test keeps a connection of its own.
    own = {"DATA_DIR": str(database.FOLDER / "tests"), "OPENAI_API_KEY": "", "DATABASE_POOL_SIZE": "32"}
    os.environ.update(COMMON | own)
    os.environ["DJANGO_SETTINGS_MODULE"] = "chatapp.settings"
    # Playwright's synchronous interface runs an event loop in the main thread, which Django would take for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    django.setup()
    # Daphne installs Twisted's asyncio reactor, and warns if another import has already installed a different one.
    importlib.import_module("daphne.server")
    # The processes that share a run of the tests inherit this one's environment, and pytest-django would load the
    # settings by this name before they come here to make their own.
    del os.environ["DJANGO_SETTINGS_MODULE"]


def server_environment(data_dir: str, **overrides: object) -> dict[str, str]:
    """The complete environment of one server process."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH") if name in os.environ}
    given = {name: str(value) for name, value in overrides.items()}
    return kept | COMMON | {"DATA_DIR": data_dir, "PYTHONUNBUFFERED": "1"} | given
