"""The phases of a soak: what is sent in which order, for how long and how fast. Times in seconds, rates in requests/s.

A file of phases holds tables ``[[phase]]``::

    [[phase]]
    sort = "closed"         # a word of PhaseSort
    length = "10m"
    users = 4               # of warm-up, closed and fill; default: as many as the server has slots

    [[phase]]
    sort = "open"           # open, ramp, steps and sweep arrive at random, whatever becomes of those before
    name = "evening"        # default: the sort; no two alike
    length = "1h"
    share = 0.65            # of the rate that the last closed phase or sweep measured; or
    # rps = 1.5             # two of ramp (from, to) and of sweep, several of steps: [0.5, 4]
    # step = "30s"          # of a sweep: how long each rate is tried; factor = 1.5: by how much the next is higher
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from seatrial.given import tables, words
from seatrial.given.errors import ConfigError
from seatrial.records import Hazard, PhaseSort
from seatrial.statistics.knee import step_s

ALL_FROM_S = 600.0
"""A soak that is shorter has closed users alone: of its other phases none would be long enough to tell anything."""

SHARE = 0.65
"""Of what closed users reach: a rate that a server keeps up with, at which it is seldom idle."""

LEAST_RPS, MOST_RPS = 0.000001, 1000.0
LEAST_S = 1.0
LONGEST_S = 30 * 86400.0
MOST_USERS = 1000
STEP_S, FACTOR = 30.0, 1.5

CLOSED = frozenset({PhaseSort.WARM_UP, PhaseSort.CLOSED, PhaseSort.FILL})
"""Sorts that are sent by users, each of whom waits for its answer."""
RATES: dict[PhaseSort, tuple[int, int]] = {
    PhaseSort.OPEN: (1, 1),
    PhaseSort.RAMP: (2, 2),
    PhaseSort.STEPS: (2, 100),
    PhaseSort.SWEEP: (2, 2),
}
"""Sorts that arrive by a rate, and how many rates they take, at least and at most."""
MEASURES = frozenset({PhaseSort.CLOSED, PhaseSort.SWEEP})
"""Sorts that show how fast a server answers: a share is taken of that."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")


class SoakPhase(msgspec.Struct, frozen=True, kw_only=True):
    """One phase as it is to be sent."""

    name: str
    sort: PhaseSort
    seconds: float
    users: int | None = None  # None: as many as the server has slots
    rps: tuple[float, ...] = ()
    share: tuple[float, ...] = ()  # instead of ``rps``: parts of the rate that was measured before
    step_s: float = STEP_S
    factor: float = FACTOR

    def told(self) -> str:
        """The phase in a few words, as the plan says it: ``open 20m at 65 % of what closed reaches``."""
        rates = [f"{rate:g}/s" for rate in self.rps] or [f"{100 * share:.0f} %" for share in self.share]
        of = " of what was measured" if self.share else ""
        how = f" at {' to '.join(rates) if self.sort != PhaseSort.STEPS else ', '.join(rates)}{of}" if rates else ""
        users = f" of {self.users} users" if self.users else ""
        return f"{self.name} {length(self.seconds)}{users}{how}"


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[phase]]``, as it is written."""

    sort: PhaseSort
    length: str
    name: str = ""
    users: int | None = None
    rps: float | tuple[float, ...] | None = None
    share: float | tuple[float, ...] | None = None
    step: str | None = None
    factor: float | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    phase: tuple[_Table, ...] = ()


def usual(
    seconds: float, *, hazard: Hazard = Hazard.HEAVY, rps: float | None = None, users: int | None = None
) -> tuple[SoakPhase, ...]:
    """The phases of a soak of this length, where nobody gave any.

    Args:
        hazard: up to what is sent; slots are filled with long prompts where it is ``heavy``.
        rps: of the open phase; a soak that is too short for the others has then this one alone.
        users: of the closed phases; None: as many as the server has slots.
    """
    sort = PhaseSort
    rate = {"share": (SHARE,)} if rps is None else {"rps": (rps,)}
    if seconds < ALL_FROM_S:
        only = sort.CLOSED if rps is None else sort.OPEN
        return (_phase(only, seconds, users=users) if rps is None else _phase(only, seconds, **rate),)
    warm, rest = _within(seconds / 20, 30, 300), _within(seconds / 20, 60, 120)
    baseline, closed = _within(seconds / 10, 60, 600), seconds / 4
    fill = _within(seconds / 10, 60, 1800) if hazard >= Hazard.HEAVY else 0.0
    left = seconds - warm - baseline - closed - fill - rest
    found = [
        _phase(sort.WARM_UP, warm, users=users),
        _phase(sort.BASELINE, baseline),
        _phase(sort.CLOSED, closed, users=users),
        _phase(sort.OPEN, left, **rate),
        _phase(sort.FILL, fill, users=users),
        _phase(sort.REST, rest),
    ]
    return tuple(phase for phase in found if phase.seconds)


def endless(rps: float | None, users: int | None) -> SoakPhase:
    """The one phase of a load that goes on until somebody ends it."""
    if rps is not None:
        return _phase(PhaseSort.OPEN, LONGEST_S, rps=(rps,))
    return _phase(PhaseSort.CLOSED, LONGEST_S, users=users)


def read(path: Path, *, hazard: Hazard = Hazard.HEAVY) -> tuple[SoakPhase, ...]:
    """Read a file of phases.

    Raises:
        ConfigError: with file, line and key.
    """
    content = tables.content(path)
    written = tables.parse(content, path, _File).phase
    text = content.decode()
    if not written:
        raise ConfigError(f"{tables.shown(path)}: no [[phase]] in it; each says sort and length")
    phases: list[SoakPhase] = []
    for index, table in enumerate(written):
        wrong = next(_wrong(table, phases, hazard), None)
        if wrong is None:
            try:
                phases.append(_read(table))
                if (wrong := _too_short(phases[-1])) is None:
                    continue
            except ConfigError as error:
                wrong = ("length", str(error))
        line = tables.line_of(text, "phase", index, wrong[0])
        raise ConfigError(f"{tables.shown(path)} line {line}: {wrong[1]}")
    if all(phase.sort == PhaseSort.REST for phase in phases):
        raise ConfigError(f"{tables.shown(path)}: nothing is sent in any phase of it; add one that is not of sort rest")
    if (total := sum(phase.seconds for phase in phases)) > LONGEST_S:
        raise ConfigError(f"{tables.shown(path)}: {length(total)} in all; 30 days at most")
    return tuple(phases)


def length(seconds: float) -> str:
    """A length as people say it: ``90s``, ``20m``, ``8h``, ``1h 5m``."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole}s" if seconds >= 1 else f"{seconds:g}s"
    hours, minutes, left = whole // 3600, whole // 60 % 60, whole % 60
    parts = [f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if n]
    return " ".join(parts)


