"""Each evidence source is removed in turn from what was recorded, and the same history is judged again.

What is then said must be the same, or weaker: a cause may fall to UNKNOWN, a family to one that claims less, or to
nothing; never to another cause. What may fall to what stands in the table of families.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from seatrial.records import (
    STREAMS,
    Ask,
    Clock,
    Event,
    Happening,
    Line,
    LoadRow,
    Probe,
    Received,
    Sample,
    Sent,
    Stop,
)
from seatrial.stops import fold
from seatrial.stops.state.families import weaker
from seatrial.stops.state.limits import Limits
from tests.stops.removed import KINDS, Drop, lacking, left, no_counts, no_statuses, without, without_event


def _asks_of(rung: str) -> Drop:
    return lambda line: None if isinstance(line, Ask) and line.rung == rung else line


def _wall(line: Line) -> Line:
    return replace(line, wall_ns=line.t) if isinstance(line, Clock) else line


SOURCES: dict[str, Drop] = {
    **KINDS,
    "CPU, switches": lacking(Sample, cpu_ns=None, switches=None, io=None),
    "socket": lacking(
        Probe, listens=None, inode=None, queue=None, owner=None, owners=(), strangers=(), established=None
    ),
    "/health": lacking(Probe, health=None, health_ns=None, error="not asked"),
    "scheduler": _asks_of("scheduler"),
    "canary": _asks_of("canary"),
    "exit status": no_statuses,
    "exits": without_event(Happening.EXIT, Happening.LOST),
    "oom_kill": no_counts,
    "fingerprint": lacking(Event, facts={}),
    "start ticks": lacking(Event, started_ticks=0),
    "clients": without(Sent, Received, LoadRow),
    "wall clock": _wall,
}
"""Name of a source -> what becomes of a line without it."""


def ablate(lines: Sequence[Line], limits: Limits, full: Sequence[Stop], rests_on: Sequence[str] = ()) -> dict[str, str]:
    """For each source: ``same``, ``weaker``, or ``WRONG: what is said``.

    Where one source alone acquits a server (``rests_on``), an alarm without it whose cause is UNKNOWN is ``alarm``.
    """
    found = {}
    for name, remove in SOURCES.items():
        less = fold.fold(left(lines, remove), limits)
        found[name] = compare(full, less)
        if name in rests_on and found[name].startswith("WRONG") and all(s.cause.startswith("UNKNOWN") for s in less):
            found[name] = "alarm"
    return found


def compare(full: Sequence[Stop], less: Sequence[Stop]) -> str:
    """How an account by less evidence stands to the whole one."""
    whole = [stop for stop in full if not stop.planned]
    rest = [stop for stop in less if not stop.planned]
    open_ones = list(whole)
    for stop in rest:
        if stop.family == "UNOBSERVED" and any(stop.name == other.name for other in whole):
            continue  # it claims nothing
        fits = sorted((other for other in open_ones if _at_most(stop, other)), key=lambda o: o.family != stop.family)
        if fits and stop.family == fits[0].family:
            open_ones.remove(fits[0])
        elif not fits and not (stop.family in STREAMS and any(_at_most(stop, other) for other in whole)):
            return f"WRONG: {stop.family} of {stop.name} {stop.kind}: {stop.cause}"
    same = sorted(map(_claim, whole)) == sorted(map(_claim, rest))
    return "same" if same else "weaker"


def _claim(stop: Stop) -> tuple[str, str, str, str, str]:
    """What a stop claims; the wording of UNKNOWN is no claim."""
    cause = "UNKNOWN" if stop.cause.startswith("UNKNOWN") else "; ".join(sorted(_parts(stop.cause)))
    return stop.name, stop.family, stop.kind, f"{stop.signal} {stop.code}", cause


def _at_most(less: Stop, whole: Stop) -> bool:
    """Whether a stop claims nothing that the one from the whole record does not."""
    family = less.family == whole.family or less.family in weaker(whole.family, whole.rung)
    kind = less.family in STREAMS or less.kind in (whole.kind, "unknown", "")
    kind = kind and less.signal in (whole.signal, None)
    cause = less.cause.startswith("UNKNOWN") or _parts(less.cause) <= _parts(whole.cause)
    return less.name == whole.name and family and kind and less.code in (whole.code, None) and cause


def _parts(cause: str) -> set[str]:
    """What a cause names (``the gateway``, ``aborted itself``), without its ground and the figures in brackets."""
    return {part.partition(": ")[0] for part in re.sub(r" \([^)]*\)", "", cause).split("; ")}
