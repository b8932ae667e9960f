"""Endpoints to climb: servers that say what a test wants, and a ladder with the lines it writes."""

from __future__ import annotations

import http.server
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

from seatrial.kinds.kind import HEALTH
from seatrial.monitor.ladder.ladder import Ladder
from seatrial.monitor.ladder.price import Price
from seatrial.records import Ask, Event, Line, Meter
from seatrial.records.targets import Watch
from seatrial.wire.transports import probe

DEADLINE_S = 15.0
KEY = "sk-0123456789-secret"
UP = probe.ProbeAnswer(status=200)

Handler = http.server.BaseHTTPRequestHandler
Speak = Callable[[Handler], None]


def reply(status: int, body: Any = b"", **headers: str) -> Speak:
    """A whole answer; a body that is no bytes is sent as JSON."""

    def speak(handler: Handler) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return speak


def events(*texts: str, done: bool = True) -> Speak:
    """A stream of these texts, a delta each; a text that begins with ``:`` is a comment."""

    def speak(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.end_headers()
        for text in texts:
            chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
            handler.wfile.write(f"{text if text[:1] == ':' else 'data: ' + json.dumps(chunk)}\n\n".encode())
        if done:
            handler.wfile.write(b"data: [DONE]\n\n")

    return speak


def hang(handler: Handler) -> None:
    """Say nothing until the client leaves."""
    handler.connection.settimeout(DEADLINE_S)
    handler.rfile.read(1)


def left(connection: socket.socket) -> bool:
    """Whether its client has left, by the kernel: the thread that waits for it may not know yet."""
    try:
        said, _, _ = select.select([connection], [], [], 0)
        return bool(said) and not connection.recv(1, socket.MSG_PEEK)
    except (OSError, ValueError):  # closed on our side
        return True


def then(*speaks: Speak) -> Speak:
    """One after another, a request each; the last for good."""
    left = list(speaks)

    def speak(handler: Handler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return speak


class Site:
    """A server whose paths are set by the test: ``asked`` holds what came, ``most`` how many were open at once."""

    def __init__(self, **paths: Speak) -> None:
        self.paths = {f"/{name.replace('__', '/')}": speak for name, speak in paths.items()}
        self.asked: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.open: dict[str, list[socket.socket]] = {}
        self.most: dict[str, int] = {}
        site, lock = self, threading.Lock()

        class Answers(Handler):
            def do_GET(self) -> None:  # noqa: N802
                with lock:
                    site.asked.append(self.path)
                    site.headers.append({name.lower(): value for name, value in self.headers.items()})
                    here = [*(each for each in site.open.get(self.path, []) if not left(each)), self.connection]
                    site.open[self.path] = here
                    site.most[self.path] = max(site.most.get(self.path, 0), len(here))
                site.paths.get(self.path, reply(404))(self)
                with lock:
                    site.open[self.path] = [each for each in site.open[self.path] if each is not self.connection]

            def do_POST(self) -> None:  # noqa: N802
                site.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """A client that has left is no news."""

        self.server = Server(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def count(self, path: str) -> int:
        return self.asked.count(path)


@contextmanager
def site(**paths: Speak) -> Iterator[Site]:
    """A running site; two underscores in a name are a slash."""
    made = Site(**paths)
    threading.Thread(target=made.server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


class Looks:
    """A prober that asks nothing: what it knows is set by the test."""

    def __init__(self) -> None:
        self.local: bool | None = True
        self.heard: probe.ProbeAnswer | None = UP
        self.path = HEALTH
        self.price = Price("a")

    def forget(self) -> None:
        self.path = HEALTH


class Climb:
    """A ladder, ticked fifty times a second while a test waits, and what it wrote."""

    def __init__(self, url: str, *, arguments: str | None = None, patience_s: float = 5, **watch: Any) -> None:
        self.lines: list[Line] = []
        self.prober = Looks()
        self.life: Any = SimpleNamespace(incarnation="one", arguments=arguments or "llama-server")
        fields = {"name": "a", "base": url.removesuffix("/v1"), "api": url, "model": "m", **watch}
        self.ladder = Ladder(
            "a",
            Watch(**fields),
            self.prober,
            write=self.lines.append,
            say=self.lines.append,
            process=lambda: cast("Any", self.life),
            patience_s=patience_s,
        )

    def tick(self, *, ask: bool = True) -> None:
        self.ladder.tick(time.monotonic_ns(), ask=ask)

    def until(self, what: Callable[[], Any], text: str = "the condition", *, ask: bool = True) -> Any:
        """Tick until the condition holds; what it gives."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            found = what()
            if found:
                return found
            self.tick(ask=ask)
            select.select([], [], [], 0.02)
        raise AssertionError(f"not within {DEADLINE_S:.0f} s: {text}; {self.lines[-5:]}")

    def asks(self, rung: str, *, over: bool | None = True) -> list[Ask]:
        """Its questions that are over, under way, or (None) both; skipped ones are not among them."""
        found = [x for x in list(self.lines) if isinstance(x, Ask) and x.rung == rung and not x.skipped]
        return [x for x in found if over is None or bool(x.ended_at) == over]

    def skipped(self, rung: str) -> list[str]:
        return [x.skipped for x in list(self.lines) if isinstance(x, Ask) and x.rung == rung and x.skipped]

    def meters(self, source: str = "") -> list[Meter]:
        return [x for x in list(self.lines) if isinstance(x, Meter) and x.source.endswith(source)]

    def troubles(self) -> list[str]:
        return [x.text for x in list(self.lines) if isinstance(x, Event)]


@contextmanager
def climb(url: str, **more: Any) -> Iterator[Climb]:
    """A ladder that ends with its test."""
    made = Climb(url, **more)
    yield made
    made.ladder.close()
