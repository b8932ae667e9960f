"""Each evidence source is removed in turn from what was recorded, and the same history is judged again.

What is then said must be the same, or weaker: a cause may fall to UNKNOWN, a family to one that claims less, or to
nothing; never to another cause. What may fall to what stands in the table of families.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from seatrial.records import (
    STREAMS,
    Ask,
    Clock,
    Event,
    Gpu,
    Line,
    LoadRow,
    Log,
    Meter,
    Probe,
    Received,
    Sample,
    Sent,
    Stop,
    Threads,
)  # fmt: skip
from seatrial.stops import fold
from seatrial.stops.state.families import FALLS
from seatrial.stops.state.limits import Limits


def _without(*kinds: type[Line]) -> Callable[[Line], Line | None]:
    return lambda line: None if isinstance(line, kinds) else line


def _exit_status(line: Line) -> Line:
    if isinstance(line, Event) and line.what in ("exit", "lost"):
        return replace(line, status=None, source="unobservable: removed")
    return line


def _exits(line: Line) -> Line | None:
    return None if isinstance(line, Event) and line.what in ("exit", "lost") else line


def _oom(line: Line) -> Line:
    if isinstance(line, Probe):
        return replace(line, oom_host=None, oom_cgroup=None)
    if isinstance(line, Event):
        return replace(line, facts={k: v for k, v in line.facts.items() if not k.startswith("oom")})
    return line


def _facts(line: Line) -> Line:
    return replace(line, facts={}) if isinstance(line, Event) else line


def _ticks(line: Line) -> Line:
    return replace(line, started_ticks=0) if isinstance(line, Event) else line


def _socket(line: Line) -> Line:
    if isinstance(line, Probe):
        return replace(line, listens=None, inode=None, queue=None, owner=None, owners=(), established=None)
    return line


def _health(line: Line) -> Line:
    return replace(line, health=None, health_ns=None, error="not asked") if isinstance(line, Probe) else line


def _wall(line: Line) -> Line:
    return replace(line, wall_ns=line.t) if isinstance(line, Clock) else line


def _asks_of(rung: str) -> Callable[[Line], Line | None]:
    return lambda line: None if isinstance(line, Ask) and line.rung == rung else line


def _moves(line: Line) -> Line:
    return replace(line, cpu_ns=None, switches=None, io=None) if isinstance(line, Sample) else line


SOURCES: dict[str, Callable[[Line], Line | None]] = {
    "samples": _without(Sample),
    "CPU, switches": _moves,
    "probes": _without(Probe),
    "socket": _socket,
    "/health": _health,
    "scheduler": _asks_of("scheduler"),
    "canary": _asks_of("canary"),
    "counters": _without(Meter),
    "threads": _without(Threads),
    "log": _without(Log),
    "GPU": _without(Gpu),
    "exit status": _exit_status,
    "exits": _exits,
    "oom_kill": _oom,
    "fingerprint": _facts,
    "start ticks": _ticks,
    "clients": _without(Sent, Received, LoadRow),
    "wall clock": _wall,
}
"""Name of a source -> what becomes of a line without it."""


def ablate(lines: Sequence[Line], limits: Limits, full: Sequence[Stop], rests_on: Sequence[str] = ()) -> dict[str, str]:
    """For each source: ``same``, ``weaker``, or ``WRONG: what is said``.

    Where one source alone acquits a server (``rests_on``), an alarm without it whose cause is UNKNOWN is ``alarm``.
    """
    found = {}
    for name, remove in SOURCES.items():
        less = fold.fold(_removed(lines, remove), limits)
        found[name] = compare(full, less)
        if name in rests_on and found[name].startswith("WRONG") and all(s.cause.startswith("UNKNOWN") for s in less):
            found[name] = "alarm"
    return found


def _removed(lines: Iterable[Line], remove: Callable[[Line], Line | None]) -> list[Line]:
    return [left for line in lines if (left := remove(line)) is not None]


def compare(full: Sequence[Stop], less: Sequence[Stop]) -> str:
    """How an account by less evidence stands to the whole one."""
    whole = [stop for stop in full if not stop.planned]
    rest = [stop for stop in less if not stop.planned]
    left = list(whole)
    for stop in rest:
        fits = sorted((other for other in left if _at_most(stop, other)), key=lambda o: o.family != stop.family)
        if fits and stop.family == fits[0].family:
            left.remove(fits[0])
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
    family = less.family == whole.family or less.family in FALLS.get(whole.family, ())
    kind = less.family in STREAMS or less.kind in (whole.kind, "unknown", "")
    kind = kind and less.signal in (whole.signal, None)
    cause = less.cause.startswith("UNKNOWN") or _parts(less.cause) <= _parts(whole.cause)
    return less.name == whole.name and family and kind and less.code in (whole.code, None) and cause


def _parts(cause: str) -> set[str]:
    """What a cause names (``the gateway``, ``aborted itself``), without its ground and the figures in brackets."""
    return {part.partition(": ")[0] for part in re.sub(r" \([^)]*\)", "", cause).split("; ")}
