"""Which nights are kept. A run is removed only where it is this job's own, and nothing that is kept points at it."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from seatrial.nightly.config import NightlyConfig
from seatrial.nightly.state import JUDGED
from seatrial.records import NightKept
from seatrial.run import files, previous
from seatrial.run.lines import BAD

RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")
GOING = ".removed-"
"""Before the name of a run that is being removed: half a run is none that anybody reads."""
FILE_CAP = 16 * 1024 * 1024
LEAST_FREE = 500 * 10**6
"""Bytes; with less on its disk no night begins."""


class Removed(NamedTuple):
    """The nights that stay in the memory of the job, the runs that were removed, and what is to be said."""

    nights: tuple[NightKept, ...]
    runs: tuple[str, ...]
    notices: tuple[str, ...]


def trim(config: NightlyConfig, nights: Sequence[NightKept]) -> Removed:
    """Remove the runs of nights beyond those that are kept; ``nights``: the oldest first, the newest is sealed."""
    old, kept = split(nights, config.keep)
    _sweep(config.runs)
    if not old:
        return Removed(tuple(nights), (), ())
    held = pointed_at(config, {name for night in kept for name in night.runs.values()})
    gone: list[str] = []
    stay: list[NightKept] = []
    notices: list[str] = []
    for night in old:
        left = {}
        for endpoint, name in night.runs.items():
            if name in held:
                left[endpoint] = name
            elif why := _remove(config, name):
                notices.append(f"{name} is left alone: {why}")
            else:
                gone.append(name)
        if left:
            stay.append(msgspec.structs.replace(night, runs=left))
    return Removed((*stay, *kept), tuple(gone), tuple(notices))


def split(nights: Sequence[NightKept], keep: int) -> tuple[list[NightKept], list[NightKept]]:
    """The nights that may go, and those that stay: the last ``keep`` in which something was judged, and all since."""
    judged = [n for n, night in enumerate(nights) if JUDGED.intersection(night.words.values())]
    first = judged[-keep] if len(judged) > keep else 0
    return list(nights[:first]), list(nights[first:])


def pointed_at(config: NightlyConfig, kept: Iterable[str]) -> set[str]:
    """Names of runs that ``latest``, a waiver, or a run that goes on points at."""
    texts: list[bytes] = []
    held = set()
    link = config.runs / "latest"
    if link.is_symlink():
        held.add(link.readlink().name)
    texts += [_content(target.waive.parent, target.waive.name) for target in config.targets if target.waive]
    texts += [_content(config.runs / name, "waivers.toml") for name in kept]
    for folder in _folders(config.runs):
        if previous.goes_on(folder):
            held.add(folder.name)
            texts += [_content(folder, name) for name in ("run.json", previous.FILE, "planned.jsonl")]
    return held | {found for text in texts for found in RUN.findall(text.decode("utf-8", "replace"))}


def taken(runs: Path, names: Iterable[str]) -> int:
    """Bytes of run directories."""
    found = 0
    for name in names:
        for path in (runs / name).rglob("*"):
            try:
                status = path.lstat()
            except OSError:
                continue
            found += status.st_blocks * 512
    return found


def room(config: NightlyConfig, last: int) -> str:
    """Why the disk has no room for a night; empty where it has. ``last``: bytes that the last one took."""
    free = shutil.disk_usage(config.directory).free
    need = config.space if config.space is not None else max(LEAST_FREE, round(1.5 * last))
    if free >= need:
        return ""
    why = "space says so" if config.space is not None else f"the last one took {last / 1e9:.2f} GB"
    return (
        f"{free / 1e9:.2f} GB are free in {config.directory}, and a night wants {need / 1e9:.2f} GB ({why}): "
        "free some, keep fewer nights, or set space"
    )


def _remove(config: NightlyConfig, name: str) -> str:
    """Remove one run and its log; why not, where it is not what it should be. One that is gone is no trouble."""
    folder, going = config.runs / name, config.runs / f"{GOING}{name}"
    if not RUN.fullmatch(name):
        return "this is no name of a run"
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return "no folder of ours stands there"
    if folder.is_dir():
        if _id(folder) != name:
            return "its run.json is another's"
        try:
            folder.rename(going)
        except OSError as error:
            return error.strerror or str(error)
        shutil.rmtree(going, ignore_errors=True)
    with contextlib.suppress(OSError):  # a log that cannot be removed is no reason to tell nobody of the night
        (config.logs / f"{name}.log").unlink(missing_ok=True)
    return ""


def _sweep(runs: Path) -> None:
    """Remove what an earlier removal, cut in the midst, has left."""
    for folder in _folders(runs):
        if folder.name.startswith(GOING) and RUN.fullmatch(folder.name.removeprefix(GOING)):
            shutil.rmtree(folder, ignore_errors=True)


def _folders(runs: Path) -> Iterator[Path]:
    try:
        yield from sorted(path for path in runs.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return


def _id(folder: Path) -> str:
    try:
        said = msgspec.json.decode(files.read(folder, "run.json", FILE_CAP), type=dict[str, object])
    except (files.UnfitError, *BAD):
        return ""
    return str(said.get("id", ""))


def _content(folder: Path, name: str) -> bytes:
    try:
        return files.read(folder, name, FILE_CAP)
    except files.UnfitError:
        return b""
