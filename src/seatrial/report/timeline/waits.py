"""What a load adds to a timeline: how long its users waited, and what went wrong or was dropped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from seatrial.checks.areas.soak.measured import OF_USE, Group
from seatrial.checks.areas.soak.parts import BESIDE
from seatrial.reading.soak.columns import Rows
from seatrial.records import SECOND, Dropped, LoadRow, Phase, SoakRun
from seatrial.report.timeline.spans import Band, Bar, Lane, Window
from seatrial.text import visible

BINS = 120
"""Of a whole window: in an hour of one request a second each holds thirty."""


def bands(phases: Sequence[Phase], window: Window) -> tuple[Band, ...]:
    """The phases of a soak in a window."""
    found = []
    for number, span in enumerate(SoakRun(rows=(), counters=(), phases=tuple(phases)).spans):
        cut = window.cut(span.since, window.end if span.until is None else span.until)
        if cut is not None:
            rate = span.facts.get("rps", "")
            text = visible(f"{span.name} {rate}/s" if rate not in {"", "none"} else span.name, 40)
            found.append(Band(*cut, text, number))
    return tuple(found)


def of_load(rows: Iterable[LoadRow], dropped: Sequence[Dropped], window: Window) -> tuple[Lane, Lane]:
    """The waits of a soak's users and what went wrong, bin by bin of when each request was meant to be sent."""
    width = max((window.end - window.start) // BINS, 1)
    sent: dict[int, list[LoadRow]] = {}
    for row in rows:
        if row.workload not in BESIDE and window.start <= row.intended_at <= window.end:
            sent.setdefault((row.intended_at - window.start) // width, []).append(row)
    groups = {number: Group(Rows(each)) for number, each in sent.items()}
    for line in dropped:
        if line.workload not in BESIDE and window.start <= line.intended_at <= window.end:
            groups.setdefault((line.intended_at - window.start) // width, Group()).dropped += 1
    ordered = [(window.start + number * width, groups[number]) for number in sorted(groups)]
    return _latency(ordered, width), _wrong(ordered, width)


def _latency(groups: Sequence[tuple[int, Group]], width: int) -> Lane:
    """The median wait for the first token, and the 99th percentile above it."""
    low, high, beyond = [], [], []
    for start, group in groups:
        p50, p99 = group.percentile(0.50), group.percentile(0.99)
        middle = start + width // 2
        if p50 is not None and math.isfinite(p50.value):
            low.append((middle, p50.value))
        if p99 is not None and math.isfinite(p99.value):
            high.append((middle, p99.value))
        if p99 is not None and p99.beyond:
            beyond.append(middle)
    note = "TTFT from when each was meant to be sent: p50 (area), p99 (dashed)"
    note += "; triangle: p99 lies beyond, unknown" if beyond else ""
    return Lane("latency", curve=tuple(low), upper=tuple(high), beyond=tuple(beyond), apart=width * 2, unit="s",
                note=note, why="no request of a soak got a token in this time")  # fmt: skip


def _wrong(groups: Sequence[tuple[int, Group]], width: int) -> Lane:
    bars = []
    for start, group in groups:
        lost = sum(row.outcome not in OF_USE for row in group.rows)
        if lost or group.dropped:
            bars.append(Bar(start, start + width, lost, group.dropped))
    sent = sum(len(group.rows) for _, group in groups)
    why = f"of {sent} requests none went wrong, and none was dropped" if sent else "no request of a soak in this time"
    note = f"in {width / SECOND:.3g} s: went wrong or was turned away (filled), dropped (outlined)"
    return Lane("errors", bars=tuple(bars), unit="requests", note=note if bars else "", why=why)
