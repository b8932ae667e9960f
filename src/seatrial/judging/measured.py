"""The figures of a soak as numbers, by which its night is held against others: each with its n and its interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

import msgspec
import numpy as np

from seatrial.checks.areas.soak import measured as soaked
from seatrial.checks.areas.soak import validity
from seatrial.checks.areas.soak.parts import lost, parts
from seatrial.records import Expect, Happening, Judgement, NightFigure, NightMeasure, PhaseSort, Sample, SoakRun, Stage
from seatrial.statistics.intervals import clopper_pearson
from seatrial.statistics.percentiles import percentile

ENDS = frozenset({Happening.EXIT, Happening.LOST})
"""How a process of a server ends."""


def of_soaks(soaks: Mapping[str, SoakRun], judgements: Iterable[Judgement]) -> dict[str, dict[str, NightFigure]]:
    """The figures of each endpoint that was soaked, by name; none of one whose judgements cannot be read."""
    expected = {line.endpoint: line.expect for line in judgements if line.rule.startswith("soak/")}
    found = {}
    for name, run in soaks.items():
        try:
            expect = msgspec.convert(expected.get(name, {}), Expect)
            found[name] = {str(measure): figure for measure, figure in of_soak(run, expect)}
        except (msgspec.ValidationError, TypeError, ValueError):  # intervals of stops that are none
            continue
    return found


def of_soak(run: SoakRun, expect: Expect) -> Iterator[tuple[NightMeasure, NightFigure]]:
    """The figures of one soak that are known. Nothing that was not measured stands here as a zero.

    Times of a load that did not do its own part are no figures of the server: no night is held against them.
    """
    if not run.rows:
        return
    judged = parts(run, expect).judged
    yield NightMeasure.REQUESTS, NightFigure(value=len(run.rows), n=len(run.rows))
    if judged:
        yield NightMeasure.LOST, _share(lost(judged), len(judged))
        yield NightMeasure.DISOWNED, _share(min(soaked.disowned(run)[0], len(run.rows)), len(run.rows))
    if not validity.invalid(run, expect):
        yield from _times(run)
    yield from ((NightMeasure.REST, figure) for figure in _rest(run))


def _times(run: SoakRun) -> Iterator[tuple[NightMeasure, NightFigure]]:
    traffic = soaked.traffic(run)
    known, unknown = traffic.waits()
    waits = percentile(np.append(known, np.full(unknown, math.inf)), 0.99)
    if len(known) and waits is not None:
        beyond = math.isinf(waits.value)
        low, high = (None if end is None or math.isinf(end) else end for end in (waits.low, waits.high))
        value = float(known.max()) if beyond else waits.value
        yield NightMeasure.TTFT_P99, NightFigure(value=value, n=waits.n, low=low, high=high, beyond=beyond)
    pace = percentile(soaked.paces(traffic), 0.50)
    if pace is not None and pace.value:
        low, high = (1 / end if end else None for end in (pace.high, pace.low))  # a longer time is a slower pace
        yield NightMeasure.DECODE, NightFigure(value=1 / pace.value, n=pace.n, low=low, high=high)


def _share(k: int, n: int) -> NightFigure:
    """A count of n, with the interval of its share as counts of the same n (Clopper and Pearson)."""
    low, high = clopper_pearson(k, n)
    return NightFigure(value=k, n=n, low=low * n, high=high * n)


def _rest(run: SoakRun) -> Iterator[NightFigure]:
    """What the server's processes held together at rest: in the phases of rest, else when the load had ended."""
    spans = [(span.since, span.until) for span in run.spans if span.sort == PhaseSort.REST and span.until]
    ended = next((line.at for line in reversed(run.phases) if line.what == Stage.END), None)
    if not spans and ended is None:
        return
    within = [(since, until) for since, until in spans if until is not None] or [(ended or 0, 2**63)]
    held = list(_together(run, within))
    if held:
        yield NightFigure(value=median(held), n=len(held), low=min(held), high=max(held))


def _together(run: SoakRun, within: Sequence[tuple[int, int]]) -> Iterator[float]:
    """The sum over the processes of a life at each reading of its main one: a child counts by what was last read of it.

    Who has ended holds nothing any more: a child, or all of a life whose main process is another one now.
    """
    told: list[tuple[int, int, Sample | None]] = [
        (event.at, event.pid, None) for event in run.events if event.what in ENDS
    ]
    told += [(line.t, line.pid, line) for line in (*run.samples, *run.children) if line.memory is not None]
    held: dict[int, Sample] = {}
    main = Sample(name="", pid=0, incarnation="")
    for at, pid, line in sorted(told, key=lambda each: each[0]):
        if line is None:
            held.pop(pid, None)
            continue
        if line.parent is None and line.incarnation != main.incarnation:
            held = {other: sample for other, sample in held.items() if sample.t > main.t}
        held[pid] = line
        if line.parent is None:
            main = line
            if any(since <= at <= until for since, until in within):
                yield float(sum(sample.memory or 0 for sample in held.values()))
