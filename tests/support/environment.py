"""The settings of the test process and of the servers under test, independent of the developer's own environment."""

import importlib
import os
import secrets

import django

from chatapp.environment import Environment
from tests.support import database

# In every answer, page and line of output this would be a leak.
CANARY_KEY = f"sk-canary-{secrets.token_hex(16)}"
METRICS_TOKEN = f"canary-{secrets.token_hex(16)}"
SECRET_KEY = secrets.token_urlsafe(50)
# Set but empty means "not given", and keeps a developer's .env file out.
BLANK = dict.fromkeys(Environment.__annotations__, "")

COMMON = BLANK | {
    "DATABASE_URL": database.URL,
    "SECRET_KEY": SECRET_KEY,
    "OPENAI_API_KEY": CANARY_KEY,
    "CHAT_TITLES": "false",  # a request that no test expects; those about titles turn them on
}


def prepare_test_process() -> None:
    """Set the environment that Django's settings read, and load them. Comes before anything else that would."""
    # Each event loop that a test runs keeps a connection of its own.
    own = {"DATA_DIR": str(database.FOLDER / "tests"), "OPENAI_API_KEY": "", "DATABASE_POOL_SIZE": "32"}
    os.environ.update(COMMON | own)
    os.environ["DJANGO_SETTINGS_MODULE"] = "chatapp.settings"
    # Playwright's synchronous interface runs an event loop in the main thread, which Django would take for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    django.setup()
    # Daphne brings Twisted's reactor for asyncio, and warns where another import has already installed a different one.
    importlib.import_module("daphne.server")
    # The processes that share a run of the tests inherit this one's environment, and pytest-django would load the
    # settings by this name before they come here to make their own.
    del os.environ["DJANGO_SETTINGS_MODULE"]


def server_environment(data_dir: str, **overrides: object) -> dict[str, str]:
    """The whole environment of one server process."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH") if name in os.environ}
    given = {name: str(value) for name, value in overrides.items()}
    return kept | COMMON | {"DATA_DIR": data_dir, "PYTHONUNBUFFERED": "1"} | given
