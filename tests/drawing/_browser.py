"""A headless Chromium that is driven over the DevTools pipe; the standard library suffices."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "chromium-headless-shell")
_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-pipe", "--window-size=1400,900",
]  # fmt: skip
_TIMEOUT_S = 60.0


def find() -> str | None:
    """The path of a Chromium, or None."""
    wanted = os.environ.get("GRAPHPROBE_BROWSER")
    return wanted or next((path for name in NAMES if (path := shutil.which(name))), None)


class Navigated(Exception):
    """The page that was asked has gone, for another one comes."""


class Browser:
    """One page of one browser."""

    def __init__(self, path: str, home: Path) -> None:
        ours, theirs = os.pipe(), os.pipe()  # commands go to its 3, answers come from its 4

        def wire() -> None:
            os.dup2(ours[0], 13)
            os.dup2(theirs[1], 14)
            os.dup2(13, 3)
            os.dup2(14, 4)

        self._process = subprocess.Popen(
            [path, *_FLAGS, f"--user-data-dir={home}", "about:blank"],
            preexec_fn=wire,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(ours[0])
        os.close(theirs[1])
        self._write, self._read = ours[1], theirs[0]
        self._buffer = b""
        self._count = 0
        self._session: str | None = None
        self.requests: list[str] = []
        self.errors: list[str] = []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._count:
                if "navigated" in str(answer.get("error")):
                    raise Navigated
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            more = os.read(self._read, 1 << 20)
            assert more, "the browser has ended"
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Network.requestWillBeSent":
            self.requests.append(event["params"]["request"]["url"])
        if event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(event["params"]["exceptionDetails"]))

    def open(self, file: Path) -> None:
        """Go to a file and wait until the page says that it is ready."""
        self.call("Page.navigate", url=file.as_uri())
        self.until("document.body && document.body.dataset.ready !== undefined")

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true, in this page or the one that it gives way to."""
        end = time.monotonic() + _TIMEOUT_S
        while not self._holds(script):
            assert time.monotonic() < end, f"never true: {script}"

    def _holds(self, script: str) -> bool:
        try:
            return bool(self.run(script))
        except Navigated:
            return False

    def until_file(self, path: Path) -> None:
        """Wait until a file is saved."""
        end = time.monotonic() + _TIMEOUT_S
        while not path.exists():
            self.run("0")
            assert time.monotonic() < end, f"never saved: {path}"

    def screenshot(self) -> bytes:
        """What is on the screen, as PNG."""
        self.run("document.activeElement.blur()")
        found = self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(found["data"])

    def resize(self, width: int, height: int, mobile: bool = False) -> None:
        """Give the window a size; a phone has two pixels for one."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=2 if mobile else 1, mobile=mobile,
        )  # fmt: skip

    def click(self, selector: str, times: int = 1) -> None:
        """Click with the mouse in the middle of the first element that matches."""
        x, y = self.run(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for count in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.call(
                    "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1,
                    clickCount=count,
                )  # fmt: skip

    def press(self, key: str, text: str = "") -> None:
        """Press and release a key."""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def close(self) -> None:
        """End the browser."""
        self._session = None
        os.write(self._write, b'{"id":0,"method":"Browser.close"}\0')
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)
