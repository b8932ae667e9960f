"""Bytes that are not to be kept: once a run is judged, all but those of chosen exchanges leave its directory.

Lines first, bytes second: a line that names no bytes is true whether or not they are gone already, so that a process
killed in between leaves a record that can be read.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from seatrial.records import Judgement, Line, Received, Sent
from seatrial.run import files, sums
from seatrial.run.directory import RunDir
from seatrial.run.lines import BAD, decode
from seatrial.run.writer import RunDirError, encode, write_atomically

Span = tuple[int, int]


def forget(run: RunDir, keep: Collection[str]) -> int:
    """Remove the bytes of every answered exchange that is not in ``keep``; the number of those.

    What was sent and never answered keeps its request: it may be what ended the server.

    Raises:
        RunDirError: a file cannot be written.
        OSError: a file cannot be read.
    """
    forgotten = 0
    for name in files.matching(run.path, "writers/*/exchanges.jsonl", run.damage.refused):
        path = run.path / name
        store = path.with_name("bytes.bin")
        if store.is_symlink() or not store.is_file():
            continue
        raw = path.read_bytes().splitlines(keepends=True)
        lines = [_read(line) for line in raw]
        answered = {line.id for line in lines if isinstance(line, Received)}
        drop = answered - set(keep)
        if not drop:
            continue
        forgotten += len(drop)
        bare = [_bare(line) if isinstance(line, Sent | Received) and line.id in drop else None for line in lines]
        content = (_written(new, run) if new else old for new, old in zip(bare, raw, strict=True))
        write_atomically(path, b"".join(content))
        kept = [line for line in lines if isinstance(line, Sent | Received) and line.id not in drop]
        spans = {span for line in kept for span in (line.request, getattr(line, "response", (0, 0)))}
        write_atomically(store, _only(store, spans))
    return forgotten


def write_late(run: RunDir, role: str, judgements: Sequence[Judgement], at: int) -> None:
    """Add judgements to a record that is sealed, as of the moment of its end: nobody watched any later.

    Args:
        role: the name of their writer.
        at: the time of the record's last line.

    Raises:
        RunDirError: they cannot be written.
    """
    folder = run.path / "writers" / f"{role}-{os.getpid()}"
    stamped = (msgspec.structs.replace(line, w=role, n=n, t=at) for n, line in enumerate(judgements, start=1))
    try:
        folder.mkdir()
    except OSError as error:
        raise RunDirError(f"cannot make {folder}: {error.strerror}") from error
    write_atomically(folder / "judgements.jsonl", b"".join(_written(line, run) for line in stamped))


def _written(line: Line, run: RunDir) -> bytes:
    return sums.signed(encode(line), run.begin) + b"\n"


def _read(raw: bytes) -> Line | None:
    try:
        line: Line = decode(raw)
    except BAD:
        return None
    return line


def _bare(line: Sent | Received) -> Sent | Received:
    if isinstance(line, Received):
        return msgspec.structs.replace(line, request=(0, 0), response=(0, 0), dropped=True, sums=(0, 0))
    return msgspec.structs.replace(line, request=(0, 0))


def _only(store: Path, spans: Collection[Span]) -> bytes:
    """The store with zeros outside of the spans: what is kept stays at its place; no longer than the last of them."""
    content = store.read_bytes()
    kept = bytearray(max((offset + length for offset, length in spans), default=0))
    for offset, length in spans:
        kept[offset : offset + length] = content[offset : offset + length]
    return bytes(kept)
