"""An unmodified Firefox, driven with WebDriver BiDi, which it supports natively. Elements are found by role and name.
https://w3c.github.io/webdriver-bidi/"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support.polling import TIMEOUT, eventually

ENTER, TAB = "\ue007", "\ue004"
READY = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


@contextmanager
def firefox(profile: Path) -> Iterator["Tab"]:
    """A tab of a new headless Firefox. Skips the test, with the reason, if there is no Firefox."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("Firefox is not installed: the page is not tested in it. Install firefox-esr (see .ci/programs).")
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines))
    command = [program, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        with connect(_address(process) + "/session", max_size=None) as socket:
            yield Tab(socket)
    finally:
        process.terminate()
        process.wait(TIMEOUT)
        if process.stderr:
            process.stderr.close()


def _address(process: "subprocess.Popen[str]") -> str:
    said = []
    for line in process.stderr or ():
        said.append(line)
        if found := READY.search(line):
            return found[1]
    raise AssertionError(f"Firefox did not start: {said}")


class Tab:
    """One tab. `complaints` has the errors of its scripts."""

    def __init__(self, socket: ClientConnection) -> None:
        self.complaints: list[str] = []
        self._socket = socket
        self._ids = count(1)
        self._command("session.new", capabilities={})
        self._command("session.subscribe", events=["log.entryAdded"])
        self._context = self._command("browsingContext.create", type="tab")["context"]

    # Navigation.

    def open(self, url: str) -> "Tab":
        self._in_tab("browsingContext.navigate", url=url, wait="complete")
        return self

    def reload(self) -> "Tab":
        self._in_tab("browsingContext.reload", wait="complete")
        return self

    # Actions.

    def click(self, role: str, name: str) -> "Tab":
        """Click the last element with that role and name as soon as there is one."""
        element = eventually(lambda: self._found(role, name), f"a {role} called {name!r}")[-1]
        self._script("element => element.scrollIntoView({block: 'nearest'})", element)
        place = {"type": "pointerMove", "x": 0, "y": 0, "origin": {"type": "element", "element": element}}
        press = [place, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._in_tab("input.performActions", actions=[{"type": "pointer", "id": "mouse", "actions": press}])
        return self

    def type(self, text: str) -> "Tab":
        """Send keys to the focused element."""
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self._in_tab("input.performActions", actions=[{"type": "key", "id": "keyboard", "actions": keys}])
        return self

    # Waiting.

    def see(self, selector: str, text: str = "") -> "Tab":
        """Wait until the last element that matches the selector contains the text."""
        script = "css => [...document.querySelectorAll(css)].at(-1)?.innerText ?? null"
        seen = lambda: (found := self._script(script, selector)) is not None and text in found  # noqa: E731
        eventually(seen, f"{text!r} in {selector}")
        return self

    def _found(self, role: str, name: str) -> list[dict[str, Any]]:
        locator = {"type": "accessibility", "value": {"role": role, "name": name}}
        found = self._in_tab("browsingContext.locateNodes", locator=locator)["nodes"]
        return [{"sharedId": node["sharedId"]} for node in found]

    def _script(self, function: str, argument: str | dict[str, Any]) -> Any:
        given = {"type": "string", "value": argument} if isinstance(argument, str) else argument
        target = {"context": self._context}
        done = self._command(
            "script.callFunction", functionDeclaration=function, arguments=[given], target=target, awaitPromise=True
        )
        assert done["type"] == "success", done
        return done["result"].get("value")

    def _in_tab(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._command(method, context=self._context, **parameters)

    def _command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its response; events that arrive before it are recorded."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(TIMEOUT))
            if message.get("id") == number:
                assert message["type"] == "success", (method, message)
                return dict(message["result"])
            if message.get("method") == "log.entryAdded" and message["params"]["level"] == "error":
                self.complaints.append(str(message["params"]["text"]))
