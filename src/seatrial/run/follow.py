"""Reads a record while it is written: the lines of every file in ``watch/``, in order of their time.

Lines of two writers may reach their files a moment out of order. Each is held back for ``WINDOW_NS``, which is many
times what lies between the stamp of a line and its write, and comes out in order. A line that is later still comes
out at once, out of order; a reader of the whole record would have sorted it in.
"""

from __future__ import annotations

import ctypes
import heapq
import os
import time
from pathlib import Path

import msgspec

from seatrial.records import Line
from seatrial.run.lines import decode

WINDOW_NS = 200_000_000
"""Between the time of a line and its coming out."""
READ_BYTES = 1 << 20
FORGET_BYTES = 4 << 20
"""Of a record that nobody keeps, what has been read is given back to the disk in pieces of at least this."""
_PUNCH_HOLE = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE of linux/falloc.h


class Follower:
    """Follows the files below ``folder``; new ones are found as they come.

    Args:
        folder: ``watch/`` of a run directory.
        forget: what has been read may go. The files keep their size and lose their blocks, where the file system can.
    """

    def __init__(self, folder: Path, *, forget: bool = False) -> None:
        self._folder, self._forget = folder, forget
        self._files: dict[Path, _File] = {}
        self._held: list[tuple[int, int, Line]] = []
        self._count = 0
        self.unknown = 0

    def read(self, *, to_the_end: bool = False) -> list[Line]:
        """The lines whose time has come; with ``to_the_end`` all there are."""
        now = time.monotonic_ns()
        for path in sorted(self._folder.rglob("*.jsonl")):
            if path not in self._files:
                self._files[path] = _File(path, forget=self._forget)
        for file in self._files.values():
            for raw in file.lines(all_of_it=to_the_end):
                self._hold(raw)
        ready: list[Line] = []
        while self._held and (to_the_end or self._held[0][0] <= now - WINDOW_NS):
            ready.append(heapq.heappop(self._held)[2])
        return ready

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _hold(self, raw: bytes) -> None:
        try:
            line = decode(raw)
        except msgspec.MsgspecError:
            self.unknown += 1
            return
        self._count += 1
        heapq.heappush(self._held, (line.t, self._count, line))


class _File:
    def __init__(self, path: Path, *, forget: bool) -> None:
        self._handle = os.open(path, (os.O_RDWR if forget else os.O_RDONLY) | os.O_CLOEXEC)
        self._forget, self._forgotten, self._offset = forget, 0, 0
        self._rest = b""

    def lines(self, *, all_of_it: bool) -> list[bytes]:
        """Whole lines that are new. A torn last one waits for its end."""
        found: list[bytes] = []
        while content := os.pread(self._handle, READ_BYTES, self._offset):
            self._offset += len(content)
            *whole, self._rest = (self._rest + content).split(b"\n")
            found += whole
            if not all_of_it and len(content) < READ_BYTES:
                break
        if self._forget and self._offset - self._forgotten >= FORGET_BYTES:
            self._give_back()
        return found

    def _give_back(self) -> None:
        length = self._offset - self._forgotten
        failed = ctypes.CDLL(None).fallocate(
            self._handle, _PUNCH_HOLE, ctypes.c_longlong(self._forgotten), ctypes.c_longlong(length)
        )
        self._forgotten = self._offset
        self._forget = not failed  # a file system that cannot will not be able to later

    def close(self) -> None:
        os.close(self._handle)
