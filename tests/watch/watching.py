"""``seatrial watch`` as a user starts it: a process, its lines, its exit status, its record."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.waiting import DEADLINE_S, until

SUPERVISED = """
import http.server, os, socket, sys
listener = None
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True
port = 0
while True:  # the next one listens a few ms after the one before has ended
    said, say = os.pipe()
    child = os.fork()
    if not child:
        server = Server(("127.0.0.1", port), Handler)
        os.write(say, b"%d" % server.server_port)
        os.close(say)
        server.serve_forever()
    os.close(say)
    port = int(os.read(said, 16) or b"0")
    os.close(said)
    print(port, child, flush=True)
    os.waitpid(child, 0)
"""
"""A supervisor and its server: what it started last, and where it listens, stands on its stdout."""


class Supervised:
    """A server that comes back by itself at once."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISED], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.port, self.pid = self.next()
        self.url = f"http://127.0.0.1:{self.port}"

    def next(self) -> tuple[int, int]:
        """Port and pid of the next one it starts."""
        assert self.process.stdout is not None
        port, pid = self.process.stdout.readline().split()
        return int(port), int(pid)

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def _heeds_interrupts() -> None:
    """Whoever runs the tests in the background of a shell has SIGINT ignored, and so has what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Watch:
    """One ``seatrial watch`` with its record kept; ended at the latest by :meth:`close`.

    Args:
        record: where the record goes; None: it is not kept.
    """

    def __init__(self, *arguments: str, record: Path | None = None) -> None:
        self.record = record
        kept = () if record is None else (f"--record={record}",)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "seatrial.cli", "watch", *kept, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_heeds_interrupts,  # noqa: PLW1509 - no thread of ours holds a lock then
        )

    def healthy(self, *names: str) -> Watch:
        """Wait until each of the servers has been found, sampled and heard."""
        for name in names:
            until(lambda name=name: self._known(name), f"{name} is known to the watch")
        return self

    def _known(self, name: str) -> bool:
        mine = [line for line in self.recorded() if line.get("name") == name]
        sampled = any(line["kind"] == "sample" for line in mine)
        return sampled and any(line["kind"] == "probe" and line.get("health") == 200 for line in mine)

    def recorded(self) -> list[dict[str, Any]]:
        """The whole lines of the recorder so far."""
        assert self.record is not None
        found: list[dict[str, Any]] = []
        for name in ("samples.jsonl", "events.jsonl"):
            path = self.record / "watch" / name
            if path.is_file():
                found += [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
        return found

    def objects(self, number: int) -> list[dict[str, Any]]:
        """The next ``number`` objects on its stdout."""
        assert self.process.stdout is not None
        return [json.loads(self.process.stdout.readline()) for _ in range(number)]

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str, str]:
        """Exit status, and the rest of what it said on stdout and on stderr."""
        out, err = self.process.communicate(timeout=3 * DEADLINE_S)
        assert b"Traceback" not in err, err.decode()
        return self.process.returncode, out.decode(), err.decode()

    def children(self) -> list[int]:
        """Pids of all its processes, once the recorder runs."""

        def both() -> list[int]:
            keepers = _children(self.process.pid)
            recorders = [pid for keeper in keepers for pid in _children(keeper)]
            return [*keepers, *recorders] if recorders else []

        found: list[int] = until(both, "a keeper and a recorder")
        return found

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def _children(pid: int) -> list[int]:
    try:
        return [int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def judged(record: Path) -> tuple[int, str]:
    """Exit status and text of ``seatrial judge`` of a record."""
    found = subprocess.run(
        [sys.executable, "-m", "seatrial.cli", "judge", str(record)], capture_output=True, text=True, check=False,
        timeout=4 * DEADLINE_S,
    )  # fmt: skip
    assert "Traceback" not in found.stderr, found.stderr
    return found.returncode, found.stdout
