"""What a soak measured as a table: a line of each phase, one of each workload in it; figures, no sentences.

Definitions are those of :mod:`seatrial.checks.areas.soak.measured`: times from when a request was meant to be sent
unless a name says otherwise, and what is not known above every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seatrial.checks.areas.soak.measured import OF_USE, Group, disowned_rows, limits_of, phases_of
from seatrial.checks.areas.soak.parts import BESIDE
from seatrial.reading.rows import Slo, chunk_s, e2e_s, tpot_s, ttft_s
from seatrial.records import SECOND, LoadRow, PhaseSort, PhaseSpan, SoakRun
from seatrial.statistics.censored import Censored, censored


@dataclass(frozen=True, slots=True)
class PhaseFigures:
    """One line. Times in seconds; None: nothing tells it.

    Attributes:
        phase: empty: the soak has none.
        workload: empty: all of the phase together, what is sent beside the traffic left out.
        seconds: as the phase lasted; of a workload those of its phase.
        lost: requests that came to no answer; those turned away are ``busy``.
        left: clients that left, as they were told to, or were cut by us.
        ttfo_p50: to the first token that is no thought; None where nobody thought.
        estimated: no server told tokens: TPOT is reckoned by chunks.
        goodput: good answers a second; None: no limits were set.
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
    tokens: int
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
        until = span.until if span.until is not None else max(_ends(run), default=span.since)
        seconds = max(until - span.since, 0) / SECOND
        whole = Group(unfinished=sum(span.since <= at < (span.until or 2**63) for at in run.unfinished_at))
        for name, each in workloads.items():
            if name not in BESIDE or span.sort == PhaseSort.BASELINE:
                whole.rows += each.rows
                whole.dropped += each.dropped
        yield _line(span, "", whole, limits, seconds)
        if len(workloads) > 1:
            for name, group in sorted(workloads.items()):
                yield _line(span, name or "-", group, limits, seconds)


def _whole(run: SoakRun) -> tuple[PhaseSpan, ...]:
    """A soak without phases as one; none where nothing was sent."""
    starts = [row.sent_at for row in run.rows]
    if not starts:
        return ()
    return (PhaseSpan(name="", sort=PhaseSort.CLOSED, since=min(starts), until=max(_ends(run))),)


def _ends(run: SoakRun) -> Iterable[int]:
    return (row.ended_at for row in run.rows)


def _line(span: PhaseSpan, workload: str, group: Group, limits: Slo | None, seconds: float) -> PhaseFigures:
    rows = group.rows
    wasted = list(disowned_rows(rows))
    cached = [row for row in rows if row.cached is not None and row.prompt_tokens]
    drafted = [row for row in rows if row.drafted and row.accepted is not None]
    told = [pace for row in rows if (pace := tpot_s(row)) is not None]
    paces = told or [pace for row in rows if (pace := chunk_s(row)) is not None]
    whole = [time for row in rows if row.outcome == "ok" and (time := e2e_s(row)) is not None]
    sent = [wait for row in rows if (wait := ttft_s(row)) is not None]
    good = sum(limits.holds(row) for row in rows) if limits is not None else 0
    busy = sum(row.outcome == "busy" for row in rows)
    return PhaseFigures(
        phase=span.name,
        workload=workload,
        rate=span.facts.get("rps", ""),
        seconds=seconds,
        requests=len(rows),
        answered=sum(row.outcome in {"ok", "declined"} for row in rows),
        lost=sum(row.outcome not in OF_USE for row in rows) - busy,
        busy=busy,
        left=sum(row.outcome in {"left", "cancelled"} for row in rows),
        dropped=group.dropped,
        unfinished=group.unfinished,
        ttft_p50=group.percentile(0.50),
        ttft_p99=group.percentile(0.99),
        sent_p99=censored(sent, group.waits()[1], 0.99),
        ttfo_p50=censored(group.answers(), 0, 0.50),
        estimated=bool(paces and not told),
        tpot_p50=censored(paces, 0, 0.50),
        tpot_p99=censored(paces, 0, 0.99),
        e2e_p99=censored(whole, 0, 0.99),
        gap_s=max((_gap(row) for row in rows), default=0.0),
        goodput=good / seconds if limits is not None and seconds else None,
        tokens=sum(row.tokens or 0 for row in rows),
        disowned=len(wasted),
        wasted=sum(row.tokens or row.deltas for row in wasted),
        cached=sum(row.cached or 0 for row in cached),
        prompted=sum(row.prompt_tokens or 0 for row in cached),
        accepted=sum(row.accepted or 0 for row in drafted),
        drafted=sum(row.drafted or 0 for row in drafted),
    )


def _gap(row: LoadRow) -> float:
    return (row.gap_to - row.gap_from) / SECOND
