"""A service manager that keeps a socket and starts the server for it (socket activation) is not that server."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seatrial.monitor.process import sockets
from seatrial.monitor.process.owners import AGAIN_NS, SOON_NS, Finder, Owner
from tests.waiting import until

MANAGER = """
import socket, subprocess, sys
kept = socket.create_server(("127.0.0.1", 0))
print(kept.getsockname()[1], flush=True)
for _ in sys.stdin:
    child = subprocess.Popen([sys.argv[1], "-c", "import signal; signal.pause()"], pass_fds=(kept.fileno(),))
    print(child.pid, flush=True)
    child.wait()
    print("gone", flush=True)
"""


class Manager:
    """Keeps a socket; ``start`` starts a server that has it too."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, self.pid = process, process.pid
        self.servers: list[int] = []
        port = int(self.said())
        diag = sockets.SockDiag()
        (self.inode,) = [x.inode for x in diag.listeners() if x.port == port]
        diag.close()

    def start(self) -> int:
        """The pid of a server that begins."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self.servers.append(int(self.said()))
        return self.servers[-1]

    def said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def managed(folder: Path, name: str) -> Iterator[Manager]:
    """A manager whose executable has this name."""
    program = shutil.copy(Path(sys.executable).resolve(), folder / name)
    with subprocess.Popen(
        [program, "-c", MANAGER, sys.executable], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONHOME": sys.base_prefix},
    ) as process:  # fmt: skip
        manager = Manager(process)
        try:
            yield manager
        finally:
            process.kill()
            for pid in manager.servers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def test_the_server_owns_a_socket_that_a_service_manager_keeps_for_it(tmp_path):
    with managed(tmp_path, "systemd") as manager:
        assert sockets.owner_of(manager.inode) == (None, sockets.KEPT)
        server = manager.start()
        until(lambda: sockets.owner_of(manager.inode) == (server, ""), "it has the socket")
        assert sockets.owner_of(manager.inode, likely=[manager.pid]) == (server, "")
        os.kill(server, signal.SIGKILL)
        assert manager.said() == "gone"
        assert sockets.owner_of(manager.inode, likely=[manager.pid]) == (None, sockets.KEPT)


@pytest.mark.parametrize("name", ["gunicorn", "systemd-socket-proxyd"])
def test_a_master_that_has_the_socket_with_its_worker_owns_it(tmp_path, name):
    with managed(tmp_path, name) as manager:
        assert sockets.owner_of(manager.inode) == (manager.pid, "")
        worker = manager.start()
        assert sockets.owner_of(manager.inode, likely=[worker]) == (manager.pid, "")


@pytest.mark.parametrize(("why", "again"), [(sockets.KEPT, SOON_NS), ("another user's", AGAIN_NS)])
def test_whom_a_manager_will_start_is_looked_for_soon_again(why, again):
    found = Finder(os.eventfd(0, os.EFD_NONBLOCK))
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            inode, now = os.fstat(server.fileno()).st_ino, time.monotonic_ns()
            found._owners[inode] = Owner(None, why, now)
            assert found.owner(inode, (), now + again - 1).pid is None
            assert not found._searching
            found.owner(inode, (), now + again)
            until(lambda: found.owner(inode, (), now + again).pid == os.getpid(), "it is found")
    finally:
        found.close()
