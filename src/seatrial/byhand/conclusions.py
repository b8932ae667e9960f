"""A watch kept by hand, judged: what a note of times, pids and percentages proves, and what it cannot.

The same questions are put to any note, and each is answered, with its arithmetic, or told why it cannot be: was a
process restarted between the checks; did the clock drift; is a percentage called GPU the CPU's; do the pids agree
with the times; and why did what stopped stop. A stop in a note is a stop: somebody saw it. What the note says of it is
a witness, and its numbers are held against each other.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from seatrial.byhand.pids import Crossed, crossings, pids
from seatrial.byhand.reading import Note, backwards, clock, join, read, span
from seatrial.byhand.shares import shares
from seatrial.byhand.times import drift, moves, restarts
from seatrial.records import SECOND, Conclusion, Noted, NoteWord, Stop
from seatrial.stops.fold import ROUND_S

SOURCE = "noted by hand: no exit status was seen"
BESIDE_S = 120
"""A process that begins so soon after a stop may have to do with it."""
ALIKE = "ggml-org/llama.cpp #20509"
"""An open report of servers down without a word in the log; one had its process alive, and no LISTEN socket."""


def conclusions(lines: Iterable[Noted]) -> tuple[Conclusion, ...]:
    """What follows from the noted facts; nothing where there are none."""
    note = read(lines)
    if not note.lines:
        return ()
    whys = [_why(note, line) for line in note.of(NoteWord.STOPPED) if line.value is not None]
    return (restarts(note), drift(note), *shares(note), pids(note), *whys)


def stops(lines: Iterable[Noted]) -> tuple[Stop, ...]:
    """The stops that a note tells of, and the restarts that follow from its start times."""
    note = read(lines)
    found = [_stopped(note, line) for line in note.of(NoteWord.STOPPED) if line.value is not None]
    for move in moves(note):
        began = move.after.since[move.name]
        told = any(abs((line.value or 0) - began) <= 2 * note.grain for line in note.of(NoteWord.STARTED, move.name))
        if move.restarted and not told:
            found.append(
                Stop(
                    name=move.name,
                    family="RESTARTED",
                    kind="unknown",
                    alive_at=move.before.at * SECOND,
                    dead_at=began * SECOND,
                    until=began * SECOND,
                    proof="the check before",
                    rung="not told by the note",
                    source=SOURCE,
                    evidence=(f"its start time moved by {span(move.by)}, to after the check before",),
                    cause="UNKNOWN: the note says nothing of it",
                    hypotheses=tuple(_hypotheses(note, move.name, began, None)),
                )
            )
    found.sort(key=lambda stop: stop.dead_at)
    return tuple(_numbered(found))


def notices(lines: Iterable[Noted]) -> list[str]:
    """What makes a note a story and no instrument: entries out of order, a date that was another day of the week."""
    note = read(lines)
    said = []
    for line in note.of(NoteWord.DATE):
        try:
            day = datetime.date.fromisoformat(line.text).strftime("%A")
        except ValueError:
            said.append(f"the note's date {line.text} is none")
            continue
        if line.label and line.label != day:
            said.append(f"the note calls {line.text} a {line.label}: it was a {day}")
    turns = backwards(note)
    if turns:
        first = ", ".join(f"{later} stands after {earlier}" for earlier, later in turns[:3])
        said.append(f"entries of the note are out of order, so it was not written as things happened: {first}")
    return said


def watched(lines: Iterable[Noted], name: str) -> str:
    """``noted at 8 checks from 23:18 to 23:57``: how a process was watched by hand; empty where it was not."""
    note = read(lines)
    checks = [check for check in note.checks if any(line.name == name for line in check.lines)]
    dated = [check.at for check in checks if check.dated]
    if not checks:
        return ""
    said = []
    if len(dated) < len(checks):
        said.append("in an entry without a time")
    if dated:
        many = "1 check at" if len(dated) == 1 else f"{len(dated)} checks from {clock(dated[0])} to"
        said.append(f"at {many} {clock(dated[-1])}")
    return f"noted by hand {join(said)}; between them nobody looked"


def _numbered(found: list[Stop]) -> Iterator[Stop]:
    count: dict[str, int] = {}
    for stop in found:
        count[stop.name] = count.get(stop.name, 0) + 1
        yield replace(stop, id=f"{stop.name}-{count[stop.name]}")


def _stopped(note: Note, line: Noted) -> Stop:
    at = round(line.value or 0)
    back = _back(note, line.name, at)
    crossed = _crossed(note, line.name, at)
    pid = next((p for check in note.checks if (p := check.pids.get(line.name))), 0)
    return Stop(
        name=line.name,
        family="STOPPED",
        kind="unknown",
        alive_at=(at - note.grain) * SECOND,
        dead_at=(at + note.grain) * SECOND,
        until=None if back is None else back * SECOND,
        proof="none was noted before it stopped",
        rung="not told by the note: its process, or only its socket",
        successor=f"pid {pid}" if back is not None and pid else "",
        source=SOURCE,
        evidence=tuple(_evidence(note, line, at, back, crossed)),
        cause="UNKNOWN: the note holds no exit status, no kernel's count and no log of its end",
        hypotheses=tuple(_hypotheses(note, line.name, at, crossed)),
        log=tuple(f"{fact.text} (as noted)" for fact in note.of(NoteWord.LOG, line.name)[:1]),
        alike=(ALIKE,),
    )


def _back(note: Note, name: str, at: int) -> int | None:
    """When it was back, as noted; None where that is not noted."""
    told = [
        round(line.value) for line in note.of(NoteWord.STARTED, name) if line.value is not None and line.value >= at
    ]
    return min(told, default=None)


def _crossed(note: Note, name: str, at: int) -> Crossed | None:
    """A pid that contradicts the time at which a process is said to have been back."""
    return next((pair for pair in crossings(note)[0] if pair.low == name and pair.low_start >= at), None)


def _evidence(note: Note, line: Noted, at: int, back: int | None, crossed: Crossed | None) -> Iterator[str]:
    yield f"noted: {line.text or 'it stopped'}"
    if back is not None:
        yield f"noted: back at {clock(back)}, {span(back - at)} later"
    if crossed is not None:
        yield (
            f"its pid contradicts that: with pid {crossed.low_pid} it began before {crossed.high} (pid"
            f" {crossed.high_pid}, {clock(crossed.high_start)}): {_short(note, at, crossed)}"
        )
    for name, began in _beside(note, line.name, at):
        yield f"{name} began at {clock(began)}, {span(began - at)} after it"
    for fact in note.of(NoteWord.ANSWERED, line.name):
        yield f"{fact.name} answered again at {clock(round(fact.at / SECOND))} ({fact.text})"


def _short(note: Note, at: int, crossed: Crossed) -> str:
    most = crossed.high_start - at + note.grain
    return f"it was gone for {span(most)} at most, or {clock(crossed.high_start)} is wrong"


def _beside(note: Note, name: str, at: int) -> list[tuple[str, int]]:
    """Processes that began within two minutes after a stop."""
    first = {who: check.since[who] for check in reversed(note.checks) for who in check.since}
    return [(who, began) for who, began in first.items() if who != name and 0 <= began - at <= BESIDE_S]


def _outlived(note: Note) -> list[str]:
    """Processes that ran longer than the shortest of the round time-outs, and for how long."""
    said = []
    for name in note.names:
        ages = [check.at - began for check, began in note.since(name) if check.dated]
        if ages and max(ages) > ROUND_S[1]:
            said.append(f"{name} ran for {span(max(ages))}")
    return said


def _hypotheses(note: Note, name: str, at: int, crossed: Crossed | None) -> Iterator[str]:
    """What may have happened, likeliest first: what would show it or kill it, and what the note says to that."""
    lived = _outlived(note)
    rounds = ", ".join(str(seconds) for seconds in ROUND_S[:3])
    against = f"; {join(lived)}: speaks against a time-out of {ROUND_S[1]} s set for all" if lived else ""
    beside = "".join(f"; {who} began {span(began - at)} after it" for who, began in _beside(note, name, at))
    yield (
        f"its launcher's time-out, the end of a login session, or another agent; would show: an uptime at its end of"
        f" {rounds} s, or its session leader gone with it; another time and a living leader kill it (uptime not"
        f" noted{against})"
    )
    yield (
        "the kernel's OOM killer; would show: oom_kill grows in /proc/vmstat or memory.events, or a unit's Result ="
        " oom-kill; +0 in both kills it (not noted)"
    )
    yield (
        "an abort whose last words were lost, as of a CUDA error or of GPU memory another process took; would show:"
        f" signal 6, an Xid in the kernel log, its standard error; another exit status kills it (not noted{beside})"
    )
    yield (
        f"its listener closed while its process hung ({ALIKE}); would show: the old pid alive with established"
        " connections and no LISTEN socket; its exit kills it (its old pid was not noted)"
    )
    told = f"the pids speak for it: {_short(note, at, crossed)}" if crossed else "the pids noted do not speak for it"
    yield (
        "no outage, or a short one, and a wrong time; would show: start ticks (field 22 of /proc/PID/stat) of the"
        f" process that listens now, before or just after the stop; ticks of the time noted kill it ({told})"
    )


def _why(note: Note, line: Noted) -> Conclusion:
    at = round(line.value or 0)
    back = _back(note, line.name, at)
    crossed = _crossed(note, line.name, at)
    facts = list(_evidence(note, line, at, back, crossed))
    ranked = list(_hypotheses(note, line.name, at, crossed))
    outage = "" if back is None else f"; {clock(back)} - {clock(at)} = {span(back - at)} as noted"
    doubt = f"; by the pids {_short(note, at, crossed)}" if crossed else ""
    return Conclusion(
        word="CAUSE UNKNOWN",
        text=f"why {line.name} stopped about {clock(at)} does not follow from the note; {len(ranked)} hypotheses stand,"
        " ranked, at its stop, each with what would show it and what would kill it",
        n=f"{len(facts)} facts about the stop; exit statuses, kernel counts and lines of its log: 0",
        arithmetic=(f"its uptime at the end: not noted{outage}{doubt}",),
        against=("its exit status, or the first of those observations: seatrial watch records them all",),
    )
