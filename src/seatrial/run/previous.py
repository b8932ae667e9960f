"""The last run of the same endpoints in the same folder of runs, as far as its verdict is to be compared with.

What is found is written into the run directory when the run begins, so that its verdict can be computed again from it
alone. Neighbours may be damaged, foreign or many: only regular files are read, each up to a bound, and what cannot be
read is passed over. Nothing here is an error.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from seatrial.records import Earlier, Endpoint, Outcome
from seatrial.run import files
from seatrial.run.lines import BAD
from seatrial.run.writer import write_atomically

FILE = "previous.json"

SEEN, READ = 2000, 200
"""Entries of the folder that are looked at, and of these the newest runs that are read."""

PATIENCE_S = 2.0
FILE_CAP = 8 * 1024 * 1024
CASES, NAME = 20_000, 100
"""Cases of a verdict that are kept, and characters of a name."""

WORDS = frozenset(map(str, Outcome))

_Read = TypeVar("_Read")


class _Run(msgspec.Struct):
    started: str


class _Page(msgspec.Struct):
    name: str
    url: str
    kind: str = ""
    model: str = ""
    build: str = ""
    embedded: bool = False


class _Said(msgspec.Struct):
    verdict: str


class _Verdict(msgspec.Struct):
    endpoints: dict[str, _Said]
    outcomes: dict[str, str]


def keep(path: Path, endpoints: Mapping[str, Endpoint]) -> None:
    """Find the last run of each endpoint beside the run at ``path``, and write into it what it came to.

    Raises:
        OSError: the run directory cannot be written.
    """
    found = find(path, endpoints)
    if found:
        write_atomically(path / FILE, msgspec.json.format(msgspec.json.encode(found)))


def kept(path: Path) -> dict[str, Earlier]:
    """What a run knows of the last run of each of its endpoints, by name; nothing where it holds none."""
    return _decoded(path, FILE, dict[str, Earlier]) or {}


def find(path: Path, endpoints: Mapping[str, Endpoint]) -> dict[str, Earlier]:
    """The newest judged run of each endpoint that began before the run at ``path``, in the same folder."""
    until = time.monotonic() + PATIENCE_S
    found: dict[str, Earlier] = {}
    for folder in _older(path, until):
        lacking = {name: each for name, each in endpoints.items() if name not in found}
        if not lacking or time.monotonic() > until:
            break
        found |= _of(folder, lacking)
    return found


def _older(path: Path, until: float) -> Iterator[Path]:
    """Folders beside a run that hold one that began before it, the newest first."""
    own = _decoded(path, "run.json", _Run)
    dated: list[tuple[int, str]] = []
    try:
        with os.scandir(path.resolve().parent) as entries:
            for entry in islice(entries, SEEN):
                if entry.name != path.name and entry.is_dir(follow_symlinks=False) and time.monotonic() < until:
                    dated += ((_written(Path(entry.path, "run.json")), entry.path),)
    except OSError:
        return
    newest = sorted((pair for pair in dated if pair[0]), reverse=True)[:READ]
    runs = [(run.started, at, place) for at, place in newest if (run := _decoded(Path(place), "run.json", _Run))]
    for started, _, place in sorted(runs, reverse=True):
        if own is None or started <= own.started:
            yield Path(place)


def _of(folder: Path, endpoints: Mapping[str, Endpoint]) -> dict[str, Earlier]:
    """What a run came to for those of the endpoints that it had on trial."""
    named = files.matching(folder, "endpoints/*.json", _unsaid)[:READ]
    pages = [page for name in named if (page := _decoded(folder, name, _Page))]
    ours = {name: page for name, each in endpoints.items() for page in pages if _same(page, each)}
    verdict = _decoded(folder, "verdict.json", _Verdict) if ours else None
    if verdict is None:
        return {}
    found = {}
    for name, page in ours.items():
        said, mark = verdict.endpoints.get(page.name), f"@{page.name}"
        outcomes = {
            case.removesuffix(mark): word
            for case, word in islice(verdict.outcomes.items(), CASES)
            if case.endswith(mark) and word in WORDS
        }
        if said is not None and outcomes:
            found[name] = Earlier(
                run=os.fsencode(folder.name).decode("utf-8", "replace")[:NAME],
                verdict=said.verdict[:NAME],
                kind=page.kind[:NAME],
                model=page.model[:NAME],
                build=page.build[:NAME],
                outcomes=outcomes,
            )
    return found


def _same(page: _Page, endpoint: Endpoint) -> bool:
    """Whether both are one endpoint: the same address, or the embedded server, whose port is another each time."""
    return page.embedded if endpoint.embedded else page.url == endpoint.url and not page.embedded


def _unsaid(_name: str, _why: str) -> None:
    """What cannot be read of another run is not this run's to tell."""


def _written(path: Path) -> int:
    """When a regular file was last written, ns since 1970; 0 where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_mtime_ns if stat.S_ISREG(found.st_mode) else 0


def _decoded(run: Path, name: str, kind: type[_Read]) -> _Read | None:
    """A small file of a run as what it should hold; None where it is not read, or holds something else."""
    try:
        return msgspec.json.decode(files.read(run, name, FILE_CAP), type=kind)
    except (files.UnfitError, *BAD):
        return None
