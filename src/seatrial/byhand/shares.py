"""Percentages of a note: whether one called GPU is the CPU's lifetime mean under another name.

``ps`` shows as %CPU the CPU time used since the start of a process, divided by the time since then. Of a process that
has grown quiet such a mean decays, and the CPU time behind it cannot fall: between them two readings leave little room
for a third. A percentage that lies in that room is the same curve, unless by chance; the room's width is the chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from seatrial.byhand.reading import MINUTE, Note, clock, join, percent, span
from seatrial.records import Conclusion, NoteWord

LIKELY = 0.05
"""A room as wide as this part of 0 to 100 % or wider proves nothing: any figure may lie in it."""


@dataclass(frozen=True, slots=True)
class Share:
    """One percentage, with the time since the start that was shown beside it, s."""

    at: int
    percent: float
    elapsed: int
    label: str

    @property
    def minutes(self) -> float:
        """The CPU minutes used since the start, if the percentage is a lifetime mean."""
        return self.percent / 100 * self.elapsed / MINUTE


@dataclass(frozen=True, slots=True)
class _Curve:
    """The percentages of one process that were called CPU, and those that were called something else."""

    name: str
    cpu: tuple[Share, ...]
    other: tuple[Share, ...]
    half: float  # rounding of a percentage: half of its last digit shown
    grain: int

    def slack(self, share: Share) -> float:
        """How far the CPU minutes of a reading may be off: the time to the grain, the percentage to its last digit."""
        return share.percent / 100 * self.grain / MINUTE + self.half / 100 * share.elapsed / MINUTE

    def decays(self) -> bool:
        """Whether the CPU readings can be one lifetime mean that falls: the mean falls, the time behind it does not."""
        pairs = list(pairwise(self.cpu))
        falls = all(b.percent <= a.percent + 2 * self.half for a, b in pairs)
        return falls and all(b.minutes - a.minutes >= -self.slack(a) - self.slack(b) for a, b in pairs)

    def room(self, share: Share) -> tuple[float, float]:
        """The percentages that a lifetime mean can have at the time of a reading, by the CPU readings around it."""
        before = [c for c in self.cpu if c.at <= share.at]
        after = [c for c in self.cpu if c.at >= share.at]
        low, high = 0.0, 100.0
        whole = share.elapsed / MINUTE
        if after:
            low = max(low, after[0].percent - 2 * self.half)
            high = min(high, (after[0].minutes + self.slack(after[0])) / whole * 100 + self.half)
        if before:
            low = max(low, (before[-1].minutes - self.slack(before[-1])) / whole * 100 - self.half)
            high = min(high, before[-1].percent + 2 * self.half)
        return low, high


def shares(note: Note) -> tuple[Conclusion, ...]:
    """Whether percentages called GPU lie on the lifetime mean of the CPU, for each process that has both."""
    curves = [curve for name in note.names if (curve := _curve(note, name)).other]
    if not curves:
        text = "no percentage called anything but CPU was noted of a process, with the time it runs since"
        return (Conclusion(word="GPU FIGURES NOT KNOWN", text=text, n=f"{len(note.of(NoteWord.SHARE))} percentages"),)
    n = join([_count(curve) for curve in curves])
    usable = [curve for curve in curves if len(curve.cpu) >= 2 and curve.decays()]
    if not usable:
        text = "the percentages called CPU are fewer than two, or no lifetime mean that decays: nothing to compare with"
        return (Conclusion(word="GPU FIGURES NOT KNOWN", text=text, n=n),)
    return tuple(_compared(note, curve) for curve in usable)


def _count(curve: _Curve) -> str:
    return f"{len(curve.other)} called {_labels(curve)} and {len(curve.cpu)} called CPU of {curve.name}"


def _compared(note: Note, curve: _Curve) -> Conclusion:
    n = _count(curve)
    rooms = [(share, *curve.room(share)) for share in curve.other]
    tests = tuple(_room(share, low, high) for share, low, high in rooms)
    label = _labels(curve)
    outside = [share for share, low, high in rooms if not low <= share.percent <= high]
    if outside:
        text = f"the percentages called {label} lie off the CPU's lifetime mean: they are figures of their own"
        return Conclusion(word="NO MISLABEL", text=text, n=n, arithmetic=tests)
    chance = math.prod((high - low) / 100 for _, low, high in rooms)
    if chance > LIKELY:
        text = f"the CPU readings leave too much room ({percent(chance, 0)}) to tell what those called {label} are"
        return Conclusion(word="GPU FIGURES NOT KNOWN", text=text, n=n, arithmetic=tests)
    mean, stretch = _between(curve)
    told = join([f"{share.percent:g} %" for share in curve.other])
    by_chance = f"by chance a figure of 0 to 100 % lies there in {percent(chance)} of cases"
    return Conclusion(
        word=f"CPU MISLABELLED AS {label}",
        text=f"the {told} called {label} of {curve.name} and the percentages called CPU lie on one decaying lifetime"
        f" mean; {stretch} it really used {mean}; so the {told} says nothing of the {label}",
        n=n,
        arithmetic=(_minutes(curve), *tests, by_chance, *_undated(note, curve)),
        against=(f"a reading of the {label} itself (NVML: busy, per process), taken at the same time",),
    )


def _curve(note: Note, name: str) -> _Curve:
    found = []
    for check in note.checks:
        start = check.since.get(name)
        for line in check.lines:
            usable = line.what == NoteWord.SHARE and line.name == name and line.value is not None and check.dated
            if usable and line.value is not None and start is not None and start < check.at:
                found.append(Share(check.at, line.value, check.at - start, line.label))
    whole = all(share.percent == round(share.percent) for share in found)
    cpu = tuple(share for share in found if share.label.upper() == "CPU")
    other = tuple(share for share in found if share.label and share.label.upper() != "CPU")
    return _Curve(name, cpu, other, 0.5 if whole else 0.05, note.grain)


def _labels(curve: _Curve) -> str:
    return join(list(dict.fromkeys(share.label for share in curve.other)))


def _room(share: Share, low: float, high: float) -> str:
    inside = "it lies" if low <= share.percent <= high else "it does not lie"
    return (
        f"at {clock(share.at)} a lifetime mean can only be {low:.1f} to {high:.1f} % by the CPU readings around it:"
        f" {share.percent:g} %, {inside} there"
    )


def _minutes(curve: _Curve) -> str:
    """The CPU minutes behind each percentage, in order of time."""
    rows = sorted((*curve.other, *curve.cpu), key=lambda share: share.at)
    told = [f"{clock(s.at)} {s.percent:g} % of {span(s.elapsed)} = {s.minutes:.1f}" for s in rows]
    return f"CPU minutes since its start: {', '.join(told)}; they only grow, as CPU time does"


def _between(curve: _Curve) -> tuple[str, str]:
    """The true mean over the longest stretch between two neighbouring CPU readings, in words."""
    a, b = max(pairwise(curve.cpu), key=lambda pair: pair[1].at - pair[0].at)
    over = (b.at - a.at) / MINUTE
    mean, slack = (b.minutes - a.minutes) / over, (curve.slack(a) + curve.slack(b)) / over
    low, high = max(0.0, mean - slack), mean + slack
    told = f"about {percent(mean, 0)} of a core ({b.minutes - a.minutes:.1f} CPU min in {over:.0f} min;"
    told += f" {100 * low:.0f} to {percent(high, 0)} with rounding), not {b.percent:g} %"
    return told, f"between {clock(a.at)} and {clock(b.at)}"


def _undated(note: Note, curve: _Curve) -> Sequence[str]:
    """Percentages that bear no time or no process: whether the same curve could have shown them."""
    first = min((*curve.other, *curve.cpu), key=lambda share: share.at)
    start = first.at - first.elapsed
    said = []
    for check in note.checks:
        for line in check.lines:
            if line.what != NoteWord.SHARE or line.value is None or not line.value or (check.dated and line.name):
                continue
            latest = start + first.minutes / line.value * 100 * MINUTE
            if latest >= check.at:
                where = check.told if check.dated else "an entry without a time"
                until = f"{clock(round(latest / MINUTE) * MINUTE)} or before ({first.minutes:.1f} CPU min)"
                said.append(
                    f"the {line.value:g} % called {line.label} in {where} lies on it if of {until}: suspect, no proof"
                )
    return said
