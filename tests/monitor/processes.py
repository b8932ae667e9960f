"""Real processes to watch: a small server that can be made to fail, and the recorder as the keeper runs it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seatrial.monitor.process.tree import Tree
from seatrial.records import Event, Line, Log, Probe, RunInfo, Sample, Stop, Threads
from seatrial.run.directory import RunDir
from seatrial.stops import fold
from tests.waiting import DEADLINE_S, until

SERVER = """
import http.server, os, signal, socket, subprocess, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/exit/"):
            os._exit(int(self.path[6:]))
        body = b"ok"
        if self.path == "/child":
            global child
            child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
            body = str(child.pid).encode()
        if self.path == "/runner":
            threading.Thread(target=supervise, daemon=True).start()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
def supervise():
    while True:
        subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"]).wait()
class Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True
    def handle_error(self, *_): pass
def serve(port):
    server = Server(("127.0.0.1", port), Handler)
    print(server.server_port, flush=True)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests under nohup has it ignored
    signal.signal(signal.SIGUSR1, lambda *_: server.socket.close())
    try:
        server.serve_forever(poll_interval=0.05)
    except (OSError, ValueError):
        threading.Event().wait()
serve(int(sys.argv[1]))
"""


class Server:
    """A server of ours, as somebody else's process: the recorder is not its parent."""

    def __init__(self, port: int = 0, *more: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(port), *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,  # its children are of it, and end with it
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        self.pid = self.process.pid

    def send(self, number: signal.Signals) -> int:
        """Signal it; the time just before."""
        at = time.monotonic_ns()
        os.kill(self.pid, number)
        return at

    def ended_at(self, *, reap: bool = True) -> int:
        """Wait for its end by a pidfd of our own; the time at which that turned readable."""
        handle = os.pidfd_open(self.pid)
        try:
            assert select.select([handle], [], [], DEADLINE_S)[0], "it does not end"
            at = time.monotonic_ns()
        finally:
            os.close(handle)
        if reap:
            self.process.wait()
        return at

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        assert self.process.stdout is not None
        self.process.stdout.close()


class Recording:
    """The recorder in a process of its own, and what it has written so far."""

    def __init__(self, folder: Path) -> None:
        info = RunInfo(id="t", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
        self.rundir = RunDir.create(folder / "run", info)
        self.process: subprocess.Popen[bytes] | None = None

    def start(
        self, environment: Mapping[str, str] | None = None, *, before: Callable[[], None] | None = None
    ) -> Recording:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "seatrial.monitor.recorder", str(self.rundir.path)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=before,  # noqa: PLW1509 - no thread of ours runs then
            env={**os.environ, **(environment or {})},
        )
        return self

    def command(self, **fields: Any) -> None:
        self.raw(json.dumps(fields).encode() + b"\n")

    def raw(self, data: bytes) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def watch(
        self, server: Server, *, name: str = "a", pid: int | None = None, generation: int = 0, **more: Any
    ) -> Recording:
        self.command(name=name, host="127.0.0.1", port=server.port, base=server.url, pid=pid,
                     generation=generation, **more)  # fmt: skip
        return self

    def watch_pid(self, pid: int, *, name: str = "job", **more: Any) -> Recording:
        self.command(name=name, pid=pid, **more)
        return self

    def lines(self) -> list[Line]:
        return self.rundir.in_time("watch/**/*.jsonl")

    def events(self, what: str, name: str = "") -> list[Event]:
        """The events of one sort: of all that is watched, or of one."""
        return [x for x in self.lines() if isinstance(x, Event) and x.what == what and name in ("", x.name)]

    def samples(self) -> list[Sample]:
        return [x for x in self.lines() if isinstance(x, Sample)]

    def probes(self) -> list[Probe]:
        return [x for x in self.lines() if isinstance(x, Probe)]

    def logs(self) -> list[Log]:
        return [x for x in self.lines() if isinstance(x, Log)]

    def threads(self) -> list[Threads]:
        return [x for x in self.lines() if isinstance(x, Threads)]

    def troubles(self) -> list[str]:
        return [x.text for x in self.events("trouble") if x.name != "gpu"]

    def healthy(self) -> Recording:
        """Wait until the server has been found, sampled and heard."""
        until(
            lambda: self.samples() and any(p.health == 200 for p in self.probes()), "a sample and an answer of /health"
        )
        return self

    def seal(self) -> tuple[Stop, ...]:
        """End the record as the keeper does; the stops in it."""
        assert self.process is not None
        self.command(seal=True)
        assert self.process.wait(DEADLINE_S) == 0
        return fold.fold(self.lines())

    def close(self) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stderr):
                assert pipe is not None
                with contextmanager(_quietly)():
                    pipe.close()


def _quietly() -> Iterator[None]:
    try:
        yield
    except OSError:
        return


def let_go(tree: Tree) -> None:
    """Watch none of them any more."""
    for watched in list(tree.watched.values()):
        if watched.pidfd is not None:
            os.close(watched.pidfd)
        tree.drop(watched)
