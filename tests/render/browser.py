"""Headless Chromium, driven over its debugging socket: as much of both as these tests need."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SECONDS = 60.0
CODES = {"Escape": 27, "Enter": 13, "Tab": 9}


class Browser:
    """One page of one browser; `messages` are what it told unasked: errors, requests."""

    def __init__(self, folder: Path) -> None:
        assert CHROMIUM is not None
        self.process = subprocess.Popen(
            [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
             "--remote-debugging-port=0", "--no-first-run", "--disable-background-networking",
             f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.messages: list[dict[str, Any]] = []
        self.number = 0
        self.socket: socket.socket | None = None
        try:
            self.socket = _connected(folder)
        except BaseException:
            self.close()
            raise
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.socket is not None:
            self.socket.close()

    def ask(self, method: str, **params: Any) -> Any:
        """Send a command and return its answer."""
        self.number += 1
        self._send(json.dumps({"id": self.number, "method": method, "params": params}).encode())
        number = self.number
        while True:
            message = json.loads(self._receive())
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                return message["result"]
            self.messages.append(message)

    def open(self, path: Path, width: int = 1280, height: int = 800) -> None:
        """Open a file, and wait until it is loaded."""
        self.size(width, height)
        self.messages.clear()
        self.ask("Page.navigate", url=path.as_uri())
        while not any(m["method"] == "Page.loadEventFired" for m in self.messages):
            self.run("1")
        while self.run("document.documentElement.matches('.live') && page === null"):
            time.sleep(0.005)

    def size(self, width: int, height: int, touch: bool = False) -> None:
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=touch)  # fmt: skip

    def prefer(self, **features: str) -> None:
        """Set what media queries say: prefers_color_scheme="dark"."""
        told = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.ask("Emulation.setEmulatedMedia", features=told)

    def run(self, script: str) -> Any:
        """Return the value of an expression; a promise is waited for."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True,
                          awaitPromise=True)  # fmt: skip
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        text = {"Enter": "\r", "Space": " "}.get(key, key if len(key) == 1 else "")
        name = " " if key == "Space" else key
        for kind, typed in (("keyDown", text), ("keyUp", "")):
            self.ask("Input.dispatchKeyEvent", type=kind, key=name, text=typed,
                     windowsVirtualKeyCode=CODES.get(key, 0))  # fmt: skip

    def click(self, x: float, y: float) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def click_on(self, selector: str) -> None:
        """Click in the middle of the first element that a selector finds."""
        found = self.run(
            f"(() => {{ const r = document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        self.click(*found)

    def picture(self, path: Path) -> None:
        """Write what is seen as a PNG."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings of the console, and whatever the policy has refused."""
        found: list[str] = []
        for message in self.messages:
            params = message["params"]
            if message["method"] == "Runtime.exceptionThrown":
                found.append(str(params["exceptionDetails"]))
            elif message["method"] == "Runtime.consoleAPICalled":
                found.append(str(params["args"]))
            elif message["method"] == "Log.entryAdded":
                found.append(params["entry"]["text"])
        return found

    @property
    def requests(self) -> list[str]:
        """The addresses that were asked for."""
        sent = [m for m in self.messages if m["method"] == "Network.requestWillBeSent"]
        return [m["params"]["request"]["url"] for m in sent]

    def _send(self, data: bytes) -> None:
        """Send one text frame, masked as clients must (RFC 6455, section 5)."""
        mask = os.urandom(4)
        size = len(data)
        head = bytes([0x81, 0x80 | size]) if size < 126 else b"\x81" + (
            struct.pack("!BH", 0xFE, size) if size < 1 << 16 else struct.pack("!BQ", 0xFF, size)
        )  # fmt: skip
        mixed = int.from_bytes(data, "little") ^ int.from_bytes(
            (mask * (size // 4 + 1))[:size], "little"
        )
        assert self.socket is not None
        self.socket.sendall(head + mask + mixed.to_bytes(size, "little"))

    def _receive(self) -> bytes:
        """Return one message, which may come in several frames."""
        parts: list[bytes] = []
        while True:
            first, second = self._read(2)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(self._read(2 if size == 126 else 8), "big")
            parts.append(self._read(size))
            if first & 0x80:
                return b"".join(parts)

    def _read(self, size: int) -> bytes:
        assert self.socket is not None
        parts = bytearray()
        while len(parts) < size:
            part = self.socket.recv(min(size - len(parts), 1 << 16))
            assert part, "the browser has gone"
            parts += part
        return bytes(parts)


def _connected(folder: Path) -> socket.socket:
    """Return a socket to the browser's first page, upgraded to frames."""
    until = time.monotonic() + SECONDS
    file = folder / "DevToolsActivePort"
    while not (file.exists() and file.read_text().count("\n")):
        assert time.monotonic() < until, "chromium did not start"
        time.sleep(0.05)
    port = int(file.read_text().split("\n")[0])
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=SECONDS) as answer:
        pages = [page for page in json.load(answer) if page["type"] == "page"]
    path = pages[0]["webSocketDebuggerUrl"].partition(f":{port}")[2]
    made = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    key = base64.b64encode(os.urandom(16)).decode()
    made.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        .encode()
    )  # fmt: skip
    said = b""
    while b"\r\n\r\n" not in said:
        said += made.recv(1)
    assert b" 101 " in said.split(b"\r\n")[0], said
    return made
