"""Who holds a LISTEN socket, and how many connections a port has: asked in a thread, for each may take long.

Naming a socket's owner reads the open files of every process; counting connections has the kernel walk the table of
all of them. Neither may keep the loop from a pidfd.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Iterable

import msgspec

from seatrial.monitor.process import sockets
from seatrial.wire.sockdiag import SockDiag

AGAIN_NS = 30_000_000_000
"""Between two searches for an owner that could not be named."""
SOON_NS = 1_000_000_000
"""The same while a service manager keeps the socket for a server that it is about to start."""


class Owner(msgspec.Struct, frozen=True):
    """The process that holds a socket, or None and why it cannot be named."""

    pid: int | None
    why: str
    at: int


class Finder:
    """The thread, and what it has found. The eventfd ``wake`` is written with each answer."""

    def __init__(self, wake: int) -> None:
        self._wake = wake
        self._owners: dict[int, Owner] = {}
        self._searching: set[int] = set()
        self._counts: dict[int, int | None] = {}
        self._counting: set[int] = set()
        self._asked: queue.SimpleQueue[tuple[str, int, tuple[int, ...], int] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="owners", daemon=True).start()

    def owner(self, inode: int, likely: Iterable[int], now: int) -> Owner | None:
        """Who holds a socket; None: it is being looked for.

        Args:
            likely: pids to look at first.
        """
        known = self._owners.get(inode)
        again = SOON_NS if known is not None and known.why == sockets.KEPT else AGAIN_NS
        stale = known is not None and known.pid is None and now - known.at >= again
        if (known is None or stale) and inode not in self._searching:
            self._searching.add(inode)
            self._asked.put(("owner", inode, tuple(likely), now))
        return known

    def forget(self, pid: int) -> None:
        """A process has ended: what it held, another may hold now."""
        self._owners = {inode: found for inode, found in self._owners.items() if found.pid != pid}

    def established(self, port: int) -> int | None:
        """Connections ESTABLISHED to a port, as counted a moment ago; None: not yet, or the kernel refuses."""
        if port not in self._counting:
            self._counting.add(port)
            self._asked.put(("established", port, (), 0))
        return self._counts.get(port)

    def forget_count(self, port: int) -> None:
        """The port listens again: a later count must not be this one."""
        self._counts.pop(port, None)

    def close(self) -> None:
        self._asked.put(None)

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            what, number, likely, at = asked
            if what == "owner":
                try:
                    pid, why = sockets.owner_of(number, likely)
                except OSError as error:
                    pid, why = None, f"the socket's owner cannot be named: {error.strerror} (/proc)"
                self._owners[number] = Owner(pid, why, at)
                self._searching.discard(number)
            else:
                self._counts[number] = _count(number)
                self._counting.discard(number)
            with contextlib.suppress(OSError):
                os.eventfd_write(self._wake, 1)


def _count(port: int) -> int | None:
    try:
        diag = SockDiag()
    except OSError:
        return None
    try:
        return diag.established(port)
    except OSError:
        return None
    finally:
        diag.close()
