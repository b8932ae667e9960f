"""Files that grow, read as they do; and a record while it is written, in order of the time of its lines.

Lines of two writers may reach their files a moment out of order. Each is held back for ``WINDOW_NS``, which is many
times what lies between the stamp of a line and its write, and comes out in order. A line that is later still comes
out at once, out of order; a reader of the whole record would have sorted it in.
"""

from __future__ import annotations

import heapq
import os
import time
from pathlib import Path

from seatrial.records import Line
from seatrial.run import files
from seatrial.run.lines import BAD, LINE_BYTES, decode, decoded
from seatrial.run.space import punch

WINDOW_NS = 200_000_000
"""Between the time of a line and its coming out."""
READ_BYTES = 1 << 20
TAIL_BYTES = 1 << 20
"""In which the last line of a file is looked for."""
FORGET_BYTES = 4 << 20
"""Of a record that nobody keeps, what has been read is given back to the disk in pieces of at least this."""


class Follower:
    """Follows the files below ``folder``; new ones are found as they come.

    Args:
        folder: ``watch/`` of a run directory.
        forget: what has been read may go. The files keep their size and lose their blocks, where the file system can.
    """

    def __init__(self, folder: Path, *, forget: bool = False) -> None:
        self._folder, self._forget = folder, forget
        self._files: dict[Path, Growing] = {}
        self._held: list[tuple[int, int, Line]] = []
        self._count = 0

    @property
    def unknown(self) -> int:
        """Whole lines so far that could not be read."""
        return sum(file.unknown for file in self._files.values())

    def read(self, *, to_the_end: bool = False) -> list[Line]:
        """The lines whose time has come; with ``to_the_end`` all there are."""
        now = time.monotonic_ns()
        for name in files.matching(self._folder.parent, f"{self._folder.name}/**/*.jsonl", _unheard):
            path = self._folder.parent / name
            if path not in self._files:
                self._files[path] = Growing(path, forget=self._forget)
        for file in self._files.values():
            for line in file.lines(all_of_it=to_the_end):
                self._count += 1
                heapq.heappush(self._held, (line.t, self._count, line))
        ready: list[Line] = []
        while self._held and (to_the_end or self._held[0][0] <= now - WINDOW_NS):
            ready.append(heapq.heappop(self._held)[2])
        return ready

    def close(self) -> None:
        """Close every file."""
        for file in self._files.values():
            file.close()


class Growing:
    """One file of lines, read as it grows. The file may not be there yet.

    Args:
        forget: what has been read may go. The file keeps its size and loses its blocks, where the file system can.

    Attributes:
        unknown: whole lines so far that are no line of a record, or of a kind that this version does not know.
    """

    def __init__(self, path: Path, *, forget: bool = False) -> None:
        self.unknown = 0
        self._path, self._forget = path, forget
        self._handle: int | None = None
        self._forgotten = self._offset = 0
        self._rest = b""

    def lines(self, *, all_of_it: bool = True) -> list[Line]:
        """Whole lines that are new since the last call. A torn last line waits for its end.

        Args:
            all_of_it: read until nothing more comes, however fast the file grows.

        Raises:
            UnfitError: it is no regular file, or cannot be read.
        """
        found: list[Line] = []
        for raw in self._whole(all_of_it=all_of_it):
            try:
                found.append(decode(raw))
            except BAD:
                self.unknown += 1
        return found

    def close(self) -> None:
        """Close the file; twice is once."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _whole(self, *, all_of_it: bool) -> list[bytes]:
        if self._handle is None:
            try:
                self._handle = files.opened(self._path.parent, self._path.name, to_forget=self._forget)
            except files.MissingError:
                return []
        found: list[bytes] = []
        while content := os.pread(self._handle, READ_BYTES, self._offset):
            self._offset += len(content)
            if len(self._rest) > LINE_BYTES and b"\n" not in content:  # no line is as long: what stands here is none
                self._rest = b""
                continue
            *whole, self._rest = (self._rest + content).split(b"\n")
            found += whole
            if not all_of_it and len(content) < READ_BYTES:
                break
        if self._forget and self._offset - self._forgotten >= FORGET_BYTES:
            self._give_back(self._handle)
        return found

    def _give_back(self, handle: int) -> None:
        length = self._offset - self._forgotten
        able = punch(handle, self._forgotten, length)
        self._forgotten = self._offset
        self._forget = able  # a file system that cannot will not be able to later


class GrowingFiles:
    """Files of lines below a folder, read as they grow and as new ones come.

    Args:
        patterns: of their paths from ``root``.
    """

    def __init__(self, root: Path, *patterns: str) -> None:
        self._root, self._patterns = root, patterns
        self._files: dict[str, Growing] = {}

    def lines(self) -> list[Line]:
        """Whole lines that are new since the last call, file by file."""
        for pattern in self._patterns:
            for name in files.matching(self._root, pattern, _unheard):
                self._files.setdefault(name, Growing(self._root / name))
        return [line for file in self._files.values() for line in file.lines()]

    def close(self) -> None:
        """Close every file."""
        for file in self._files.values():
            file.close()


def last_bytes(path: Path, most: int) -> bytes:
    """At most so many bytes from the end of a file; none where it is no regular file, or cannot be read."""
    return files.tail(path.parent, path.name, most)


def last_numbers(root: Path) -> dict[str, int]:
    """The number of the last whole line of each writer of a run directory, and of the plan; none found: left out."""
    numbers: dict[str, int] = {}
    for pattern in ("planned.jsonl", "writers/*/*.jsonl", "watch/**/*.jsonl", "load/*.jsonl"):
        for name in files.matching(root, pattern, _unheard):
            raw = files.tail(root, name, TAIL_BYTES).split(b"\n")[:-1]
            line = next(decoded(reversed(raw)), None)
            if line is not None:
                numbers[line.w] = max(line.n, numbers.get(line.w, 0))
    return numbers


def _unheard(_name: str, _why: str) -> None:
    """What is no file of lines is not followed."""
