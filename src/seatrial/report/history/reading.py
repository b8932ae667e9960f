"""The nights of a folder of runs, as far as they can be read. Nothing here is an error: a folder may hold anything."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from seatrial.given import tables
from seatrial.records import Changes, Earlier, NightsKept, NightWord, Ready
from seatrial.run import files, previous
from seatrial.run.lines import BAD
from seatrial.verdict import since

KEPT = "nights.json"
SEEN = 20_000
"""Entries of a folder that are looked at."""
PATIENCE_S = 60.0

LOAD = ("--soak", "--workload", "--phases", "--users", "--rps", "--seed", "--canary-every")
"""Arguments by which the figures of two soaks are alike or not."""

WORDS: Mapping[str, NightWord] = {str(word): NightWord(word.value) for word in Ready}


class PastNight(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint's run of one night.

    Attributes:
        run: the name of its directory, which is ``path``. ``started``: ISO 8601, UTC.
        came: what it came to; of a run without a verdict what its page says of the server.
        counts: cases by outcome.
        load: the soak's settings, by which its figures can be held against others'.
        changes: what is another than in the last night before it that was judged; None: there is none.
    """

    endpoint: str
    run: str
    path: str
    started: str
    word: NightWord
    came: Earlier
    counts: dict[str, int] = {}
    load: str = ""
    changes: Changes | None = None


def nights(runs: Path, endpoint: str = "", most: int = 30) -> dict[str, list[PastNight]]:
    """The last nights of each endpoint, by its name, the oldest first.

    Args:
        endpoint: only this one; empty: all.
        most: nights of each that are wanted. One more is read, by which the first of them is told what changed.
    """
    until = time.monotonic() + PATIENCE_S
    found: dict[str, list[PastNight]] = {}
    for folder in _newest(runs, until):
        if time.monotonic() > until:
            break
        past = previous.past(folder)
        if past is None:
            continue
        for name in past.pages:
            if (not endpoint or name == endpoint) and len(found.setdefault(name, [])) <= most:
                found[name].append(_night(folder, past, name))
        if endpoint and len(found.get(endpoint, ())) > most:
            break
    for night in _untried(runs):
        if not endpoint or night.endpoint == endpoint:
            found.setdefault(night.endpoint, []).append(night)
    return {name: compared(sorted(each, key=_when), most) for name, each in found.items() if each}


def compared(listed: Sequence[PastNight], most: int) -> list[PastNight]:
    """The last nights with what changed in each since the last one before it that was judged."""
    found: list[PastNight] = []
    last: Earlier | None = None
    for night in listed:
        changes = since.changes(last, night.came) if last is not None and night.came.outcomes else None
        found.append(msgspec.structs.replace(night, changes=changes))
        last = night.came if night.came.outcomes else last
    return found[-most:]


def _untried(runs: Path) -> Iterator[PastNight]:
    """The nights of which no run is there, for nothing could be asked; a nightly job remembers them beside its runs."""
    try:
        kept = msgspec.json.decode(files.read(runs.resolve().parent, KEPT, previous.FILE_CAP), type=NightsKept)
    except (files.UnfitError, *BAD):
        return
    for night in kept.nights:
        for name, word in night.words.items():
            if word is NightWord.NOT_TRIED:
                came = Earlier(run="", verdict="", outcomes={})
                yield PastNight(endpoint=name, run="", path="", started=night.night[:40], word=word, came=came)


def _newest(runs: Path, until: float) -> Iterator[Path]:
    """Folders of runs, the latest first, whatever they are called."""
    dated: list[tuple[str, str, Path]] = []
    try:
        for path in islice(runs.iterdir(), SEEN):
            if time.monotonic() > until:
                break
            if path.is_dir() and not path.is_symlink() and (at := previous.started(path)):
                dated.append((at, path.name, path))
    except OSError:
        return
    yield from (path for *_, path in sorted(dated, reverse=True))


def _night(folder: Path, past: previous.Past, name: str) -> PastNight:
    came = past.came.get(name)
    word = WORDS.get(came.verdict) if came is not None else None
    if came is None or word is None:
        word = NightWord.RUNNING if previous.goes_on(folder) else NightWord.CUT
        came = past.pages[name]
    return PastNight(
        endpoint=name,
        run=past.run,
        path=tables.shown(folder),
        started=past.started,
        word=word,
        came=came,
        counts=past.counts.get(name, {}),
        load=_load(past.options),
    )


def _load(options: Mapping[str, Any]) -> str:
    """The settings of the soak, as one text that is alike where they are."""
    asked = options.get("asked_with")
    told = asked if isinstance(asked, dict) else {}
    return str([(name, str(told[name])[:200]) for name in LOAD if name in told])


def _when(night: PastNight) -> tuple[str, str]:
    return night.started, night.run
