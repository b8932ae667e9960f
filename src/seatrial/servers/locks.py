"""Locks on an endpoint between processes: many may share it, or one holds it alone.

Two files stand for an endpoint, a *turnstile* and a *room*. Everybody takes the turnstile, then the room (shared or
alone), then gives the turnstile back. Who waits for the room alone therefore keeps later ones out, and is not starved
by a stream of sharers. The locks are flock's: they belong to an open file, so that threads are kept apart as
processes are, and the kernel frees them when a process dies. Whoever leaves last removes the file: a lock counts only
while its file is the one that stands under the name.

Who waits for another run is told at once whom it waits for, and again and again; of a process that is stopped, which
may never go on, the wait is short.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from seatrial.given.address import host_port
from seatrial.given.errors import ConfigError
from seatrial.servers.holders import Claim, Holder, LockNote, noted, others

__all__ = ["Claim", "LockTimeout", "exclusive", "folder", "key", "shared", "strangers"]

POLL_S = 0.01
WAIT_S = 600.0

RUN_S = 900.0
"""Seconds that a run waits for an endpoint that another run holds: for a request, its warm-up or its soak."""

SAID_S = 0.5
"""A wait for another run is told after this, and again every AGAIN_S; a wait for this run's own requests, after OURS_S:
they have deadlines, and end."""
AGAIN_S = 30.0
OURS_S = 120.0
STOPPED_S = 30.0
"""A process that is stopped may never go on: it is waited for no longer than this."""


class LockTimeout(TimeoutError):
    """Another process held the endpoint for too long; the message is one line."""


@contextlib.contextmanager
def shared(url: str, *, timeout_s: float = WAIT_S, claim: Claim = Claim()) -> Iterator[None]:  # noqa: B008 - frozen
    """Hold the endpoint's host and port together with other sharers. Not re-entrant within :func:`exclusive`.

    Raises:
        LockTimeout: not to be had in time.
        ConfigError: there is no safe place for the locks.
    """
    with _hold(url, timeout_s, claim, alone=False):
        yield


@contextlib.contextmanager
def exclusive(url: str, *, timeout_s: float = WAIT_S, claim: Claim = Claim()) -> Iterator[None]:  # noqa: B008 - frozen
    """Hold the endpoint's host and port alone; later comers wait. Not re-entrant.

    Raises:
        LockTimeout: not to be had in time.
        ConfigError: there is no safe place for the locks.
    """
    with _hold(url, timeout_s, claim, alone=True):
        yield


def strangers(url: str, claim: Claim) -> bool:
    """Whether another run uses the endpoint now, or waits for it."""
    return any(holder.run != claim.run for holder in others(folder(), key(url), alone=True))


@contextlib.contextmanager
def _hold(url: str, timeout_s: float, claim: Claim, *, alone: bool) -> Iterator[None]:
    place, name = folder(), key(url)
    with noted(place, name, claim) as note, contextlib.ExitStack() as held:
        waiting = _Waiting(note, name, timeout_s, claim, alone=alone)
        with _taken(place / f"{name}.turnstile", fcntl.LOCK_EX, waiting):
            how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
            held.enter_context(_taken(place / f"{name}.room", how, waiting, note))
            note.says("alone" if alone else "shared")
        yield


def folder() -> Path:
    """The folder of the locks: this user's own, the same in each of his sessions, outside any run directory.

    Raises:
        ConfigError: it cannot be made, or it is somebody else's.
    """
    path = Path(tempfile.gettempdir()) / f"seatrial-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise ConfigError(f"cannot make {path} for locks: {error.strerror}; name another place with TMPDIR") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(f"{path} is not a folder of yours alone: remove it, or name another place with TMPDIR")
    return path


def key(url: str) -> str:
    """A file name for an endpoint's host and port, whatever its path."""
    host, port = host_port(url)
    host = host.rstrip(".")
    if host in {"localhost", "::1"}:
        host = "127.0.0.1"
    return f"{re.sub(r'[^A-Za-z0-9.-]', '_', host)[:200]}-{port}"


@contextlib.contextmanager
def _taken(path: Path, mode: int, waiting: _Waiting, note: LockNote | None = None) -> Iterator[None]:
    """One of the two locks. With a note: it says during a wait that later ones are kept out."""
    handle = _opened(path)
    try:
        while not _has(handle, mode) or not _stands(handle, path):
            if not _stands(handle, path):  # its last holder removed it
                before, handle = handle, _opened(path)
                os.close(before)
                continue
            if note is not None:
                note.says("next")
                note = None
            waiting.on()
            time.sleep(POLL_S)
        try:
            yield
        finally:
            if _has(handle, fcntl.LOCK_EX) and _stands(handle, path):
                path.unlink(missing_ok=True)
    finally:
        os.close(handle)  # and with it the lock


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _has(handle: int, mode: int) -> bool:
    """Try to take a lock. A lock that was shared is lost where it is not to be had alone."""
    try:
        fcntl.flock(handle, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stands(handle: int, path: Path) -> bool:
    """Whether a file that is open is still the one under its name."""
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except OSError:
        return False


class _Waiting:
    """One wait for an endpoint: whom it is for, what is said of it, and when it is over."""

    def __init__(self, note: LockNote, name: str, timeout_s: float, claim: Claim, *, alone: bool) -> None:
        self._note, self._name, self._claim, self._alone = note.path, name, claim, alone
        self._began = time.monotonic()
        self._deadline = self._began + timeout_s
        self._look_at = self._began + SAID_S
        self._said_at = 0.0
        self._stopped_since = 0.0

    def on(self) -> None:
        """Wait on, and say so where it is time to.

        Raises:
            LockTimeout: it was long enough.
        """
        now = time.monotonic()
        if now >= self._deadline:
            raise LockTimeout(self._words(self._others()))
        if now < self._look_at:
            return
        self._look_at = now + SAID_S
        found = self._others()
        self._stopped_since = (self._stopped_since or now) if any(holder.stopped for holder in found) else 0.0
        if self._stopped_since and now - self._stopped_since >= STOPPED_S:
            raise LockTimeout(self._words(found))
        strange = self._stopped_since or any(holder.run != self._claim.run for holder in found)
        patience = AGAIN_S if self._said_at else 0.0 if strange else OURS_S
        if now - (self._said_at or self._began) >= patience:
            self._said_at = now
            self._claim.say(self._words(found))

    def _others(self) -> list[Holder]:
        return others(self._note.parent, self._name, alone=self._alone, but=self._note)

    def _words(self, found: list[Holder]) -> str:
        """Whom we wait for; those who are stopped first, for they are waited for in vain."""
        known = [holder.words() for holder in sorted(found, key=lambda holder: not holder.stopped)]
        who = "; ".join(known[:3]) or "another process holds it: wait until its run has ended"
        more = f"; and {len(known) - 3} more" if len(known) > 3 else ""
        host, _, port = self._name.rpartition("-")
        return f"waiting for {host}:{port}, {time.monotonic() - self._began:.0f} s so far: {who}{more}"