def _phase(sort: PhaseSort, seconds: float, **more: object) -> SoakPhase:
    return SoakPhase(name=sort.value, sort=sort, seconds=seconds, **more)  # type: ignore[arg-type]


def _within(seconds: float, least: float, most: float) -> float:
    return min(max(seconds, least), most)


def _read(table: _Table) -> SoakPhase:
    """A table of which no key is wrong by itself.

    Raises:
        ConfigError: a duration of it is none.
    """
    given = {"step_s": words.duration("step", table.step)} if table.step is not None else {}
    given |= {"factor": table.factor} if table.factor is not None else {}
    return SoakPhase(
        name=table.name or table.sort.value,
        sort=table.sort,
        seconds=words.duration("length", table.length),
        users=table.users,
        rps=_several(table.rps),
        share=_several(table.share),
        **given,
    )


def is_empty(phase: SoakPhase) -> bool:
    """Whether a phase is over, at the rates that it was given, before one request comes, as things go."""
    return bool(phase.rps) and phase.seconds * sum(phase.rps) / len(phase.rps) < 1


def _too_short(phase: SoakPhase) -> tuple[str, str] | None:
    """What is wrong with a phase in which nothing is sent or answered, or a sweep too short for its first rate."""
    if phase.seconds < LEAST_S:
        return "length", "length: over before an answer comes; 1s at least"
    if is_empty(phase):
        return "rps", f"rps: no request comes within {length(phase.seconds)}; a higher rate, or a longer phase"
    if phase.sort != PhaseSort.SWEEP:
        return None
    first = step_s(phase.rps[0], phase.step_s) if phase.rps else phase.step_s
    if first <= phase.seconds:
        return None
    return "length", f"length: too short for the first rate of the sweep, which is tried for {length(first)}"


def _wrong(table: _Table, before: Sequence[SoakPhase], hazard: Hazard) -> Iterator[tuple[str, str]]:
    """What is wrong with a table: the key, and why."""
    sort, name = table.sort, table.name or table.sort.value
    if not _NAME.fullmatch(name):
        yield "name", "name: up to 24 small letters, digits and dashes"
    if name in {phase.name for phase in before}:
        yield "name" if table.name else "sort", f"name: {name} is there already; give this phase another"
    if table.users is not None and (sort not in CLOSED or not 1 <= table.users <= MOST_USERS):
        yield "users", f"users: 1 to {MOST_USERS}, of a phase of sort {', '.join(sorted(CLOSED))}"
    if sort == PhaseSort.FILL and hazard < Hazard.HEAVY:
        yield "sort", "sort: fill sends long prompts to every slot: --hazard=heavy"
    yield from _wrong_rates(table, before)
    for key in ("step", "factor"):
        if getattr(table, key) is not None and sort != PhaseSort.SWEEP:
            yield key, f"{key}: only a sweep has one"
    if table.factor is not None and not 1.05 <= table.factor <= 10:
        yield "factor", "factor: 1.05 to 10: by how much the next rate is higher"


def _wrong_rates(table: _Table, before: Sequence[SoakPhase]) -> Iterator[tuple[str, str]]:
    sort = table.sort
    given = [key for key in ("rps", "share") if getattr(table, key) is not None]
    if sort not in RATES:
        yield from ((key, f"{key}: a phase of sort {sort} has no rate") for key in given)
        return
    if len(given) != 1:
        yield (given[0] if given else "sort", f"{sort}: say how fast, by rps or by share, one of both")
        return
    key, (least, most) = given[0], RATES[sort]
    rates = _several(getattr(table, key))
    highest = MOST_RPS if key == "rps" else 10.0
    if not least <= len(rates) <= most:
        number = "one number" if most == 1 else f"{least} numbers" if least == most else f"{least} numbers or more"
        yield key, f"{key}: {sort} wants {number}"
    if not all(LEAST_RPS <= rate <= highest for rate in rates):
        yield key, f"{key}: more than 0, and {highest:g} at most"
    if sort == PhaseSort.SWEEP and len(rates) == 2 and rates[0] >= rates[1]:
        yield key, f"{key}: a sweep goes from a rate to a higher one"
    if key == "share" and not any(phase.sort in MEASURES for phase in before):
        yield key, "share: of what? no closed phase and no sweep comes before it"


def _several(value: float | tuple[float, ...] | None) -> tuple[float, ...]:
    return () if value is None else value if isinstance(value, tuple) else (value,)
