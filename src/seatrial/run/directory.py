"""The run directory: written line by line while a run goes on, read back by everything that judges.

A writer owns one folder and appends to it; nothing is merged, renamed or rewritten while the run goes on, so that a
process killed at any moment leaves whole lines behind, and at most one torn last line, which readers ignore and
count. Bytes of requests and answers go to ``bytes.bin`` *before* the line that names their offset.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from seatrial.records import VERSION, Endpoint, Line, Planned, Record, RunInfo
from seatrial.run.lines import LineReader
from seatrial.run.writer import RunDirError, Writer, encode, write_atomically

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def new_path(root: Path) -> Path:
    """Name a run directory below ``root``, ``<UTC>-<id>``, without making it."""
    return root / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(2)}"


class RunDir:
    """One run on disk, for readers; writers are handed out by :meth:`writer`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unread = LineReader()
        self._writers: dict[str, Path] | None = None

    @classmethod
    def create(cls, path: Path, info: RunInfo) -> RunDir:
        """Make the directory with its run.json. ``latest`` points to it once :meth:`publish` is called.

        Raises:
            RunDirError: it exists with something in it, or cannot be written.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise RunDirError(f"{path} is not empty: name another with --run-dir")
            for folder in ("endpoints", "writers", "watch", "load", "server"):
                (path / folder).mkdir()
            write_atomically(path / "run.json", msgspec.json.format(encode(info)))
        except OSError as error:
            raise RunDirError(f"cannot make {path}: {error.strerror}; name another with --run-dir") from error
        return cls(path)

    def publish(self) -> None:
        """Point ``latest`` beside the directory to it: the run has begun, and takes the last one's place.

        Raises:
            RunDirError: the folder cannot be written.
        """
        try:
            _point(self.path.parent / "latest", self.path.name)
        except OSError as error:
            raise RunDirError(f"cannot write {self.path.parent}/latest: {error.strerror}") from error

    @classmethod
    def open(cls, path: Path) -> RunDir:
        """Open a run for reading.

        Raises:
            RunDirError: there is no run.json.
        """
        resolved = path.resolve()
        if not (resolved / "run.json").is_file():
            raise RunDirError(f"{path} is no run directory: it holds no run.json")
        return cls(resolved)

    # files

    @property
    def info(self) -> RunInfo:
        return self._read("run.json", RunInfo)

    def endpoints(self) -> dict[str, Endpoint]:
        """Every endpoint of the run, by name."""
        found = (self._read(f"endpoints/{p.name}", Endpoint) for p in sorted((self.path / "endpoints").glob("*.json")))
        return {endpoint.name: endpoint for endpoint in found}

    def write_endpoint(self, endpoint: Endpoint) -> None:
        write_atomically(self.path / "endpoints" / f"{endpoint.name}.json", msgspec.json.format(encode(endpoint)))

    def planned(self) -> list[Planned]:
        """Every planned case, in order of the plan."""
        return [line for line in self.unread.read(self.path / "planned.jsonl") if isinstance(line, Planned)]

    def write_planned(self, planned: Sequence[Planned]) -> None:
        now = time.monotonic_ns()
        stamped = (msgspec.structs.replace(p, v=VERSION, w="plan", n=n, t=now) for n, p in enumerate(planned, start=1))
        write_atomically(self.path / "planned.jsonl", b"".join(encode(line) + b"\n" for line in stamped))

    # lines and bytes

    def writer(self, role: str) -> Writer:
        """A folder of one's own below ``writers/`` for requests and judgements."""
        return Writer(self.path / "writers" / f"{role}-{os.getpid()}", role)

    def watch_writer(self, role: str) -> Writer:
        """``watch/`` for the recorder, and a folder of its own in it for anybody else (the keeper)."""
        return Writer(self.path / "watch" if role == "recorder" else self.path / "watch" / role, role)

    def load_writer(self, role: str) -> Writer:
        """As :meth:`writer`, for a load worker: what it writes to ``rows.jsonl`` stands in ``load/<role>.jsonl``."""
        rows = self.path / "load" / f"{role}.jsonl"
        return Writer(self.path / "writers" / f"{role}-{os.getpid()}", role, {"rows.jsonl": rows})

    def lines(self, *patterns: str) -> Iterator[Line]:
        """Lines of the files that match, file by file in order of name; unknown and torn ones are counted."""
        for pattern in patterns or ("writers/**/*.jsonl", "watch/**/*.jsonl", "load/*.jsonl"):
            for path in sorted(self.path.glob(pattern)):
                yield from self.unread.read(path)

    def in_time(self, *patterns: str) -> Record:
        """The same lines in order of their time of writing: what a fold is fed."""
        return Record(self.lines(*patterns))

    def bytes_of(self, writer: str, span: tuple[int, int]) -> bytes:
        """The stored bytes of one span of one writer; empty where they are not there."""
        offset, length = span
        folder = self._folders().get(writer)
        if not length or folder is None:
            return b""
        with (folder / "bytes.bin").open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def _folders(self) -> dict[str, Path]:
        """Writer name -> its folder, for all that store bytes."""
        if self._writers is None:
            stores = self.path.glob("writers/*/bytes.bin")
            self._writers = {path.parent.name.rpartition("-")[0]: path.parent for path in stores}
        return self._writers

    def _read(self, name: str, struct: type[_Struct]) -> _Struct:
        path = self.path / name
        try:
            return msgspec.json.decode(path.read_bytes(), type=struct)
        except OSError as error:
            raise RunDirError(f"cannot read {path}: {error.strerror}") from error
        except msgspec.MsgspecError as error:
            raise RunDirError(f"{path} is damaged: {error}") from error


def _point(link: Path, target: str) -> None:
    """Make ``link`` a symbolic link to ``target``, replacing an older one in one step."""
    fresh = link.with_name(f".latest-{secrets.token_hex(4)}")
    fresh.symlink_to(target)
    fresh.replace(link)
