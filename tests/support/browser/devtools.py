"""Chromium without Playwright. Playwright makes every tab believe that it is in front; here a tab behind another one is
hidden."""

import json
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from tests.support.browser.chat import CHROMIUM_ARGUMENTS
from tests.support.polling import eventually


class Tab:
    """One tab, driven over the DevTools protocol."""

    def __init__(self, port: int, target: dict[str, Any]) -> None:
        self.id = str(target["id"])
        self._port = port
        self._address = str(target["webSocketDebuggerUrl"])

    def call(self, method: str, **parameters: Any) -> Any:
        with connect(self._address, proxy=None, max_size=None) as socket:
            socket.send(json.dumps({"id": 1, "method": method, "params": parameters}))
            while (answer := json.loads(socket.recv(timeout=10))).get("id") != 1:
                pass
        return answer["result"]

    def evaluate(self, expression: str) -> Any:
        return self.call("Runtime.evaluate", expression=expression)["result"].get("value")

    def open(self, url: str, cookies: dict[str, str]) -> None:
        for name, value in cookies.items():
            self.call("Network.setCookie", name=name, value=value, url=url)
        self.call("Page.navigate", url=url)

    def type(self, text: str) -> None:
        """Type into the focused element, then press Enter."""
        self.call("Input.insertText", text=text)
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        self.call("Input.dispatchKeyEvent", type="keyDown", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)


class Window:
    """A browser with tabs. The tab that was opened or shown last is in front."""

    def __init__(self, port: int) -> None:
        self._port = port

    def first(self) -> Tab:
        return next(Tab(self._port, target) for target in self._get("list") if target["type"] == "page")

    def another(self) -> Tab:
        return Tab(self._port, self._get("new?about:blank", "PUT"))

    def show(self, tab: Tab) -> None:
        self._open(f"activate/{tab.id}").close()

    def _get(self, path: str, method: str = "GET") -> Any:
        with self._open(path, method) as answer:
            return json.load(answer)

    def _open(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}/json/{path}", method=method)
        return urllib.request.urlopen(request, timeout=10)


@contextmanager
def plain_chromium() -> Iterator[Window]:
    """Raises FileNotFoundError if no browser is installed."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise FileNotFoundError("chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        ports = Path(profile) / "DevToolsActivePort"
        options = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(
            [program, *CHROMIUM_ARGUMENTS, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            eventually(lambda: ports.exists() and ports.read_text().strip(), "Chromium's port")
            yield Window(int(ports.read_text().split()[0]))
        finally:
            process.terminate()
            process.wait(10)
