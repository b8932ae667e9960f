"""What the start times of a note prove: a restart moves that of one process, a clock moves those of all.

``ps`` reckons a start time as now, less the time since boot, plus the process's start ticks. So a wall clock that is
stepped moves every start time, and a restart moves that of one process, to a time after the last check.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from seatrial.byhand.reading import Check, Note, clock, join, percent, span
from seatrial.records import Conclusion

SLEW = 500e-6
"""How much faster or slower NTP lets a clock run (adjtimex): 500 ppm. What is faster than that is a step."""


@dataclass(frozen=True, slots=True)
class Move:
    """How far the start time shown of one process moved between two checks, s."""

    name: str
    before: Check
    after: Check
    by: int
    restarted: bool


def moves(note: Note) -> list[Move]:
    """Every process from each of its checks to the next."""
    return [
        Move(name, a, b, later - earlier, _restarted(note, name, a, b))
        for name in note.names
        for (a, earlier), (b, later) in pairwise(note.since(name))
    ]


def _restarted(note: Note, name: str, a: Check, b: Check) -> bool:
    """Whether a process began anew: its start time moved further than a clock explains, to after the last check."""
    could = {who for who, shown in b.since.items() if who in a.since and shown >= a.at - note.grain}
    anchors = [b.since[who] - a.since[who] for who in a.since if who in b.since and who != name and who not in could]
    common = min(anchors, key=abs, default=0)  # what the clock did, by those that cannot have been restarted
    corrected = b.since[name] - common
    return corrected >= a.at - note.grain and corrected - a.since[name] > note.grain


def restarts(note: Note) -> Conclusion:
    """Whether a process was restarted between two checks."""
    seen = moves(note)
    count = _readings(note)
    if not seen:
        return Conclusion(
            word="RESTARTS NOT KNOWN",
            text="no process was noted at two checks with the time it runs since",
            n=count,
        )
    anew = [move for move in seen if move.restarted]
    if anew:
        told = join([f"{m.name} between {m.before.told} and {m.after.told}" for m in anew])
        return Conclusion(
            word="RESTARTED",
            text=told,
            n=count,
            arithmetic=tuple(_anew(note, move) for move in anew),
            against=("its pid and field 22 of /proc/PID/stat, had they been noted, would say so at once",),
        )
    names = list(dict.fromkeys(move.name for move in seen))
    first, last = min((m.before for m in seen), key=_at), max((m.after for m in seen), key=_at)
    return Conclusion(
        word="NO RESTART",
        text=f"between the checks {join(names)} ran on, from {first.told} to {last.told}",
        n=count,
        arithmetic=(*(_path(note, name) for name in names), *_together(note, seen)),
        against=("a pid, or field 22 of /proc/PID/stat, that differs between two checks",),
    )


def _at(check: Check) -> int:
    return check.at


def _readings(note: Note) -> str:
    each = [f"{len(found)} of {name}" for name in note.names if (found := note.since(name))]
    return f"start times shown: {join(each)}" if each else "no start time shown"


def _anew(note: Note, move: Move) -> str:
    others = [
        f"{who} {span(move.after.since[who] - shown, signed=True)}"
        for who, shown in move.before.since.items()
        if who != move.name and who in move.after.since
    ]
    beside = f"; meanwhile {join(others)}" if others else ""
    return (
        f"{move.name}: since {clock(move.before.since[move.name])} -> {clock(move.after.since[move.name])},"
        f" {span(move.by, signed=True)}, to after the check before (to within {span(note.grain)}){beside}"
    )


def _path(note: Note, name: str) -> str:
    """``8080: since 21:41 -> 21:44 -> 21:45``; readings that show the same are one."""
    shown = [time for _, time in note.since(name)]
    path = [clock(time) for n, time in enumerate(shown) if n == 0 or time != shown[n - 1]]
    return f"{name}: since {' -> '.join(path)} in {len(shown)} checks"


def _together(note: Note, seen: list[Move]) -> list[str]:
    """For each stretch in which start times moved: by how much each, and why that is no restart."""
    found = []
    for a, b in dict.fromkeys((m.before, m.after) for m in seen if abs(m.by) >= note.grain):
        here = [m for m in seen if (m.before, m.after) == (a, b)]
        moved = join([f"{m.name} {span(m.by, signed=True)}" for m in here])
        same = max(m.by for m in here) - min(m.by for m in here) <= note.grain
        why = f"they move together (to within {span(note.grain)}): a restart moves one"
        if len(here) < 2 or not same:
            why = "the times shown lie before the check at which they ran already"
        found.append(f"{'entry without a time' if not a.dated else a.told} to {b.told}: {moved}; {why}")
    return found


@dataclass(frozen=True, slots=True)
class _Drift:
    """How far a start time moved over a stretch without a restart; ``least``: at least this share of it, s per s."""

    name: str
    first: Check
    last: Check
    by: int
    rate: float
    least: float
    most: float


def _drift(note: Note, name: str, *, dated: bool) -> _Drift | None:
    """The longest stretch of a process without a restart; ``dated``: over entries that bear a time alone."""
    stretch: list[tuple[Check, int]] = []
    best: list[tuple[Check, int]] = []
    for check, shown in note.since(name):
        if dated and not check.dated:
            continue
        if stretch and _restarted(note, name, stretch[-1][0], check):
            stretch = []
        stretch.append((check, shown))
        if not best or stretch[-1][0].at - stretch[0][0].at >= best[-1][0].at - best[0][0].at:
            best = list(stretch)
    if len(best) < 2:
        return None
    (first, earlier), (last, later) = best[0], best[-1]
    by, over = later - earlier, last.at - first.at
    least = max(0, abs(by) - note.grain) / (over + note.grain)
    most = (abs(by) + note.grain) / (over - note.grain) if over > note.grain else math.inf
    return _Drift(name, first, last, by, abs(by) / over, least, most)


def drift(note: Note) -> Conclusion:
    """Whether the clock, or whoever reckoned the start times, drifted: start times of all processes move together."""
    found = [d for name in note.names if (d := _drift(note, name, dated=False))]
    n = _readings(note)
    if not found:
        return Conclusion(word="DRIFT NOT KNOWN", text="no process was noted twice without a restart", n=n)
    moved = [d for d in found if abs(d.by) > note.grain]
    if not moved:
        text = f"no start time shown moves by more than its rounding, {span(note.grain)}"
        return Conclusion(word="NO DRIFT", text=text, n=n, arithmetic=tuple(_path(note, d.name) for d in found))
    lines = [_rate(note, d) for d in moved]
    lines += [_rate(note, d) for m in moved if not m.first.dated and (d := _drift(note, m.name, dated=True))]
    still = [d.name for d in found if d not in moved]
    if still or max(d.by for d in moved) - min(d.by for d in moved) > note.grain:
        return Conclusion(
            word="START TIMES DISAGREE",
            text=f"those of {join([d.name for d in moved])} moved, and not as those of the others: no one clock did it",
            n=n,
            arithmetic=(*lines, *(_path(note, name) for name in still)),
        )
    alone = " (one process alone: a common cause cannot be told from its own)" if len(moved) < 2 else ""
    low, high = min(abs(d.by) for d in moved), max(abs(d.by) for d in moved)
    by = span(high) if low == high else f"{span(low)} and {span(high)}"
    over = ("" if moved[0].first.dated else "at most ") + span(moved[0].last.at - moved[0].first.at)
    rate = join(list(dict.fromkeys(percent(d.rate) for d in moved)))
    return Conclusion(
        word="CLOCK OR ARITHMETIC DRIFTED",
        text=f"by {by} in {over} ({rate}): the start times of {join([d.name for d in moved])} move together{alone}",
        n=n,
        arithmetic=(*lines, *_slew(moved)),
        against=(
            "field 22 of /proc/PID/stat, the start in ticks since boot, stays the same in both cases",
            "CLOCK_REALTIME less CLOCK_MONOTONIC tells them apart: it jumps only if the clock was stepped",
        ),
    )


def _rate(note: Note, d: _Drift) -> str:
    bound = "" if d.first.dated else "at most "
    told = f"{d.name} from {d.first.told} to {d.last.told}: {span(d.by, signed=True)} in {bound}"
    told += f"{span(d.last.at - d.first.at)}, {'at least ' if bound else ''}{percent(d.rate)}"
    ends = f"{percent(d.least)} or more" if bound else f"{percent(d.least)} to {percent(d.most)}"
    return f"{told} ({ends} with each time +-{span(note.grain)})"


def _slew(moved: list[_Drift]) -> list[str]:
    least = max(d.least for d in moved)
    by = max(abs(d.by) for d in moved)
    hours = by / SLEW / 3600
    if least <= SLEW:
        return [f"a slewed clock (up to {percent(SLEW, 2)}) is not excluded by this"]
    return [
        f"a slewed clock cannot: NTP slews by 500 ppm ({percent(SLEW, 2)}) at most: {span(by)} take {hours:.0f} h",
        "steps of the wall clock can (a virtual machine set right from outside), or the note-taker's arithmetic",
        "if it is the clock: times by CLOCK_MONOTONIC there, and so rates of tokens, are wrong by the same part",
    ]
