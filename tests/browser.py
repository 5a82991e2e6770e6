"""A real headless Chromium, driven by the DevTools protocol over a pipe: keys and clicks as a person makes them.

https://chromedevtools.github.io/devtools-protocol/; with `--remote-debugging-pipe` Chromium reads commands from file
descriptor 3 and writes to 4, each message ended by a NUL.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-lcd-text",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
)
KEYS = {
    "ArrowDown": 40,
    "ArrowLeft": 37,
    "ArrowRight": 39,
    "ArrowUp": 38,
    "End": 35,
    "Enter": 13,
    "Escape": 27,
    "Home": 36,
    "Tab": 9,
    " ": 32,
}
"""Windows' virtual key codes, which the protocol wants."""


def _pipe() -> tuple[int, int]:
    """One whose ends aren't what they are to become in the browser."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]


class Browser:
    """One browser with one page. `errors` has what the page's console and its scripts complained of."""

    def __init__(self, width: int = 1200, height: int = 800) -> None:
        assert CHROMIUM is not None
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        reads, self._out = _pipe()
        self._in, writes = _pipe()
        words = (CHROMIUM, *OPTIONS, f"--user-data-dir={self._profile.name}", f"--window-size={width},{height}")
        moves = [(os.POSIX_SPAWN_DUP2, reads, 3), (os.POSIX_SPAWN_DUP2, writes, 4)]
        quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
        self._pid = os.posix_spawn(CHROMIUM, words, os.environ, file_actions=[*moves, *quiet])
        os.close(reads)
        os.close(writes)
        self._buffer, self._count, self.session = b"", 0, ""
        self.errors: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the browser, and waits for it."""
        self.session = ""
        self.call("Browser.close")
        os.waitpid(self._pid, 0)
        os.close(self._out)
        os.close(self._in)
        self._profile.cleanup()

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command's result; what happens meanwhile is noted."""
        self._count += 1
        head = {"sessionId": self.session} if self.session else {}
        os.write(
            self._out, json.dumps({"id": self._count, "method": method, "params": params, **head}).encode() + b"\0"
        )
        for message in self._messages():
            if message.get("id") == self._count:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._note(message)
        raise EOFError(method)

    def wait(self, event: str) -> None:
        """Until something happens."""
        for message in self._messages():
            self._note(message)
            if message.get("method") == event:
                return

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            while b"\0" not in self._buffer:
                data = os.read(self._in, 1 << 16)
                if not data:
                    return
                self._buffer += data
            line, _, self._buffer = self._buffer.partition(b"\0")
            yield json.loads(line)

    def _note(self, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.errors.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in {"error", "warning", "assert"}:
            self.errors.append(json.dumps(params["args"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    def open(self, path: Path, fragment: str = "") -> None:
        """Loads a file."""
        self.call("Page.navigate", url=path.as_uri() + fragment)
        self.wait("Page.loadEventFired")

    def eval(self, script: str) -> Any:
        """The value of an expression of JavaScript."""
        said = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def settle(self) -> None:
        """Waits for what the page does next by itself, such as going to where a link leads."""
        self.eval("new Promise((done) => setTimeout(() => requestAnimationFrame(done)))")

    def press(self, *keys: str, modifiers: int = 0) -> None:
        """Presses keys; a single letter also types it."""
        for key in keys:
            code = KEYS.get(key, ord(key[0].upper()))
            typed = {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
            common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
            self.call("Input.dispatchKeyEvent", type="keyDown", **common, **typed)
            self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def write(self, text: str) -> None:
        """Types a text, letter by letter."""
        self.press(*text)

    def media(self, media: str = "", **features: str) -> None:
        """Emulates print, or a user's preferences such as prefers_color_scheme."""
        rows = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", media=media, features=rows)

    def screenshot(self, path: Optional[Path] = None, **clip: float) -> bytes:
        """A picture of what is seen, or of a part, as PNG."""
        words = {"clip": {"x": 0, "y": 0, "scale": 1, **clip}} if clip else {}
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png", **words)["data"])
        if path:
            path.write_bytes(data)
        return data
