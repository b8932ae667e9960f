"""What workers elsewhere wrote, put into the master's run directory, with their times on the master's clock.

Their own folders keep it as they wrote it. A channel may be open to others: what is no line of a load, or not that
worker's, is refused, and so is what comes after it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from load.fleet.messages import Batch, FilePart
from seatrial.records import Clock, Dropped, Line, LoadPulse, LoadRow, Received, Sent
from seatrial.run import sums
from seatrial.run.directory import RunDir
from seatrial.run.lines import BAD, decode
from seatrial.run.writer import LOAD_BYTES, RunDirError, encode

KINDS = (Clock, Dropped, LoadPulse, LoadRow, Received, Sent)
"""What a worker writes."""

TIMES = frozenset(
    {"t", "since", "intended_at", "sent_at", "ended_at", "byte_at", "first_at", "content_at", "last_at"}
    | {"gap_from", "gap_to"}
)
"""Fields of these that hold a time of its monotonic clock; 0: it never came. The clocks in a clock line are witnesses
of their own host, and stay what they are."""


class RefusedError(Exception):
    """What came is no batch of that worker's; the message says why."""


@dataclass(slots=True)
class _Shelf:
    folder: str
    next_batch: int = 1
    next_line: int = 1
    endpoint: str = ""
    handles: dict[str, int] = field(default_factory=dict)


class Inbox:
    """Writes what came.

    Args:
        gap: told the name of a worker, and the first and the last number of lines that are missing.
    """

    def __init__(self, rundir: RunDir, endpoint: str, gap: Callable[[str, int, int], None]) -> None:
        self._rundir, self._endpoint, self._gap = rundir, endpoint, gap
        self._shelves: dict[str, _Shelf] = {}

    def open(self, name: str, pid: int) -> None:
        """A worker begins: its files are made."""
        folder = f"writers/{name}-{pid}"
        shelf = self._shelves[name] = _Shelf(folder, endpoint=self._endpoint)
        (self._rundir.path / folder).mkdir(parents=True, exist_ok=True)
        for file in ("exchanges.jsonl", "bytes.bin", "rows.jsonl"):
            path = self._rundir.path / (f"load/{name}.jsonl" if file == "rows.jsonl" else f"{folder}/{file}")
            shelf.handles[file] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)

    def lines(self, name: str) -> int:
        """The number of the last line of a worker that is here."""
        return self._shelves[name].next_line - 1 if name in self._shelves else 0

    def batches(self, name: str) -> int:
        """The number of the last batch of a worker that is here."""
        return self._shelves[name].next_batch - 1 if name in self._shelves else 0

    def take(self, name: str, batch: Batch) -> None:
        """Write a batch; one that is here already is left out.

        Raises:
            RefusedError: it holds what that worker cannot have written.
            RunDirError: the disk is full.
        """
        shelf = self._shelves.get(name)
        if shelf is None:
            raise RefusedError("no worker of that name writes elsewhere")
        if batch.number < shelf.next_batch:
            return
        ready = [(part, self._checked(name, shelf, part, batch.offset_ns)) for part in batch.parts]
        for part, lines in ready:
            if part.file == "bytes.bin":
                _put(shelf.handles[part.file], part.content, part.at)
                continue
            content = b"".join(sums.signed(encode(line), self._rundir.begin) + b"\n" for line in lines)
            _put(shelf.handles[part.file], content, None)
            for line in lines:
                if line.n > shelf.next_line:
                    self._gap(name, shelf.next_line, line.n - 1)
                shelf.next_line = max(shelf.next_line, line.n + 1)
        shelf.next_batch = batch.number + 1

    def _checked(self, name: str, shelf: _Shelf, part: FilePart, offset: int) -> list[Line]:
        if part.file == "bytes.bin":
            if part.at < 0 or part.at + len(part.content) > LOAD_BYTES:
                raise RefusedError("its bytes lie where none may")
            return []
        return [self._line(name, shelf, raw, offset) for raw in part.content.split(b"\n") if raw]

    def _line(self, name: str, shelf: _Shelf, raw: bytes, offset: int) -> Line:
        begin = self._rundir.begin
        if begin is not None and not sums.holds(raw, begin):
            raise RefusedError("a line of it is not as it was written")
        try:
            line = decode(raw)
        except BAD as error:
            raise RefusedError("a line of it is none") from error
        if not isinstance(line, KINDS):
            raise RefusedError(f"no worker writes a line of the kind {line.__struct_config__.tag}")
        if line.w != name or line.n < 1 or getattr(line, "endpoint", shelf.endpoint) != shelf.endpoint:
            raise RefusedError("a line of it is another writer's")
        return aligned(line, offset)


def aligned(line: Line, offset: int) -> Line:
    """A line with its times on the clock that is ``offset`` ns before its own."""
    told = {name: getattr(line, name) for name in line.__struct_fields__ if name in TIMES}
    moved = {name: at + offset for name, at in told.items() if at}
    if isinstance(line, Received):
        moved["frames"] = tuple((at + offset, length) for at, length in line.frames)
    return msgspec.structs.replace(line, **moved)


def _put(handle: int, content: bytes, at: int | None) -> None:
    """Write at a place of a file, or at its end.

    Raises:
        RunDirError: the disk is full.
    """
    view = memoryview(content)
    place = os.fstat(handle).st_size if at is None else at
    try:
        while view:
            written = os.pwrite(handle, view, place)
            view, place = view[written:], place + written
    except OSError as error:
        raise RunDirError(f"cannot write what a worker sent: {error.strerror}") from error
