"""What stands behind a middle: ``llama-server``, or the embedded server; behind a router, its child."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tests.faults.processes import TrialError, until
from tests.faults.real import Real
from tests.middles import client
from tests.middles.middles import DRAINS_S, Router

WAKE_S = 60.0


class Backend(Protocol):
    """A server that can be struck."""

    port: int
    pid: int

    def kill(self) -> None:
        """End it at once, without its leave."""

    def stop(self) -> None:
        """Stop it by a signal."""

    def go_on(self) -> None:
        """Let it run again."""

    def again(self) -> None:
        """Start it anew, at the same port where it has one of its own, and wait until it answers."""

    def restart(self) -> None:
        """End it in order, and start it anew."""


class Server:
    """A server of its own."""

    def __init__(self, folder: Path, port: int, way: Callable[[int], list[str]]) -> None:
        self.port = port
        self._folder, self._way = folder, way
        self._real = Real(folder, port, way(port))
        self.model = self._real.model

    @property
    def pid(self) -> int:
        return self._real.pid

    def kill(self) -> None:
        self._real.send(signal.SIGKILL)
        self._real.reap()

    def stop(self) -> None:
        self._real.send(signal.SIGSTOP)

    def go_on(self) -> None:
        self._real.send(signal.SIGCONT)

    def again(self) -> None:
        self._real.close()
        self._real = Real(self._folder, self.port, self._way(self.port))

    def restart(self) -> None:
        self._real.send(signal.SIGTERM)
        self._real.ended_or_killed(DRAINS_S)
        self.again()

    def close(self) -> None:
        """End it."""
        self._real.close()


class Child:
    """The child of a router, which starts it anew for the next request, at another port."""

    def __init__(self, router: Router) -> None:
        self._router, self.model = router, router.model
        self.pid = self.port = 0
        self.again()

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def stop(self) -> None:
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        self._send(signal.SIGCONT)

    def again(self) -> None:
        until(lambda: client.chat(self._router.port, self.model, WAKE_S) == "200", "the router loads its model", WAKE_S)
        self.pid, self.port = until(lambda: all(found := self._router.child()) and found, "the router has a child")

    def restart(self) -> None:
        self._send(signal.SIGTERM)
        with suppress(TrialError):  # it waits for the end of its streams
            until(self._ended, "the child has ended", DRAINS_S)
        if not self._ended():
            self._send(signal.SIGKILL)
        until(self._ended, "the child has ended")
        self.again()

    def _ended(self) -> bool:
        return not Path(f"/proc/{self.pid}").exists()

    def _send(self, number: int) -> None:
        os.kill(self.pid, number)
