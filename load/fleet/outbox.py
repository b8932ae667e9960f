"""A worker's own folder, and what of it the master has not got yet.

What is written here is on this host's disk first. The master is told of it in batches, one after the other, each again
until it is acknowledged; in memory stands only where in which file the rest begins.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_type_hints

from gevent.event import Event
from gevent.lock import RLock

from load.fleet.messages import Ack, Batch, FilePart
from seatrial.run.directory import RunDir
from seatrial.run.writer import LOAD_BYTES, Writer

FILES = frozenset(get_args(get_type_hints(FilePart)["file"]))

MOST_BYTES = 256 * 1024
"""Of a batch; a line that is longer goes alone."""

EVERY_S = 0.5
AGAIN_S = 2.0
"""An acknowledgement that did not come within this time is asked for again."""


class FolderWriter(Writer):
    """A writer that remembers, file by file, what was written.

    Args:
        ships: somebody takes what is due; where nobody does, nothing is remembered.
        of: so many workers share the bytes that a load may store.

    Attributes:
        due: file, beginning and length of each piece that nobody has taken yet, in order.
    """

    def __init__(self, rundir: RunDir, role: str, *, ships: bool = True, of: int = 1) -> None:
        self._ships = ships
        folder = rundir.path / "writers" / f"{role}-{os.getpid()}"
        self.paths = {name: folder / name for name in FILES} | {"rows.jsonl": rundir.path / "load" / f"{role}.jsonl"}
        self.due: deque[tuple[str, int, int]] = deque()
        self._at = dict.fromkeys(FILES, 0)
        rows = {"rows.jsonl": self.paths["rows.jsonl"]}
        super().__init__(folder, role, rows, LOAD_BYTES // of, begin=rundir.begin)

    @property
    def lines(self) -> int:
        """How many lines were written."""
        return self._n

    def _write(self, file: str, content: bytes) -> None:
        super()._write(file, content)
        if self._ships and file in FILES:
            self.due.append((file, self._at[file], len(content)))
            self._at[file] += len(content)


class Outbox:
    """Sends what a writer wrote, in numbered batches.

    Args:
        offset: of the master's clock, and by how much that may be wrong.
        send: takes each batch.
    """

    def __init__(
        self, writer: FolderWriter, offset: Callable[[], tuple[int, int]], send: Callable[[Batch], None]
    ) -> None:
        self._writer, self._offset, self._send = writer, offset, send
        self._acked, self._said = 0, Event()
        self._lock = RLock()
        self._offered: Batch | None = None  # the last one, as long as nobody has acknowledged it
        self.number = 0
        self.refused = ""

    def acknowledged(self, ack: Ack) -> None:
        """The master has a batch, or says that it never will."""
        self._acked, self.refused = max(self._acked, ack.number), self.refused or ack.refused
        self._said.set()

    def flush(self, until: float) -> bool:
        """Send all that is due, and wait until the master has it; whether it has, by that time (monotonic)."""
        with self._lock:
            while not self.refused and (self._offered is not None or self._writer.due):
                self._offered = self._offered or self._next()
                if not self._shipped(self._offered, until):
                    return False
                self._offered = None
        return not self.refused

    def _shipped(self, batch: Batch, until: float) -> bool:
        while self._acked < batch.number and not self.refused:
            if time.monotonic() >= until:
                return False
            self._said.clear()
            self._send(batch)
            self._said.wait(min(AGAIN_S, max(0.01, until - time.monotonic())))
        return not self.refused

    def _next(self) -> Batch:
        self.number += 1
        parts, size = list[FilePart](), 0
        due = self._writer.due
        while due and (not parts or size + due[0][2] <= MOST_BYTES):
            file, at, length = due.popleft()
            if length > MOST_BYTES and file == "bytes.bin":
                due.appendleft((file, at + MOST_BYTES, length - MOST_BYTES))
                length = MOST_BYTES
            parts.append(FilePart(file=file, at=at, content=_read(self._writer.paths[file], at, length)))  # type: ignore[arg-type]
            size += length
        offset, error = self._offset()
        return Batch(number=self.number, parts=tuple(parts), offset_ns=offset, error_ns=error)


def _read(path: Path, at: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(length)
