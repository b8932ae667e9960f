"""At most so many requests a second to an endpoint, over all processes of this machine that keep to it.

A file holds the time of the next free turn. Who takes a turn moves that time on by the pace's interval, under a lock
that is held for no longer, and sleeps until its own. Turns are in the order in which they were taken.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

STALE_S = 3600.0
"""No queue is as long: a turn farther off was written before this machine was started."""


class Turns:
    """The pace of an endpoint, for any thread.

    Args:
        file: made if it is not there; the same for all who keep to this pace.
        per_s: requests a second, more than 0.
    """

    def __init__(self, file: Path, per_s: float) -> None:
        self.file, self.per_s = file, per_s

    def make(self) -> None:
        """Make the file where it is not there.

        Raises:
            OSError: it cannot be had.
        """
        os.close(self._open())

    def wait(self) -> None:
        """Take the next turn, and wait for it.

        Raises:
            OSError: the file cannot be had.
        """
        at = self._take()
        while (left := at - time.monotonic()) > 0:
            time.sleep(left)

    def _take(self) -> float:
        handle = self._open()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            now = time.monotonic()
            at = max(now, _read(handle, now))
            os.pwrite(handle, f"{at + 1 / self.per_s:020.6f}\n".encode(), 0)
        finally:
            os.close(handle)  # and with it the lock
        return at

    def _open(self) -> int:
        return os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _read(handle: int, now: float) -> float:
    try:
        at = float(os.pread(handle, 64, 0))
    except ValueError:  # nobody took a turn yet
        return now
    return at if now - STALE_S < at < now + STALE_S else now
