"""What a trial starts: golden processes, gateways, impostors, the recorder. Each is ended by its own number."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DEADLINE_S = 30.0
PORTS = range(20_000, 32_000)
"""Below the range from which the kernel draws the ports of clients: nobody else takes one between two lives."""
_taken: set[int] = set()
_numbers = itertools.count()


class TrialError(Exception):
    """A trial could not be carried out: nothing is known of the detector by it."""


halted = threading.Event()
"""Ctrl-C was pressed: whoever waits stops waiting, and ends what it has started."""


def pause(seconds: float) -> None:
    """Wait, but not once we are told to end."""
    if halted.wait(seconds):
        raise TrialError("ended by hand")


def until(what: Callable[[], Any], text: str, seconds: float = DEADLINE_S) -> Any:
    """What the condition gives once it holds.

    Raises:
        TrialError: it does not within the deadline.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        pause(0.02)
    raise TrialError(f"not within {seconds:.0f} s: {text}")


def free_port(rng: random.Random) -> int:
    """A port of our own, that nobody listens on."""
    while True:
        port = rng.choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as sock:
            if port not in _taken:
                sock.bind(("127.0.0.1", port))
                _taken.add(port)
                return port


class Process:
    """A script of ours, as somebody else's process: it says a line when it is ready, and is steered over a socket."""

    def __init__(self, folder: Path, script: str, *arguments: str, orders: bool = True) -> None:
        number = next(_numbers)
        self.orders = folder / f"{number}.sock"
        self.log = folder / f"{number}.log"
        told = [f"--orders={self.orders}"] if orders else []
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-E", "-S", str(HERE / f"{script}.py"), *arguments, *told],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self.process.pid
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], DEADLINE_S)[0]:
            raise TrialError(f"{script} does not start")
        self.said: dict[str, Any] = json.loads(self.process.stdout.readline() or "{}")

    def order(self, do: str, **more: Any) -> Reply:
        """Give an order; its reply tells when it was carried out."""
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(2 * DEADLINE_S)
        until(lambda: _connected(sock, self.orders), "its orders are taken")
        sock.sendall(json.dumps({"do": do, **more}).encode() + b"\n")
        return Reply(sock)

    def send(self, number: int, pid: int | None = None) -> int:
        """Signal it; the time just before, monotonic ns."""
        at = time.monotonic_ns()
        os.kill(pid or self.pid, number)
        return at

    def reap(self) -> None:
        """Wait for its end and take its status, as its parent does."""
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired as error:
            raise TrialError("it does not end") from error

    def ended_or_killed(self, grace_s: float) -> None:
        """Wait for its end as a supervisor does: past the time of grace it is killed."""
        try:
            self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self.reap()

    def close(self) -> None:
        """End it and all it has started: they are a session of their own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Reply:
    """The answer to an order, which may come much later."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def get(self) -> dict[str, int]:
        """Wait for it.

        Raises:
            TrialError: it does not come.
        """
        try:
            with self._sock, self._sock.makefile("rb") as lines:
                found: dict[str, int] = json.loads(lines.readline())
        except (OSError, ValueError) as error:
            raise TrialError(f"an order was not carried out: {error}") from error
        return found

    @property
    def at(self) -> int:
        """When it was carried out, monotonic ns."""
        return self.get()["at"]


class Golden(Process):
    """A golden process."""

    real = False
    model, key, sleeps = "golden", "", False

    def __init__(self, folder: Path, rng: random.Random, *arguments: str) -> None:
        self.port = free_port(rng)
        super().__init__(folder, "fixture", f"--port={self.port}", *arguments)
        self.pid = self.said.get("pid", self.pid)
        self.root = self.process.pid

    def close(self) -> None:
        self.pid = self.root
        super().close()

    def again(self, folder: Path, *arguments: str) -> Process:
        """A successor at the same port."""
        return Process(folder, "fixture", f"--port={self.port}", *arguments)


class Gateway(Process):
    """A gateway in front of a server."""

    real = False
    key = ""

    def __init__(self, folder: Path, rng: random.Random, behind: Any, *arguments: str) -> None:
        self.port, self.model = free_port(rng), behind.model
        super().__init__(folder, "gateway", f"--port={self.port}", f"--backend={behind.port}", *arguments)


def _connected(sock: socket.socket, path: Path) -> bool:
    try:
        sock.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    return True
