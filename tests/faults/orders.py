"""The orders that a golden process obeys: how it is told to fail. Beside ``fixture``, and without site packages too."""

from __future__ import annotations

import json
import mmap
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import Engine  # beside this script
from manners import Manner
from pace import pace

RUNNER = "import sys; sys.stdin.read()"
"""The child that would do the work: it waits."""


class Orders:
    """What it may be told, and what of the server that changes."""

    engine: Engine
    manner: Manner
    listener: socket.socket
    listening: bool

    def __init__(self) -> None:
        self.runner: subprocess.Popen[bytes] | None = None
        self.needed = False  # without its runner it answers every chat with 500
        self.abort_at: tuple[int, socket.socket] | None = None
        self.pieces: list[mmap.mmap] = []  # of memory it has taken
        self.used: list[bytes] = []  # and of such that it has filled

    def obey(self, order: dict[str, Any], sock: socket.socket) -> None:
        """Carry out one order and say when."""
        carry_out: Callable[..., bool | None] = getattr(self, f"do_{order.pop('do')}")
        if carry_out(sock, **order) is not False:
            _say(sock)

    def do_exit(self, sock: socket.socket, code: int) -> None:
        _say(sock)
        os._exit(code)

    def do_raise(self, sock: socket.socket, number: int) -> None:
        _say(sock)
        os.kill(os.getpid(), number)

    def do_abort(self, sock: socket.socket, event: int) -> bool:
        self.abort_at = (event, sock)
        return False

    def do_deaf(self, sock: socket.socket) -> None:
        self.listening = False
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def do_wedge(self, sock: socket.socket) -> None:
        self.engine.wedge()

    def do_unwedge(self, sock: socket.socket) -> None:
        self.engine.go.set()

    def do_manner(self, sock: socket.socket, how: str) -> None:
        """Meet chats so from now on."""
        self.manner = Manner(how)

    def do_write(self, sock: socket.socket, text: str) -> None:
        """Write a line into its log."""
        os.write(2, text.encode() + b"\n")

    def do_prefill(self, sock: socket.socket, seconds: float, how: str) -> None:
        self.engine.prefill, self.engine.how = seconds, how

    def do_sleep(self, sock: socket.socket, load_s: float) -> None:
        self.engine.asleep, self.engine.load_s = True, load_s

    def do_fill(self, sock: socket.socket, more_mb: int) -> None:
        """Limit the address space, and use nearly all of it."""
        size = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
        limit = size + more_mb * 1_000_000
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        if (rest := int(limit * 0.95) - size) > 0:  # threads may have reserved more than that by now
            self.pieces.append(mmap.mmap(-1, rest))

    def do_grow(self, sock: socket.socket, mb: int, seconds: float) -> None:
        """Use more and more memory, in twenty steps."""
        for _ in range(20):
            self.used.append(b"x" * (mb * 50_000))
            pace(seconds / 20)

    def do_log(self, sock: socket.socket, rate: int, seconds: float) -> None:
        """Write so many lines a second into its log, for a while."""

        def write() -> None:
            for _ in range(int(seconds * 20)):
                os.write(2, b"slot 0: the prompt is read again\n" * (rate // 20))
                pace(0.05)

        threading.Thread(target=write, daemon=True).start()

    def do_free(self, sock: socket.socket) -> None:
        """Give it back."""
        self.used.clear()

    def do_exhaust(self, sock: socket.socket) -> bool:
        """Use up the rest, and end as a C++ program does that cannot allocate."""
        spare = mmap.mmap(-1, 2_000_000)  # to say so
        try:
            while True:
                self.pieces.append(mmap.mmap(-1, 1_000_000))
        except (OSError, MemoryError):
            spare.close()
            _say(sock)
            os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n")
            os.abort()

    def do_runner(self, sock: socket.socket) -> None:
        """Start the child, and start it again whenever it ends."""
        started = threading.Event()

        def keep() -> None:
            while True:
                self.runner = self._child()
                started.set()
                self.runner.wait()

        threading.Thread(target=keep, daemon=True).start()
        started.wait()

    def do_engine(self, sock: socket.socket) -> None:
        """Start a child without which no chat is answered, and that nobody starts again."""
        self.needed, self.runner = True, self._child()
        threading.Thread(target=self.runner.wait, daemon=True).start()

    def do_recycle(self, sock: socket.socket) -> None:
        """A master's work: another worker is started, then the old one is ended in order."""
        old, self.runner = self.runner, self._child()
        assert old is not None
        old.terminate()
        old.wait()

    def do_unload(self, sock: socket.socket) -> None:
        """The child has nothing to do, and its parent kills it."""
        assert self.runner is not None
        self.needed = False
        self.runner.kill()
        self.runner.wait()

    def _child(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-E", "-S", "-c", RUNNER], stdin=subprocess.PIPE)

    def do_runner_pid(self, sock: socket.socket) -> bool:
        assert self.runner is not None
        _say(sock, pid=self.runner.pid)
        return False


def _say(sock: socket.socket, **more: int) -> None:
    sock.sendall(json.dumps({"at": time.monotonic_ns(), **more}).encode() + b"\n")


def take_orders(path: str, golden: Orders) -> None:
    """Listen for orders in a thread."""
    with socket.socket(socket.AF_UNIX) as door:
        Path(path).unlink(missing_ok=True)
        door.bind(path)
        door.listen(8)
        while True:
            sock, _ = door.accept()
            threading.Thread(target=_orders, args=(sock, golden), daemon=True).start()


def _orders(sock: socket.socket, golden: Orders) -> None:
    with sock, sock.makefile("rb") as lines:
        for line in lines:
            golden.obey(json.loads(line), sock)
