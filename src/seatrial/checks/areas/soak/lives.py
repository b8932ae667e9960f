"""The lives of the server under a soak, and which of them answered a request.

Who sends does not see who answers. The record does: processes of a server that was watched here were found, and seen to
end; one that is elsewhere may mark each of its starts. A request belongs to the life that was there when it was sent;
where its answer came only after that life's end, to the next one. What nobody answered belongs to none.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from seatrial.checks.areas.soak import lasting, measured
from seatrial.reading.soak.columns import once, rows_of
from seatrial.records import SECOND, Event, Happening, LoadRow, SoakRun

BEGINS = frozenset({Happening.START, Happening.FOUND, Happening.REPLACED})
LATE_NS = SECOND
"""Bytes that come so long after a process's end are not its own."""

TOLD = 20
"""Lives that have a line of their own: a server may end and begin all night."""


@dataclass(frozen=True, slots=True)
class ServerLife:
    """One life of a server: monotonic ns, from when it is known to its end.

    Attributes:
        until: None: no end was seen.
        pid: 0: it is elsewhere.
    """

    since: int
    until: int | None = None
    pid: int = 0
    incarnation: str = ""


@once
def lives(run: SoakRun) -> tuple[ServerLife, ...]:
    """Those that a soak met, in order; none where nothing tells of any."""
    start, end = lasting.bounds(run)
    found = _by_events(run) or _by_marks(run)
    met = [each for each in found if start is None or each.until is None or each.until > start]
    return tuple(each for each in met if end is None or each.since <= end)


def answering(run: SoakRun, row: LoadRow) -> int | None:
    """The number of the life that answered a request, from 1; None: none did, or nobody knows."""
    came = row.byte_at or row.first_at
    if not came or not lives(run):
        return None
    ends, latest = _ends(run)
    return 1 + max(bisect_left(ends, row.sent_at), bisect_left(latest, came))


@once
def _ends(run: SoakRun) -> tuple[list[int], list[int]]:
    """Of each life but the last: when it was over, and until when bytes that came may be its own. Both in order."""
    ends, latest = list[int](), list[int]()
    for before, after in itertools.pairwise(lives(run)):
        ends.append(after.since if before.until is None else min(before.until, after.since))
        latest.append(max(ends[-1] + LATE_NS, after.since))
    return ends, latest


def of_lives(run: SoakRun) -> Iterator[tuple[str, str]]:
    """What was measured of each life, where there were several."""
    known = lives(run)
    if len(known) < 2:
        return
    rows = rows_of(run)
    whose = np.array([answering(run, row) or 0 for row in run.rows], dtype=np.int64)
    start, _ = lasting.bounds(run)
    for number, life in enumerate(known[:TOLD], 1):
        mine = rows.where(whose == number)
        who = [f"pid {life.pid}"] if life.pid else []
        who += (
            [f"{max(life.since - start, 0) / SECOND:.0f} s after the load began"]
            if start is not None and number > 1
            else []
        )
        times = measured.times(measured.Group(measured.sent_as_traffic(mine)))
        yield f"soak: life {number} of the server", ", ".join([*who, f"{len(mine)} answers", *times])
    if further := known[TOLD:]:
        yield "soak: further lives of the server", f"{len(further)} of them, {int((whose > TOLD).sum())} answers"
    if none := int((whose == 0).sum()):
        yield "soak: answered by none", f"{none} requests"


def _by_events(run: SoakRun) -> list[ServerLife]:
    """Of main processes. The one who starts a server knows its pid alone, and knows it first."""
    found: list[ServerLife] = []
    latest: dict[str | int, int] = {}  # of an incarnation, and of a pid: where its latest life stands
    for event in sorted(run.events, key=lambda event: event.signalled_at or event.at):
        known = {latest[name] for name in (event.incarnation, event.pid) if name in latest}
        place = next((n for n in sorted(known, reverse=True) if _is_of(event, found[n])), None)
        if event.what in BEGINS and not event.parent:
            if place is None:
                place = len(found)
                found.append(ServerLife(event.at, pid=event.pid, incarnation=event.incarnation))
            else:
                incarnation = found[place].incarnation or event.incarnation
                found[place] = replace(found[place], incarnation=incarnation)
            latest |= {name: max(place, latest.get(name, 0)) for name in (event.incarnation, event.pid) if name}
        elif event.what not in BEGINS and place is not None and found[place].until is None:
            found[place] = replace(found[place], until=event.signalled_at or event.at)
    return found


def _is_of(event: Event, life: ServerLife) -> bool:
    if event.incarnation and life.incarnation:
        return event.incarnation == life.incarnation
    return event.pid == life.pid and (life.until is None or event.what not in BEGINS)


def _by_marks(run: SoakRun) -> list[ServerLife]:
    """Of a server that marks each start of its own; none where a mark comes again: several answer by that name."""
    began: dict[str, int] = {}
    last = ""
    for meter in run.meters:
        if not meter.start or meter.start == last:
            continue
        if meter.start in began:
            return []
        last, began[meter.start] = meter.start, meter.t
    return [*map(ServerLife, began.values())]
