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
from functools import cached_property
from pathlib import Path

import msgspec

from seatrial.records import (
    VERSION,
    Crew,
    CrewWord,
    Endpoint,
    Event,
    Fact,
    Happening,
    Judgement,
    Line,
    Planned,
    Received,
    Record,
    RunInfo,
)
from seatrial.run import files, sums
from seatrial.run.damage import Damage
from seatrial.run.lines import BAD, LineReader, Numbers
from seatrial.run.writer import BYTES_PER_WRITER, LOAD_BYTES, RunDirError, Writer, encode, write_atomically
from seatrial.text import shorten

PLAN = "plan"
"""The writer of the plan."""


def new_path(root: Path) -> Path:
    """Name a run directory below ``root``, ``<UTC>-<id>``, without making it."""
    return root / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(2)}"


def located(name: str, runs: Path) -> Path | None:
    """The run that somebody means by a path, or by the name of one below ``runs``, ``latest`` too; None: none."""
    given, below = Path(name), runs / name
    return below if not _exists(given) and _exists(below) else given if _exists(given) else None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, a folder that is not ours to look into
        return False


class RunDir:
    """One run on disk, for readers; writers are handed out by :meth:`writer`.

    What cannot be read is left out, and counted in :attr:`damage`: only without a run.json there is no run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damage = Damage()
        self._stores: dict[str, list[str]] | None = None

    @classmethod
    def create(cls, path: Path, info: RunInfo, *, with_sums: bool = True) -> RunDir:
        """Make the directory with its run.json. ``latest`` points to it once :meth:`publish` is called.

        Args:
            with_sums: lines and pages bear sums. Without, whatever stands there is taken for what was recorded.

        Raises:
            RunDirError: it exists with something in it, or cannot be written.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise RunDirError(f"{path} is not empty: name another with --run-dir")
            for folder in ("endpoints", "writers", "watch", "load", "server"):
                (path / folder).mkdir()
            page = msgspec.json.format(encode(info))
            write_atomically(path / "run.json", sums.signed_page(page) if with_sums else page)
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
            RunDirError: there is no run.json that can be read.
        """
        try:
            run = cls(path.resolve())
        except (OSError, RuntimeError) as error:  # links in a circle
            raise RunDirError(f"{path} is no run directory: {error}") from error
        _ = run.info
        return run

    # files

    @cached_property
    def info(self) -> RunInfo:
        return self._front[0]

    @cached_property
    def begin(self) -> int | None:
        """What the sums of this run begin with; None: it was recorded without any."""
        info, signed = self._front
        return sums.start(info.id) if signed else None

    @cached_property
    def unread(self) -> LineReader:
        """What has been read of lines so far, and how many were left out."""
        reader = LineReader(self.begin)
        reader.damaged = self.damage.lines
        return reader

    def endpoints(self) -> dict[str, Endpoint]:
        """Every endpoint of the run whose page can be read, by name."""
        found: dict[str, Endpoint] = {}
        for name in files.matching(self.path, "endpoints/*.json", self.damage.refused):
            page = self.page(name)
            if page is None:
                continue
            try:
                endpoint = msgspec.json.decode(page, type=Endpoint)
            except BAD:
                self.damage.refused(name, "no page of an endpoint")
                continue
            named = endpoint.name == name.split("/")[1].removesuffix(".json") and endpoint.name.isprintable()
            if named and (self.begin is None or sums.page_holds(page, self.begin)):
                found[endpoint.name] = endpoint
            else:
                self.damage.refused(name, "not as it was written")
        return found

    def single(self, endpoint: str) -> Path:
        """A file that is there once requests of ours were seen to wait for each other at an endpoint."""
        return self.path / "endpoints" / f"{endpoint}.single"

    def write_endpoint(self, endpoint: Endpoint) -> None:
        page = msgspec.json.format(encode(endpoint))
        page = page if self.begin is None else sums.signed_page(page, self.begin)
        write_atomically(self.path / "endpoints" / f"{endpoint.name}.json", page)

    def planned(self) -> list[Planned]:
        """Every planned case, in order of the plan."""
        return [line for line in self.lines("planned.jsonl") if isinstance(line, Planned)]

    def write_planned(self, planned: Sequence[Planned]) -> None:
        now = time.monotonic_ns()
        stamped = (msgspec.structs.replace(p, v=VERSION, w=PLAN, n=n, t=now) for n, p in enumerate(planned, start=1))
        lines = (sums.signed(encode(line), self.begin) + b"\n" for line in stamped)
        write_atomically(self.path / "planned.jsonl", b"".join(lines))

    def page(self, name: str) -> bytes | None:
        """A small file of the run as it stands there; None where there is none that can be read."""
        try:
            return files.read(self.path, name)
        except files.MissingError:
            return None
        except files.UnfitError as error:
            self.damage.refused(name, str(error))
            return None

    # lines and bytes

    def writer(self, role: str) -> Writer:
        """A folder of one's own below ``writers/`` for requests and judgements."""
        return Writer(self.path / "writers" / f"{role}-{os.getpid()}", role, begin=self.begin)

    def watch_writer(self, role: str) -> Writer:
        """``watch/`` for the recorder, and a folder of its own in it for anybody else (the keeper)."""
        watch = self.path / "watch"
        return Writer(watch if role == "recorder" else watch / role, role, begin=self.begin)

    def load_writer(self, role: str) -> Writer:
        """As :meth:`writer`, for a load worker: what it writes to ``rows.jsonl`` stands in ``load/<role>.jsonl``."""
        rows = self.path / "load" / f"{role}.jsonl"
        folder = self.path / "writers" / f"{role}-{os.getpid()}"
        return Writer(folder, role, {"rows.jsonl": rows}, LOAD_BYTES, begin=self.begin)

    def lines(self, *patterns: str) -> Iterator[Line]:
        """Lines of the files that match, file by file in order of name; what is none is left out and counted."""
        for pattern in patterns or ("writers/**/*.jsonl", "watch/**/*.jsonl", "load/*.jsonl"):
            for name in files.matching(self.path, pattern, self.damage.refused):
                yield from self._lines_of(name)

    def in_time(self, *patterns: str) -> Record:
        """The same lines in order of their time of writing, each once: what a fold is fed."""
        lines = self.lines(*patterns)
        return Record(lines if self.begin is None else Numbers().once(lines))

    def whole(self) -> tuple[Record, list[Planned]]:
        """All lines in order of time, and the plan; :attr:`damage` says afterwards what is missing of them."""
        if self.begin is None:
            return self.in_time(), self.planned()
        numbers = Numbers()
        record = Record(numbers.once(self.lines()))
        plan = [line for line in numbers.once(self.lines("planned.jsonl")) if isinstance(line, Planned)]
        sealed = [e for e in record.of(Event) if e.what == Happening.SEAL and e.w == "keeper"]
        begun = record.of(Judgement) or any(line.w in {"keeper", "recorder"} for line in record)
        self.damage.open = not sealed and bool(begun)
        for line in record.of(Crew):
            if line.what == CrewWord.GAP:
                numbers.told(line.worker, line.first, line.last)
        self.damage.lost = numbers.lost(_last_numbers(sealed[-1]) if sealed else {})
        self.damage.doubled = numbers.doubled
        return record, plan

    def bytes_of(self, writer: str, span: tuple[int, int]) -> bytes:
        """The stored bytes of one span of one writer; those that are there."""
        return next((found for found in self._stored(writer, span) if found), b"")

    def exchange_of(self, line: Received) -> tuple[bytes, bytes, str]:
        """Request and response of an answered exchange as far as they are there, and what is wrong with them."""
        found = []
        wrong = ""
        for what, span, total in zip(("request", "response"), (line.request, line.response), line.sums, strict=True):
            kept = list(self._stored(line.w, span))
            sound = [content for content in kept if len(content) == span[1] and self._holds(content, total)]
            if not sound and span[1]:
                there = max(map(len, kept), default=0)
                how = f"{there} of {span[1]} bytes are there" if there != span[1] else "its bytes were changed"
                wrong = wrong or f"{what}: {how}"
            found.append(next(iter(sound or sorted(kept, key=len, reverse=True)), b""))
        parts = sum(length for _, length in line.frames)
        if not wrong and any(length < 0 for _, length in line.frames):
            wrong = "a read of it has a negative length"
        if not wrong and self.begin is None and line.frames and not line.dropped and parts != line.response[1]:
            wrong = f"its reads come to {parts} bytes, and {line.response[1]} are recorded"
        if wrong:
            self.damage.exchanges.add(line.id)
        return found[0], found[1], wrong

    def _holds(self, content: bytes, total: int) -> bool:
        return not total or self.begin is None or sums.of_bytes(content, self.begin) == total

    def _stored(self, writer: str, span: tuple[int, int]) -> Iterator[bytes]:
        """What stands at a span in each store that may be this writer's; one, unless a foreign folder was put there."""
        offset, length = span
        if length <= 0 or offset < 0 or offset + length > BYTES_PER_WRITER:
            return
        for name in self._of_writers().get(writer, ()):
            try:
                with os.fdopen(files.opened(self.path, name), "rb") as file:
                    file.seek(offset)
                    yield file.read(length)
            except files.UnfitError as error:
                self.damage.refused(name, str(error))
            except OSError as error:
                self.damage.refused(name, error.strerror or str(error))

    def _of_writers(self) -> dict[str, list[str]]:
        """Writer name -> its stores of bytes."""
        if self._stores is None:
            self._stores = {}
            for name in files.matching(self.path, "writers/*/bytes.bin", self.damage.refused):
                self._stores.setdefault(name.split("/")[1].rpartition("-")[0], []).append(name)
        return self._stores

    def _lines_of(self, name: str) -> Iterator[Line]:
        reader = self.unread
        torn, unknown = reader.torn, reader.unknown
        try:
            yield from reader.read(files.opened(self.path, name), name)
        except files.MissingError:
            reader.torn, reader.unknown = torn, unknown
        except files.UnfitError as error:
            self.damage.refused(name, str(error))
        except OSError as error:
            self.damage.refused(name, error.strerror or str(error))

    @cached_property
    def _front(self) -> tuple[RunInfo, bool]:
        """What run.json says, and whether the lines of the run bear sums."""
        try:
            page = files.read(self.path, "run.json")
            info = msgspec.json.decode(page, type=RunInfo)
        except files.MissingError as error:
            raise RunDirError(f"{self.path} is no run directory: it holds no run.json") from error
        except files.UnfitError as error:
            raise RunDirError(f"{self.path} is no run directory: cannot read its run.json: it is {error}") from error
        except BAD as error:
            raise RunDirError(f"{self.path}/run.json is damaged: {shorten(str(error))}") from error
        holds = sums.page_holds(page)
        if holds is False:
            self.damage.page = "run.json is not as it was written: its settings cannot be believed"
        return info, holds is not None


def _last_numbers(seal: Event) -> dict[str, int]:
    try:
        return msgspec.json.decode(seal.facts.get(Fact.LINES, "{}"), type=dict[str, int])
    except BAD:
        return {}


def _point(link: Path, target: str) -> None:
    """Make ``link`` a symbolic link to ``target``, replacing an older one in one step."""
    fresh = link.with_name(f".latest-{secrets.token_hex(4)}")
    fresh.symlink_to(target)
    fresh.replace(link)
