"""A watch kept by hand, put in order: who was said to run since when, at which check, with what share and what pid.

All times here are seconds since the note's midnight, by the note's own clock. A note that shows minutes is taken to be
exact to a minute, one that shows seconds to a second: :attr:`Note.grain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from seatrial.records import SECOND, Noted, NoteWord

MINUTE = 60
TIMES = frozenset({NoteWord.SINCE, NoteWord.STOPPED, NoteWord.STARTED})


@dataclass(frozen=True, slots=True)
class Check:
    """What was written down at one time. Without a time: ``at`` is the earliest that its own facts allow."""

    at: int
    dated: bool
    lines: tuple[Noted, ...]

    @property
    def since(self) -> dict[str, int]:
        """Name -> the start time shown."""
        return {
            line.name: round(line.value)
            for line in self.lines
            if line.what == NoteWord.SINCE and line.value is not None
        }

    @property
    def pids(self) -> dict[str, int]:
        return {line.name: line.pid for line in self.lines if line.what == NoteWord.PID and line.pid}

    @property
    def told(self) -> str:
        """``23:18``; of an entry without a time: ``an entry without a time (not before 21:41)``."""
        return clock(self.at) if self.dated else f"an entry without a time (not before {clock(self.at)})"


@dataclass(frozen=True)
class Note:
    """The note's checks in order of time."""

    checks: tuple[Check, ...]
    lines: tuple[Noted, ...]
    grain: int  # how far a time shown may be off for its rounding, s
    names: tuple[str, ...] = field(default=())

    def since(self, name: str) -> list[tuple[Check, int]]:
        """The checks at which a start time of a process was shown, and which."""
        return [(check, check.since[name]) for check in self.checks if name in check.since]

    def of(self, what: NoteWord, name: str | None = None) -> list[Noted]:
        """Facts of a kind, of one process or of all, in the order of the note."""
        return [line for line in self.lines if line.what == what and name in (None, line.name)]


def read(lines: Iterable[Noted]) -> Note:
    """Put the facts in order of time. They may stand in any order; entries of the same time are one check."""
    listed = sorted(lines, key=lambda line: line.n)
    dated: dict[int, list[Noted]] = {}
    checks: list[Check] = []
    for is_dated, group in groupby(listed, key=lambda line: line.dated):
        if is_dated:
            for line in group:
                dated.setdefault(round(line.at / SECOND), []).append(line)
        else:
            entry = tuple(group)
            told = [round(line.value) for line in entry if line.what in TIMES and line.value is not None]
            checks.append(Check(max(told, default=0), dated=False, lines=entry))
    checks += [Check(at, dated=True, lines=tuple(entry)) for at, entry in dated.items()]
    checks.sort(key=lambda check: check.at)
    shown = [round(line.value) for line in listed if line.what in TIMES and line.value is not None] + list(dated)
    return Note(
        checks=tuple(checks),
        lines=tuple(listed),
        grain=1 if any(time % MINUTE for time in shown) else MINUTE,
        names=tuple(dict.fromkeys(line.name for line in listed if line.name)),
    )


def backwards(note: Note) -> list[tuple[str, str]]:
    """Neighbours in the note of which the later one bears the earlier time: it was not written as things happened."""
    times = [round(line.at / SECOND) for line in note.lines if line.dated]
    return [(clock(earlier), clock(later)) for earlier, later in pairwise(times) if later < earlier]


def clock(seconds: int) -> str:
    """``23:18``, with seconds where there are any; hours go on past midnight."""
    sign, whole = ("-", -seconds) if seconds < 0 else ("", seconds)
    minutes, rest = divmod(whole, MINUTE)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}" + (f":{rest:02d}" if rest else "")


def span(seconds: float, *, signed: bool = False) -> str:
    """``39 min``, ``+5 min``, ``12 s``: the note's own unit."""
    minutes = seconds / MINUTE
    if seconds and abs(seconds) % MINUTE:
        return f"{seconds:+.0f} s" if signed else f"{seconds:.0f} s"
    return f"{minutes:+.0f} min" if signed else f"{minutes:.0f} min"


def percent(part: float, digits: int = 1) -> str:
    """``3.7 %`` of 0.037."""
    return f"{part * 100:.{digits}f} %"


def join(parts: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
