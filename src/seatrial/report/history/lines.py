"""The nights of an endpoint as lines of text, or as JSON; whatever a record holds, it stands there harmless."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from seatrial.records import NightMeasure, NightWord
from seatrial.report.history.reading import PastNight
from seatrial.report.history.trends import SHARES, NightTrend, trends
from seatrial.report.words.nights import NAMES, number, value
from seatrial.text import flat, visible, visible_parts
from seatrial.verdict import since

HEAD = ("night", "verdict", "stops", "lost", "TTFT p99", "tok/s", "memory at rest", "what changed")
GAPS = {
    NightWord.CUT: "cut: it has no verdict; seatrial judge {} judges what there is",
    NightWord.NOT_TRIED: "nothing could be asked: the job's log says why",
    NightWord.RUNNING: "goes on, or was cut just now",
}


def render(found: Mapping[str, Sequence[PastNight]]) -> list[str]:
    """A table and the trends of each endpoint."""
    lines: list[str] = []
    for name, listed in found.items():
        lines += [*([""] if lines else []), *([flat(name)] if len(found) > 1 else []), *table(listed), ""]
        lines += [_trend(each) for each in trends(listed)] or [
            "trends         none told: no night has figures of a soak"
        ]
    return lines


def table(listed: Sequence[PastNight]) -> list[str]:
    """A line a night; two nights of one date bear the time as well."""
    days = Counter(night.started[:10] for night in listed)
    rows = [HEAD, *(_row(night, alone=days[night.started[:10]] == 1) for night in listed)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEAD) - 1)]
    return ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
            for row in rows]  # fmt: skip


def _row(night: PastNight, *, alone: bool) -> tuple[str, ...]:
    figures = night.came.measured
    judged = night.word not in GAPS
    lost = figures.get(NightMeasure.LOST)
    return (
        flat(night.started[:10] if alone else night.started[:16].replace("T", " ")),
        str(night.word),
        str(night.counts.get("silent_stops", len(night.came.stopped))) if judged else "-",
        f"{lost.value:.0f}" if lost is not None else "-",
        *(
            value(measure, figures.get(measure))
            for measure in (NightMeasure.TTFT_P99, NightMeasure.DECODE, NightMeasure.REST)
        ),
        "; ".join(_changed(night)),
    )


def _changed(night: PastNight) -> Iterator[str]:
    if night.word in GAPS:
        yield GAPS[night.word].format(visible(night.path, 200))
    elif night.changes is None:
        yield "the first here" if night.came.outcomes else "no case was judged"
    else:
        yield from night.changes.server
        yield from since.brief(night.changes)


def _trend(each: NightTrend) -> str:
    """``TTFT p99       ▂▂▃  no trend over 12 nights: +0.01 s a night (-0.02 to 0.04)``."""
    head = f"{NAMES[each.measure]:<14} {each.sparkline}  "
    apart = f"; {each.apart} more are not alike, or do not tell it" if each.apart else ""
    if each.each is None or each.low is None or each.high is None:
        return f"{head}no trend is told: {each.why}{apart}"
    low, high = (_amount(each.measure, end) for end in (each.low, each.high))
    moved = f"{_amount(each.measure, each.each)} a night (95 % of all together: {low} to {high})"
    return f"{head}{each.word} over {each.nights} nights: {moved}{apart}"


def _amount(measure: NightMeasure, change: float) -> str:
    sign = "+" if change > 0 else ""
    return f"{sign}{100 * change:.2g} %" if measure in SHARES else f"{sign}{number(measure, change)}"


def as_json(found: Mapping[str, Sequence[PastNight]]) -> bytes:
    """The same as one JSON object: endpoints, each with its nights and its trends. It is printed, and so harmless."""
    told: dict[str, Any] = {
        name: {"nights": [_plain(night) for night in listed], "trends": trends(listed)}
        for name, listed in found.items()
    }
    return msgspec.json.format(msgspec.json.encode(visible_parts(msgspec.to_builtins({"v": 1, "endpoints": told}))))


def _plain(night: PastNight) -> dict[str, Any]:
    """A night without its cases: those stand in its verdict.json."""
    return {
        "run": night.run,
        "started": night.started,
        "verdict": night.word,
        "kind": night.came.kind,
        "model": night.came.model,
        "build": night.came.build,
        "counts": night.counts,
        "stopped": night.came.stopped,
        "measured": night.came.measured,
        "changes": night.changes,
    }
