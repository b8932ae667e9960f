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
from typing import Any, TypeVar, get_args

import msgspec

from seatrial.records import NO_STOP, STREAMS, Earlier, Endpoint, Family, NightFigure, NightMeasure, Outcome
from seatrial.run import files
from seatrial.run.lines import BAD
from seatrial.run.writer import write_atomically

FILE = "previous.json"

SEEN, READ = 2000, 200
"""Entries of the folder that are looked at, and of these the newest runs that are read."""

PATIENCE_S = 2.0
FRESH_S = 120
"""A run that was written to within so many seconds may go on."""
FILE_CAP = 8 * 1024 * 1024
CASES, NAME = 20_000, 100
"""Cases of a verdict that are kept, and characters of a name."""

WORDS = frozenset(map(str, Outcome))
MEASURES = frozenset(map(str, NightMeasure))
FAMILIES: frozenset[str] = frozenset(get_args(Family)) - NO_STOP - STREAMS
"""Families of silent stops."""

_Read = TypeVar("_Read")


class _Run(msgspec.Struct):
    started: str
    options: dict[str, Any] = {}


class _Page(msgspec.Struct):
    name: str
    url: str
    kind: str = ""
    model: str = ""
    build: str = ""
    embedded: bool = False


class _Said(msgspec.Struct):
    verdict: str
    counts: dict[str, int] = {}
    measured: dict[str, NightFigure] = {}


class _Ended(msgspec.Struct):
    name: str
    family: str
    planned: bool = False
    doubt: str = ""


class _Verdict(msgspec.Struct):
    endpoints: dict[str, _Said]
    outcomes: dict[str, str]
    stops: tuple[_Ended, ...] = ()


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """A run as another one reads it.

    Attributes:
        started: when it began, ISO 8601, UTC. ``options``: the settings of its run.json.
        pages: of its endpoints: kind, model and build, as an Earlier of no outcome.
        came: what each endpoint came to, by name; empty where it has no verdict that can be read.
        counts: cases by outcome, by endpoint.
    """

    run: str
    started: str
    options: dict[str, Any]
    pages: dict[str, Earlier]
    came: dict[str, Earlier]
    counts: dict[str, dict[str, int]]


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


def past(folder: Path) -> Past | None:
    """What can be read of the run in a folder; None where it holds none."""
    run = _decoded(folder, "run.json", _Run)
    if run is None:
        return None
    pages = _pages(folder)
    verdict = _decoded(folder, "verdict.json", _Verdict)
    return Past(
        run=_name(folder),
        started=run.started[:NAME],
        options=run.options,
        pages={page.name[:NAME]: _bare(folder, page) for page in pages},
        came={page.name[:NAME]: _came(folder, page, verdict) for page in pages if verdict and _judged(page, verdict)},
        counts={
            page.name[:NAME]: verdict.endpoints[page.name].counts
            for page in pages
            if verdict and _judged(page, verdict)
        },
    )


def started(folder: Path) -> str:
    """When the run in a folder began, ISO 8601, UTC; empty where it holds none."""
    run = _decoded(folder, "run.json", _Run)
    return run.started[:NAME] if run is not None else ""


def goes_on(folder: Path) -> bool:
    """Whether a run without a verdict was written to lately, and so may go on: its recorder writes every second."""
    newest = max(_written(folder / name) for name in ("watch/samples.jsonl", "run.json"))
    return not (folder / "verdict.json").exists() and time.time_ns() - newest < FRESH_S * 10**9


def _of(folder: Path, endpoints: Mapping[str, Endpoint]) -> dict[str, Earlier]:
    """What a run came to for those of the endpoints that it had on trial."""
    ours = {name: page for name, each in endpoints.items() for page in _pages(folder) if _same(page, each)}
    verdict = _decoded(folder, "verdict.json", _Verdict) if ours else None
    if verdict is None:
        return {}
    found = {name: _came(folder, page, verdict) for name, page in ours.items() if _judged(page, verdict)}
    return {name: each for name, each in found.items() if each.outcomes}


def _pages(folder: Path) -> list[_Page]:
    """The pages of a run's endpoints, as far as they can be read."""
    named = files.matching(folder, "endpoints/*.json", _unsaid)[:READ]
    return [page for name in named if (page := _decoded(folder, name, _Page))]


def _judged(page: _Page, verdict: _Verdict) -> bool:
    return page.name in verdict.endpoints


def _bare(folder: Path, page: _Page, verdict: str = "") -> Earlier:
    """A server as its page tells it."""
    return Earlier(
        run=_name(folder),
        verdict=verdict[:NAME],
        kind=page.kind[:NAME],
        model=page.model[:NAME],
        build=page.build[:NAME],
        outcomes={},
    )


def _came(folder: Path, page: _Page, verdict: _Verdict) -> Earlier:
    """What a run came to for one of its endpoints."""
    said, mark = verdict.endpoints[page.name], f"@{page.name}"
    outcomes = {
        case.removesuffix(mark): word
        for case, word in islice(verdict.outcomes.items(), CASES)
        if case.endswith(mark) and word in WORDS
    }
    families = [stop.family for stop in verdict.stops[:CASES] if stop.name == page.name and _silent(stop)]
    return msgspec.structs.replace(
        _bare(folder, page, said.verdict),
        outcomes=outcomes,
        measured={name: figure for name, figure in said.measured.items() if name in MEASURES},
        stopped=tuple(dict.fromkeys(families)),
    )


def _silent(stop: _Ended) -> bool:
    """Whether a stop counts as one, as :attr:`Stop.silent` has it."""
    return stop.family in FAMILIES and not stop.planned and not stop.doubt


def _name(folder: Path) -> str:
    return os.fsencode(folder.name).decode("utf-8", "replace")[:NAME]


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
