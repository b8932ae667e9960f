"""Writing a run directory: lines appended to the files of one folder, and whole files written at once."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from seatrial.records import SECOND, VERSION, Clock, Line, Received
from seatrial.run import sums
from seatrial.run.clocks import read_clocks

LOAD_BYTES = 64 * 1024 * 1024
"""As below, of a load: it stores failures and a sample alone."""

BYTES_PER_WRITER = 256 * 1024 * 1024
"""Past this a writer stores rows only, and the report says so. Bytes of one run stay bounded by writers times this."""

encode = msgspec.json.Encoder().encode

_Line = TypeVar("_Line", bound=Line)


class RunDirError(Exception):
    """The run directory cannot be written or read; the message names path, cause and remedy in one line."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a whole file or none of it.

    Raises:
        RunDirError: the directory cannot be written, or the disk is full.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)  # there is one only where it did not become the file
    except OSError as error:
        raise RunDirError(
            f"cannot write {path}: {error.strerror}; free space or name another with --run-dir"
        ) from error


class Writer:
    """Appends stamped lines to the files of one folder. Safe for threads of one process; never share a folder.

    Args:
        folder: made if it is not there.
        name: the ``w`` of every line (``main``, ``gw0``, ``load1``, ``recorder``).
        elsewhere: files that stand outside the folder, by the name :meth:`write` knows them under.
        budget: bytes of ``bytes.bin`` after which :meth:`store` declines.
        begin: what the sums of the run begin with (``run.sums``); None: lines and bytes bear none.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        elsewhere: Mapping[str, Path] | None = None,
        budget: int = BYTES_PER_WRITER,
        begin: int | None = None,
    ) -> None:
        self.folder, self.name = folder, name
        self._elsewhere = dict(elsewhere or {})
        self._lock = threading.Lock()
        self._files: dict[str, int] = {}
        self._n = 0
        self._offset = 0
        self._budget = budget
        self._begin = begin
        self._sums: dict[tuple[int, int], int] = {}
        self._clock_due = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunDirError(f"cannot make {folder}: {error.strerror}; name another with --run-dir") from error

    def write(self, file: str, line: _Line) -> _Line:
        """Stamp a line, append it to ``file`` (``exchanges.jsonl``) at once, and return it as stamped.

        A clock line goes before it when the last one of this writer is a second old.
        """
        with self._lock:
            now = time.monotonic_ns()
            if now >= self._clock_due:
                self._clock_due = now + SECOND
                if not isinstance(line, Clock):
                    self._append(file, read_clocks(), now)
            return self._append(file, self._summed(line) if isinstance(line, Received) else line, now)

    def store(self, content: bytes) -> tuple[int, int] | None:
        """Append bytes to ``bytes.bin``; (offset, length), or None when the byte budget is used up."""
        with self._lock:
            if self._offset + len(content) > self._budget:
                return None
            span = (self._offset, len(content))
            self._write("bytes.bin", content)
            self._offset += len(content)
            if self._begin is not None and content:
                self._sums[span] = sums.of_bytes(content, self._begin)
            return span

    def close(self) -> None:
        with self._lock:
            for handle in self._files.values():
                os.close(handle)
            self._files.clear()

    def _append(self, file: str, line: _Line, now: int) -> _Line:
        """Stamp a line and write it. A line that is not written has no number."""
        stamped = msgspec.structs.replace(line, v=VERSION, w=self.name, n=self._n + 1, t=now)
        self._write(file, sums.signed(encode(stamped), self._begin) + b"\n")
        self._n += 1
        return stamped

    def _summed(self, line: _Line) -> _Line:
        """An answered exchange with the sums of its bytes, which were stored before it."""
        assert isinstance(line, Received)
        found = tuple(self._sums.pop(span, 0) for span in (line.request, line.response))
        return msgspec.structs.replace(line, sums=found) if any(found) else line

    def _write(self, file: str, content: bytes) -> None:
        path = self._elsewhere.get(file) or self.folder / file
        try:
            if file not in self._files:
                self._files[file] = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
            _append_whole(self._files[file], content)
        except OSError as error:
            raise RunDirError(
                f"cannot write {path}: {error.strerror}; free space or name another with --run-dir"
            ) from error


def _append_whole(handle: int, content: bytes) -> None:
    """Append to a file that is ours alone, or leave it as it was: what comes later must not stand behind half a line.

    Raises:
        OSError: not all of it can be written.
    """
    view, written = memoryview(content), 0
    try:
        while written < len(view):
            written += os.write(handle, view[written:])
    except OSError:
        if written:
            os.ftruncate(handle, os.fstat(handle).st_size - written)
        raise
