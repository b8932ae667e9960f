"""Who holds an endpoint: a note beside its lock, for whoever has to wait.

A note is a file that its writer holds by flock as long as it lives: what nobody holds was left by a process that died,
and is removed by the next one who looks. So a pid that was given to another process misleads nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from seatrial.text import visible

How = Literal["waits", "next", "shared", "alone"]
SHOWN = 200
NEWBORN_S = 5.0
"""An empty note this young may be about to be taken by its writer."""
_number = itertools.count()


def _unheard(_text: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants an endpoint.

    Attributes:
        run: path of the run; empty where there is none.
        what: what it is wanted for, for others who wait: ``a soak of 60 s``.
        main: pid of the process that ends the run when it is told to; 0: the one that claims.
        say: takes the lines that tell why there is a wait.
    """

    run: str = ""
    what: str = ""
    main: int = 0
    say: Callable[[str], None] = _unheard


class Holder(msgspec.Struct, frozen=True):
    """What a note says. ``how``: it waits, is next and keeps later ones out, shares the endpoint, or has it alone."""

    pid: int
    how: How
    since: str  # local time of day
    run: str = ""
    what: str = ""
    main: int = 0

    @property
    def stopped(self) -> bool:
        """Whether its process, or that of its run, is stopped: by SIGSTOP, Ctrl-Z or a debugger."""
        return any(_state(pid) in {"T", "t"} for pid in {self.pid, self.main or self.pid})

    def words(self) -> str:
        """Who it is, since when, and how to end it, in one line."""
        pid = self.main or self.pid
        run = f" of run {visible(self.run, SHOWN)}" if self.run else ""
        what = f" for {visible(self.what, SHOWN)}" if self.what else ""
        holds = {"alone": "holds it alone", "next": "waits to have it alone"}.get(self.how, "uses it")
        said = f"process {pid}{run} {holds} since {visible(self.since, 40)}{what}"
        if self.stopped:
            return f"{said} and is STOPPED: kill -CONT {pid} lets it go on, kill -KILL {pid} ends it"
        return f"{said}: kill -INT {pid} ends it"


class LockNote:
    """A note of this process, or of one thread of it."""

    def __init__(self, path: Path, handle: int, claim: Claim) -> None:
        self.path = path
        self._handle, self._claim = handle, claim
        self.says("waits")

    def says(self, how: How) -> None:
        """Write the note anew."""
        claim = self._claim
        told = Holder(os.getpid(), how, time.strftime("%H:%M:%S"), claim.run, claim.what, claim.main)
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, msgspec.json.encode(told), 0)


@contextlib.contextmanager
def noted(place: Path, name: str, claim: Claim) -> Iterator[LockNote]:
    """A note beside the lock of this name, for as long as the lock is wanted or held."""
    path = place / f"{name}.by-{os.getpid()}-{next(_number)}"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield LockNote(path, handle, claim)
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def others(place: Path, name: str, *, alone: bool, but: Path | None = None) -> list[Holder]:
    """Those who keep us from having the endpoint: alone, or together with others who share it. ``but``: our own note.

    Notes that nobody holds any more are removed.
    """
    found = (_read(path) for path in sorted(place.glob(f"{name}.by-*")) if path != but)
    against = {"next", "alone", "shared"} if alone else {"next", "alone"}
    return [holder for holder in found if holder is not None and holder.how in against]


def _read(path: Path) -> Holder | None:
    """What a note says; None for one that is being written, and for one whose writer is dead."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(msgspec.MsgspecError, OSError):
            return msgspec.json.decode(os.read(handle, 65536), type=Holder)
        return None
    else:
        about = os.fstat(handle)
        if about.st_size or time.time() - about.st_mtime > NEWBORN_S:
            path.unlink(missing_ok=True)
        return None
    finally:
        os.close(handle)


def _state(pid: int) -> str:
    """The state of a process, one letter; empty where it cannot be read."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""
