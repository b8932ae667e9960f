"""How fast a server's log grows, looked at each second: a log storm fills the disk, and shows a loop that spins.

Written is what is fast, and one reading after it; of what is slow the lines of a minute together, so that a quiet log
costs the record a line a minute. Of a growth that is large a part is read, and the lines of the whole are reckoned
from it.
"""

from __future__ import annotations

import contextlib
import os
import time

from seatrial.monitor.sources.log import File, last_lines
from seatrial.monitor.sources.source import Place, Source
from seatrial.records import SECOND, LogRate
from seatrial.wire.masking.mask import Mask

FAST = 200
"""Lines a second from which a reading is written."""
MINUTE = 60 * SECOND
PART = 256 * 1024
"""Bytes of a growth that are read."""


class Pacer(Source):
    """The pace of one log."""

    beats = True

    def __init__(self, name: str, path: str, mask: Mask, wake: int) -> None:
        self.path = path
        self._mask = mask
        self._file: File | None = None
        self._counted, self._at, self._fast = 0, 0, False
        self._since = self._lines = self._size = 0  # of what is slow, since a line told of it
        super().__init__(f"pace of log {path}", name, wake)

    def begin(self) -> str:
        """The first look is the first beat: why a log cannot be read is said by its own source."""
        return ""

    def moved(self) -> bool:
        """Nothing is read late."""
        return False

    def look(self, at: int) -> None:
        """A broken rung says nothing of the pace."""

    def end(self) -> None:
        if self._file is not None:
            self._file.close()

    def beat(self) -> None:
        """Count what has come since the last look. A file that was cut, or another one, is counted from its begin."""
        try:
            fresh = self._opened()
            assert self._file is not None
            size, now = self._file.size(), time.monotonic_ns()
            if self._at and not fresh:
                begin = self._counted if size >= self._counted else 0
                self._told(begin, size, now)
            self._counted, self._at = size, now
        except (OSError, ValueError):
            self._at = 0

    def _opened(self) -> bool:
        """Whether another file stands at the path than the one that was read last; that one is read from now on."""
        found = os.stat(self.path)  # noqa: PTH116 - the identity alone
        if self._file is not None and self._file.identity == (found.st_dev, found.st_ino):
            return False
        self.end()
        self._file = None
        self._file = File(self.path)
        return True

    def _told(self, begin: int, size: int, now: int) -> None:
        """Write how many lines came, where they are many or were a moment ago, or a minute has passed."""
        assert self._file is not None
        grown, took = size - begin, max(1, now - self._at)
        part = os.pread(self._file.handle, min(PART, grown), size - min(PART, grown)) if grown else b""
        lines = part.count(b"\n") * grown // max(1, len(part))
        fast = lines * SECOND >= FAST * took
        if fast or self._fast:
            shown: tuple[str, ...] = ()
            with contextlib.suppress(ValueError):
                shown, _ = last_lines(part, self._mask, whole=False)
            self._put(self._at, lines, grown, shown[-1] if shown else "")
            self._since = self._lines = self._size = 0
        else:
            self._since = self._since or self._at
            self._lines, self._size = self._lines + lines, self._size + grown
            if now - self._since >= MINUTE:
                self._put(self._since, self._lines, self._size, "")
                self._since = self._lines = self._size = 0
        self._fast = fast

    def _put(self, since: int, lines: int, size: int, text: str) -> None:
        self.put(LogRate(name=self._name, file=self.path, since=since, lines=lines, size=size, text=text))


def open_source(place: Place) -> Pacer | None:
    """The pace of the log of a target, where the operator or the keeper names one."""
    path = place.command.log
    return Pacer(place.command.name, path, place.mask, place.wake) if path else None
