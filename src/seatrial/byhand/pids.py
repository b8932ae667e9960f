"""What the pids of a note prove: the kernel hands them out in ascending order, so a lower one is the older process."""

from __future__ import annotations

from dataclasses import dataclass

from seatrial.byhand.reading import MINUTE, Note, clock, join, span
from seatrial.records import Conclusion, NoteWord

PID_MAX = 32768
"""The kernel's default pid_max; a higher pid shows that it was raised. 64-bit systemd raises it to :data:`RAISED`."""
RAISED = 4_194_304


@dataclass(frozen=True, slots=True)
class Crossed:
    """Two processes of which the one with the lower pid is said to have begun later."""

    low: str
    low_pid: int
    low_start: int
    high: str
    high_pid: int
    high_start: int


def crossings(note: Note) -> tuple[list[Crossed], int]:
    """The contradictory pairs, and how many pairs could be compared: pid and start time from one and the same check."""
    found: list[Crossed] = []
    seen: list[set[int]] = []
    for check in note.checks:
        known = sorted((pid, name) for name, pid in check.pids.items() if name in check.since)
        for index, (low_pid, low) in enumerate(known):
            for high_pid, high in known[index + 1 :]:
                if {low_pid, high_pid} in seen:
                    continue
                seen.append({low_pid, high_pid})
                if check.since[low] - check.since[high] > note.grain:
                    found.append(Crossed(low, low_pid, check.since[low], high, high_pid, check.since[high]))
    return found, len(seen)


def pids(note: Note) -> Conclusion:
    """Whether the pids, which the kernel hands out in ascending order, agree with the start times."""
    found, compared = crossings(note)
    n = f"{compared} pairs of processes with pid and start time in one entry"
    if not compared:
        text = "no two processes were noted with pid and start time in one entry"
        return Conclusion(word="PID ORDER NOT KNOWN", text=text, n=n)
    if not found:
        text = "the later a process is said to have begun, the higher its pid"
        return Conclusion(word="PID ORDER AGREES", text=text, n=n)
    lines = [line for pair in found for line in _pace(note, pair)]
    return Conclusion(
        word="PID ORDER CONTRADICTS",
        text=join([_claim(note, pair) for pair in found]),
        n=n,
        arithmetic=(*lines, _wrap(found)),
        against=(
            "two pid namespaces (a container): NSpid of /proc/PID/status tells",
            "a wrap of the pids in between: field 22 of /proc/PID/stat of both tells who began first",
        ),
    )


def _claim(note: Note, pair: Crossed) -> str:
    """What the pair contradicts: an outage as long as noted, where the low pid came back from one."""
    stops = [
        line for line in note.of(NoteWord.STOPPED, pair.low) if line.value is not None and line.value < pair.low_start
    ]
    what = "the start times noted"
    if stops:
        what = f"an outage of {span(pair.low_start - round(max(line.value or 0 for line in stops)))}"
    return (
        f"{what}: {pair.low} (pid {pair.low_pid}, began {clock(pair.low_start)}) has a lower pid than {pair.high}"
        f" (pid {pair.high_pid}, began {clock(pair.high_start)}); pids ascend, so it began before it"
    )


def _pace(note: Note, pair: Crossed) -> list[str]:
    """When the low pid began if the other time is right, and the other way round, by the pace of pids before both."""
    before = [
        (pid, check.since[name], name)
        for check in note.checks
        for name, pid in check.pids.items()
        if name in check.since and pid < pair.low_pid and check.since[name] < min(pair.low_start, pair.high_start)
    ]
    if not before:
        return []
    pid, start, name = max(before)
    fast = (pair.high_pid - pid) / (pair.high_start - start)
    slow = (pair.low_pid - pid) / (pair.low_start - start)
    low = start + (pair.low_pid - pid) / fast
    high = pair.low_start + (pair.high_pid - pair.low_pid) / slow
    since = f"pids a minute since {name} (pid {pid}, {clock(start)})"
    one = f"if {clock(pair.high_start)} is right: {fast * MINUTE:.0f} {since}, so pid {pair.low_pid} began about"
    other = f"if {clock(pair.low_start)} is right: {slow * MINUTE:.0f} {since}, so pid {pair.high_pid} began about"
    return [
        f"{one} {_minute(low)}, {(pair.high_start - low) / MINUTE:.0f} min before pid {pair.high_pid}",
        f"{other} {_minute(high)}, {(high - pair.high_start) / MINUTE:.0f} min later than noted",
    ]


def _minute(seconds: float) -> str:
    return clock(round(seconds / MINUTE) * MINUTE)


def _wrap(found: list[Crossed]) -> str:
    top = max(pair.high_pid for pair in found)
    gap = max(pair.low_start - pair.high_start for pair in found)
    if top <= PID_MAX:
        return f"a wrap is possible: no pid is above {PID_MAX}, the default pid_max"
    return (
        f"pid {top} is above {PID_MAX}, so pid_max was raised (to {RAISED} by systemd on 64 bit): a wrap within"
        f" {span(gap)} would need {(RAISED - top) / gap:,.0f} forks a second"
    )
