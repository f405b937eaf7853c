"""Tests of the page's JavaScript modules with Node's test runner. `make test-js` runs only these."""

import subprocess
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

FOLDER = Path(__file__).parent


def node() -> str:
    """Playwright includes Node, so these tests need no other."""
    return str(compute_driver_executable()[0])


def test_scripts():
    files = sorted(map(str, FOLDER.glob("*.test.js")))
    assert files
    command = [node(), "--import", (FOLDER / "setup.mjs").as_uri(), "--test", *files]
    run = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert run.returncode == 0, run.stdout + run.stderr
