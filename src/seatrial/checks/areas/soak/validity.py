"""Whether a load and its recorder did their own work, from the lines that they left. Times in seconds.

What they measured is no verdict on the server where they did not. What the record itself proves stands all the same:
a stream that has no end has none, however late it was read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import TypeVar

import numpy as np

from seatrial.checks.areas.soak import lasting, measured
from seatrial.checks.areas.soak.aside import astray
from seatrial.checks.areas.soak.parts import intervals
from seatrial.checks.findings import no_evidence
from seatrial.detectors import harness
from seatrial.reading.soak.columns import once, rows_of
from seatrial.records import OUR_ERROR, SECOND, Clock, Crew, CrewWord, Expect, Finding, LoadPulse, SoakRun, Stage
from seatrial.statistics.censored import censored
from seatrial.statistics.percentiles import value_at

LOOK_S = 1.0
"""The recorder looks at a server so often."""

KEPT = "a load that kept its times"
"""What is expected of our own part."""

BUSY_S = 60.0
"""The busiest process is told by its busiest time of this length: a phase that was too much for it is not averaged."""

WORKERS = "workers"
"""The fact by which the start of a load says how many workers it has."""

SLEW = 0.001
"""A clock may be slewed by this part of a time: twice what NTP does (500 ppm)."""

_Written = TypeVar("_Written", LoadPulse, Clock)


@once
def ours(run: SoakRun, expect: Expect) -> harness.Harness:
    """What the lines tell of our own part. What is sent beside the traffic waits for a place: no delay of ours."""
    return _found(run, intervals(expect))


def invalid(run: SoakRun, expect: Expect) -> tuple[str, ...]:
    """Why what was measured is no verdict on the server; empty where nothing keeps it from being one."""
    return harness.invalid(ours(run, expect))


def missing(run: SoakRun) -> tuple[str, ...]:
    """Workers that are not there to the end, and lines of theirs that are not here, in words."""
    return tuple(_missing(run))


def doubt(run: SoakRun, expect: Expect) -> Iterator[Finding]:
    """No evidence, where the load or the recorder did not do their own work."""
    if why := invalid(run, expect):
        yield no_evidence("the load", expected=KEPT, got="; ".join(why))


def _found(run: SoakRun, stopped: Sequence[tuple[int, int]]) -> harness.Harness:
    traffic = measured.sent_as_traffic(rows_of(run))
    late = censored((traffic.whole("sent_at") - traffic.whole("intended_at")) / SECOND, 0, 0.99)
    start, end = _span(run)
    lags = [value_at([p.lag_ns / SECOND for p in each], 0.50) for each in _by_writer(run.pulses)]
    steps = [_moved(each) for each in _by_writer(c for c in run.clocks if start <= c.t <= end)]
    return harness.Harness(
        dispatch_s=late.value if late is not None else None,
        loop_s=max((lag for lag in lags if lag is not None), default=None),
        cpu=max(map(_busiest, _by_writer(run.pulses)), default=None),
        step_s=max((step for step, _ in steps), default=None),
        slept_s=max((slept for _, slept in steps), default=None),
        lost=_lost([probe.t for probe in run.probes], start, end, stopped) if run.phases and run.probes else None,
        missing=(*missing(run), *astray.told(run), *_unread(run)),
    )


def _span(run: SoakRun) -> tuple[int, int]:
    """When the load sent requests, monotonic ns; where nothing tells its end, to the last line of its own."""
    start, end = lasting.bounds(run)
    last = int(rows_of(run).whole("ended_at").max()) if run.rows else start or 0
    return start or 0, last if end is None else end


def _by_writer(lines: Iterable[_Written]) -> list[list[_Written]]:
    found: defaultdict[str, list[_Written]] = defaultdict(list)
    for line in lines:
        found[line.w].append(line)
    return list(found.values())


def _busiest(pulses: Sequence[LoadPulse]) -> float:
    """Part of one core in the busiest ``BUSY_S`` of a process; of all its time where that is shorter."""
    best, first, cpu = 0.0, 0, 0
    for pulse in pulses:
        cpu += pulse.cpu_ns
        while pulses[first] is not pulse and pulse.t - pulses[first + 1].since >= BUSY_S * SECOND:
            cpu -= pulses[first].cpu_ns
            first += 1
        lasted = pulse.t - pulses[first].since
        if lasted > 0 and (lasted >= BUSY_S * SECOND or pulse is pulses[-1]):
            best = max(best, cpu / lasted)
    return best


def _moved(clocks: Sequence[Clock]) -> tuple[float, float]:
    """The largest step of one machine's wall clock between two lines, beyond what a slew explains; and its sleep."""
    if len(clocks) < 2:
        return 0.0, 0.0
    wall, boot, raw = (
        np.fromiter(map(attrgetter(name), clocks), np.float64, len(clocks)) for name in ("wall_ns", "boot_ns", "raw_ns")
    )
    steps = np.abs(np.diff(wall - boot)) - SLEW * np.diff(boot)
    return max(0.0, float(steps.max()) / SECOND), max(0.0, float(np.diff(boot - raw).max()) / SECOND)


def _lost(looks: Sequence[int], start: int, end: int, stopped: Sequence[tuple[int, int]]) -> float | None:
    """The part of the recorder's looks that are missing. A stop of the server is no time in which it has to look."""
    inside = sorted(at for at in looks if start <= at <= end)
    missed = 0.0
    for since, until in pairwise([start, *inside, end]):
        free = sum(max(0, min(until, to) - max(since, of)) for of, to in stopped)
        missed += max(0, round((until - since - free) / SECOND / LOOK_S) - 1)
    return missed / (missed + len(inside)) if missed + len(inside) else None


def _missing(run: SoakRun) -> Iterator[str]:
    start = next((line for line in reversed(run.phases) if line.what == Stage.START), None)
    lines: defaultdict[str, list[Crew]] = defaultdict(list)
    for line in run.crew:
        lines[line.worker].append(line)
    wanted = start.facts.get(WORKERS, "") if start is not None else ""
    if wanted.isdecimal() and len(wanted) < 6 and len(lines) < int(wanted):
        yield f"{int(wanted) - len(lines)} of {wanted} workers left nothing"
    for name, told in lines.items():
        gaps = [line for line in told if line.what == CrewWord.GAP]
        yield from (f"worker {name}: {_numbers(gap)} missing" for gap in gaps)
        lost = next((line for line in told if line.what == CrewWord.LOST), None)
        if lost is not None:
            when = f" after {(lost.at - start.at) / SECOND:.0f} s" if start is not None else ""
            why = lost.facts.get("why", "")
            yield f"worker {name} went away{when}{f': {why}' if why else ''}"
        elif not any(line.what == CrewWord.DONE for line in told):
            yield f"worker {name} has no end in the record"


def _unread(run: SoakRun) -> Iterator[str]:
    rows = rows_of(run)
    if n := int(np.sum(rows.among("outcome", {OUR_ERROR}))):
        first = next(row for row in run.rows if row.outcome == OUR_ERROR)
        yield f"{n} of {len(rows)} answers were not read to their end for an error of ours ({first.detail})"


def _numbers(gap: Crew) -> str:
    if not gap.last:
        return f"all lines from number {gap.first} on are"
    return f"line {gap.first} is" if gap.first == gap.last else f"lines {gap.first} to {gap.last} are"
