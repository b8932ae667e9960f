"""Locks on an endpoint between processes: many may share it, or one holds it alone.

Two files stand for an endpoint, a *turnstile* and a *room*. Everybody takes the turnstile, then the room (shared or
alone), then gives the turnstile back. Who waits for the room alone therefore keeps later ones out, and is not starved
by a stream of sharers. The locks are flock's: they belong to an open file, so that threads are kept apart as
processes are, and the kernel frees them when a process dies.
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

POLL_S = 0.01
WAIT_S = 600.0


class LockTimeout(TimeoutError):
    """Another process held the endpoint for too long; the message is one line."""


@contextlib.contextmanager
def shared(url: str, *, timeout_s: float = WAIT_S) -> Iterator[None]:
    """Hold the endpoint's host and port together with other sharers. Not re-entrant within :func:`exclusive`.

    Raises:
        LockTimeout: not to be had in time.
        ConfigError: there is no safe place for the locks.
    """
    with _hold(url, fcntl.LOCK_SH, timeout_s):
        yield


@contextlib.contextmanager
def exclusive(url: str, *, timeout_s: float = WAIT_S) -> Iterator[None]:
    """Hold the endpoint's host and port alone; later comers wait. Not re-entrant.

    Raises:
        LockTimeout: not to be had in time.
        ConfigError: there is no safe place for the locks.
    """
    with _hold(url, fcntl.LOCK_EX, timeout_s):
        yield


@contextlib.contextmanager
def _hold(url: str, mode: int, timeout_s: float) -> Iterator[None]:
    place, name = folder(), _key(url)
    deadline = time.monotonic() + timeout_s
    with _opened(place / f"{name}.room") as room:
        with _opened(place / f"{name}.turnstile") as turnstile:
            _take(turnstile, fcntl.LOCK_EX, deadline, name)
            _take(room, mode, deadline, name)
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


def _key(url: str) -> str:
    """A file name for an endpoint's host and port, whatever its path."""
    host, port = host_port(url)
    host = host.rstrip(".")
    if host in {"localhost", "::1"}:
        host = "127.0.0.1"
    return f"{re.sub(r'[^A-Za-z0-9.-]', '_', host)[:200]}-{port}"


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)  # and with it the lock


def _take(handle: int, mode: int, deadline: float, name: str) -> None:
    while True:
        try:
            fcntl.flock(handle, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LockTimeout(f"another process holds {name}: wait until its run has ended") from None
            time.sleep(POLL_S)
        else:
            return
