"""Who listens where, asked again and again, and the process that owns a socket."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from seatrial.monitor.process.procfiles import read
from seatrial.wire.sockdiag import Listener, SockDiag

GENERATIONS = 8
"""Steps up from a process that holds a socket to those above it that hold the socket too."""
KEEPERS = frozenset({"systemd"})
"""Service managers that keep a socket for a server, which they start with the first connection. What else they start
has nothing to do with that server."""
KEPT = "a service manager keeps the socket, and no server has it now"


class Listening:
    """Who listens, asked again and again; what the kernel refuses is not asked of the same socket twice."""

    def __init__(self) -> None:
        self._diag = _sock_diag()

    def look(self) -> list[Listener] | None:
        """Every LISTEN socket, or None: the kernel refuses."""
        if self._diag is None:
            return None
        try:
            return self._diag.listeners()
        except OSError:  # an answer that comes late must not be taken for that to the next question
            self._diag.close()
            self._diag = _sock_diag()
            return None


def _sock_diag() -> SockDiag | None:
    try:
        return SockDiag()
    except OSError:
        return None


def owner_of(inode: int, likely: Iterable[int] = ()) -> tuple[int | None, str]:
    """The process that holds a socket, or None and why it cannot be named.

    Of several (a forked family) it is the one above the others, as far as that is seen: workers come and go. A manager
    that keeps the socket for a server does not serve. Reads every process's open files: call it only when the inode is
    new.
    """
    link = f"socket:[{inode}]"
    for pid in likely:
        if _holds(pid, link) and not _keeps(pid):
            return _topmost(pid, link), ""
    refused = kept = False
    for pid in sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()):
        held = _holds(pid, link)
        if held and not _keeps(pid):
            return _topmost(pid, link), ""
        kept = kept or bool(held)
        refused = refused or held is None
    if kept:
        return None, KEPT
    return None, "the socket belongs to another user's process" if refused else "no process of this namespace holds it"


def _topmost(pid: int, link: str) -> int:
    """The process above this one that holds the socket too, where each in between does."""
    for _ in range(GENERATIONS):
        stat = read(f"/proc/{pid}/stat") or b""
        fields = stat.rpartition(b")")[2].split()
        above = int(fields[1]) if len(fields) > 1 else 0
        if above <= 1 or not _holds(above, link) or _keeps(above):
            break
        pid = above
    return pid


def _keeps(pid: int) -> bool:
    """Whether a process that holds a socket is a manager that keeps it for a server."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/exe").readlink().name in KEEPERS
    return False


def _holds(pid: int, link: str) -> bool | None:
    """Whether a process has the socket open; None where we may not look."""
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if os.readlink(entry.path) == link:  # noqa: PTH115 - a thousand files: no Path for each
                        return True
    except PermissionError:
        return None
    except OSError:
        return False
    return False
