"""What a soak's report prints whatever the outcome: counts, and times with their intervals."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from seatrial.checks.areas.soak import lasting, lives, meanwhile, measured, validity
from seatrial.checks.areas.soak.parts import lost, parts
from seatrial.detectors import harness
from seatrial.reading.soak.columns import Floats, Rows, once, rows_of
from seatrial.records import SECOND, Expect, SoakRun, Stage
from seatrial.statistics.censored import Censored
from seatrial.statistics.percentiles import Percentile, percentile

SLOW_NS = SECOND
"""Waits from which on it is told what the server did meanwhile: it is looked at once a second."""


@once
def figures(run: SoakRun, expect: Expect) -> dict[str, str]:
    """Counts and times of a soak. Names with a colon are details: each time with its interval and its number."""
    found = parts(run, expect)
    sound = found.judged.where(found.judged.among("outcome", {"ok"}))
    traffic = measured.traffic(run)
    known, unknown = traffic.waits()
    waits = np.append(known, np.full(unknown if len(known) else 0, math.inf))
    paces = measured.paces(traffic)
    p50, p99 = traffic.percentile(0.50), traffic.percentile(0.99)
    nobody, tokens = measured.disowned(run)
    shown = {
        "no verdict, for": "; ".join(validity.invalid(run, expect)),
        "ran": _ran(run),
        "requests": str(len(run.rows)),
        "lost": f"{lost(found.judged)}" + _listed(_odd(found.judged)),
        "lost in stops": str(lost(found.apart)) if found.apart else "",
        "busy": str(len(found.busy)) if found.busy else "",
        "cut by us": str(len(found.cancelled) + len(run.unfinished)) if found.cancelled or run.unfinished else "",
        "waited for ours": str(len(found.queued)) if found.queued else "",
        "cut off by a worker's network": str(len(found.astray)) if found.astray else "",
        "not read in time": str(len(found.unread)) if found.unread else "",
        "still answered at our deadline": str(len(found.slow)) if found.slow else "",
        "turned away": str(len(found.turned_away)) if found.turned_away else "",
        "dropped": str(len(run.dropped)) if run.dropped else "",
        "disowned": f"{nobody} ({tokens} tokens)" if nobody else "",
        "TTFT": f"p50 {_brief(p50)} p99 {_brief(p99)} s" if p50 and p99 and len(known) else "",
        "tok/s a stream": _rate(paces),
        "soak: TTFT p50": _seconds(percentile(waits, 0.50), known),
        "soak: TTFT p99": _seconds(percentile(waits, 0.99), known),
        "soak: TPOT p50": _seconds(percentile(paces, 0.50), paces),
        "soak: longest gap": _gap(run, sound),
        "soak: longest TTFT": _wait(run, sound),
        "soak: rules broken": _listed(_broken(run)).strip(" ()"),
        "soak: to be refused": _listed(found.invalid.counts("outcome")).strip(" ()"),
        **dict(measured.answers(run)),
        **dict(measured.of_phases(run)),
        **dict(lives.of_lives(run)),
        "soak: our own part": harness.told(validity.ours(run, expect)),
        "soak: inspected": _at_end(run, "inspected"),
        "bytes not kept": f"of {n} answers, past the budget" if (n := _at_end(run, "unkept")) not in ("", "0") else "",
    }
    return {key: text for key, text in shown.items() if text}


def _at_end(run: SoakRun, fact: str) -> str:
    """What the load said of itself at its end."""
    return next((line.facts.get(fact, "") for line in reversed(run.phases) if line.what == Stage.END), "")


def _ran(run: SoakRun) -> str:
    """For how long it ran, and what ended it before its time."""
    why = lasting.ended_by(run)
    return f"{lasting.length(run) or 'for an unknown time'} ({why})" if why else lasting.length(run)


def _brief(found: Censored) -> str:
    return found.told().removesuffix(" s")


def _odd(rows: Rows) -> Counter[str]:
    """Outcomes of those that were not answered, and how many there are of each."""
    counts = rows.counts("outcome")
    del counts["ok"]
    return counts


def _broken(run: SoakRun) -> Counter[str]:
    """Rules that found something on single streams, and on how many."""
    broken: Counter[str] = Counter()
    for names, n in rows_of(run).counts("findings").items():
        for name in names:
            broken[name] += n
    return broken


def _seconds(found: Percentile | None, known: Floats) -> str:
    """A percentile with its interval; ``known``: the times that were measured, which the others lie beyond."""
    if found is None:
        return ""
    value = f"beyond {known.max():.3f}" if math.isinf(found.value) else f"{found.value:.3f}"
    low, high = ("no bound" if end is None or math.isinf(end) else f"{end:.3f}" for end in (found.low, found.high))
    return f"{value} s (95 %: {low} to {high}, n {found.n})"


def _rate(times: Floats) -> str:
    found = percentile(times, 0.50)
    return "" if found is None or not found.value else f"{1 / found.value:.0f}"


def _gap(run: SoakRun, rows: Rows) -> str:
    if not rows:
        return ""
    longest = rows[int(np.argmax(rows.whole("gap_to") - rows.whole("gap_from")))]
    if not longest.gap_to:
        return ""
    return _slow(run, longest.id, longest.gap_from, longest.gap_to)


def _wait(run: SoakRun, rows: Rows) -> str:
    begun = rows.where(rows.whole("first_at") != 0)
    if not begun:
        return ""
    longest = begun[int(np.argmax(begun.whole("first_at") - begun.whole("sent_at")))]
    return _slow(run, longest.id, longest.sent_at, longest.first_at)


def _slow(run: SoakRun, name: str, since: int, until: int) -> str:
    """A wait and whose it was; and what was seen of the server meanwhile, where it is not too short for a look."""
    told = f"; {meanwhile.seen(run).told([(since, until)])}" if until - since >= SLOW_NS else ""
    return f"{(until - since) / SECOND:.3f} s ({name}{told})"


def _listed(counts: dict[str, int]) -> str:
    return f" ({', '.join(f'{n} {word}' for word, n in sorted(counts.items()))})" if counts else ""
