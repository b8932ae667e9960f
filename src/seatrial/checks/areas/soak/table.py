"""What a soak measured as a table: a line of each phase, one of each workload in it; figures, no sentences.

Definitions are those of :mod:`seatrial.checks.areas.soak.measured`: times from when a request was meant to be sent
unless a name says otherwise, and what is not known above every time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from seatrial.checks.areas.soak.measured import (
    OF_USE,
    Group,
    came_of,
    disowned_rows,
    helped,
    last_end,
    limits_of,
    longest_gap,
    phases_of,
    prompted,
    whole_of,
)
from seatrial.reading.soak.columns import known, rows_of
from seatrial.reading.soak.rows import Slo
from seatrial.records import OUR_ERROR, SECOND, PhaseSort, PhaseSpan, SoakRun
from seatrial.statistics.censored import Censored, censored


@dataclass(frozen=True, slots=True)
class PhaseFigures:
    """One line. Times in seconds; None: nothing tells it.

    Attributes:
        phase: empty: the soak has none.
        workload: empty: all of the phase together, what is sent beside the traffic left out.
        seconds: as the phase lasted; of a workload those of its phase.
        lost: requests that came to no answer; those turned away are ``busy``.
        left: clients that left, as they were told to, or were cut by us, or fell over an error of ours.
        ttfo_p50: to the first token that is no thought; None where nobody thought.
        estimated: no server told tokens: TPOT is reckoned by chunks.
        goodput: good answers a second; None: no limits were set.
        tokens: of all answers; None: no server told any.
        disowned: answers of no use to their client though the server had made some of it, and ``wasted`` their tokens.
        cached: tokens of prompts that the server knew, of those ``prompted``.
        accepted: tokens of drafts that were taken, of those ``drafted``.
    """

    phase: str
    workload: str
    rate: str
    seconds: float
    requests: int
    answered: int
    lost: int
    busy: int
    left: int
    dropped: int
    unfinished: int
    ttft_p50: Censored | None
    ttft_p99: Censored | None
    sent_p99: Censored | None
    ttfo_p50: Censored | None
    tpot_p50: Censored | None
    tpot_p99: Censored | None
    estimated: bool
    e2e_p99: Censored | None
    gap_s: float
    goodput: float | None
    tokens: int | None
    disowned: int
    wasted: int
    cached: int
    prompted: int
    accepted: int
    drafted: int


def table(run: SoakRun) -> list[PhaseFigures]:
    """All lines, in order of the phases; of one that sent several workloads each of them after it."""
    return list(_lines(run))


def _lines(run: SoakRun) -> Iterator[PhaseFigures]:
    limits = limits_of(run)
    grouped = phases_of(run)
    for span in run.spans or _whole(run):
        workloads = grouped.get(span.name, {})
        until = span.until if span.until is not None else last_end(rows_of(run), span.since)
        seconds = max(until - span.since, 0) / SECOND
        yield _line(span, "", whole_of(run, span), limits, seconds)
        if len(workloads) > 1:
            for name, group in sorted(workloads.items()):
                yield _line(span, name or "-", group, limits, seconds)


def _whole(run: SoakRun) -> tuple[PhaseSpan, ...]:
    """A soak without phases as one; none where nothing was sent."""
    rows = rows_of(run)
    if not rows:
        return ()
    since = int(rows.whole("sent_at").min())
    return (PhaseSpan(name="", sort=PhaseSort.CLOSED, since=since, until=last_end(rows, since)),)


def _line(span: PhaseSpan, workload: str, group: Group, limits: Slo | None, seconds: float) -> PhaseFigures:
    rows = group.rows
    wasted, cached, drafted = disowned_rows(rows), prompted(rows), helped(rows)
    told = known(rows.tpot_s)
    paces = told if len(told) else known(rows.chunk_s)
    good = int(rows.hold(limits).sum()) if limits is not None else 0
    counts = rows.counts("outcome")
    useless = sum(n for word, n in counts.items() if word not in OF_USE)
    return PhaseFigures(
        phase=span.name,
        workload=workload,
        rate=span.facts.get("rps", ""),
        seconds=seconds,
        requests=len(rows),
        answered=counts["ok"] + counts["declined"],
        lost=useless - counts["busy"],
        busy=counts["busy"],
        left=counts["left"] + counts["cancelled"] + counts[OUR_ERROR],
        dropped=group.dropped,
        unfinished=group.unfinished,
        ttft_p50=group.percentile(0.50),
        ttft_p99=group.percentile(0.99),
        sent_p99=censored(known(rows.ttft_s), group.waits()[1], 0.99),
        ttfo_p50=censored(group.answers(), 0, 0.50),
        estimated=bool(len(paces)) and not len(told),
        tpot_p50=censored(paces, 0, 0.50),
        tpot_p99=censored(paces, 0, 0.99),
        e2e_p99=censored(known(rows.e2e_s[rows.among("outcome", {"ok"})]), 0, 0.99),
        gap_s=longest_gap(rows) / SECOND,
        goodput=good / seconds if limits is not None and seconds else None,
        tokens=rows.known_total("tokens"),
        disowned=len(wasted),
        wasted=came_of(wasted),
        cached=cached.total("cached"),
        prompted=cached.total("prompt_tokens"),
        accepted=drafted.total("accepted"),
        drafted=drafted.total("drafted"),
    )
