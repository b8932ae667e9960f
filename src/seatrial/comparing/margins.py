"""How a candidate stands to the incumbent in each probe: non-inferiority by a margin, the gravest word last to be said.

The margin is how many points a candidate may be worse and still be taken. Noise does not widen it: how often the
incumbent flips against itself is in the width of the interval already, and stands beside the candidate's flips where
the incumbent was asked twice. Where questions come of enough families, the interval of whole families is drawn too, and
of the two that which reaches further is used. What the candidate gave no word on is never taken for agreement: it is no
worse only if it were so with every answer that it owes counted as a bad one. Nor is it better because one interval of
several leaves zero out: of a dozen probes of which a server is asked twice, one often does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from seatrial.comparing.pairs import Matched
from seatrial.records import Compared, Rate, Standing
from seatrial.statistics import clusters
from seatrial.statistics.intervals import wilson
from seatrial.statistics.several import benjamini_hochberg, holm
from seatrial.statistics.sides.paired import PairedTable, mcnemar, pairs_needed, smallest_margin, tango, worse_by

MARGIN = 0.05
"""Five points, unless the operator says otherwise."""

PAIRED = 400
"""So many items of a probe one run asks of endpoints that are compared, where the budget allows it: they show five
points where eleven pairs of a hundred differ."""

ALPHA = 0.025
"""One-sided, as the ends of a 95 % interval."""

FALSE_SHARE = 0.10
"""Of the probes named as differing, the share that may be so by chance."""


def compare(
    matched: Mapping[str, Matched],
    *,
    blocking: Collection[str],
    margin: float = MARGIN,
    again: Mapping[str, Matched] | None = None,
    seconds: float = 0.0,
) -> tuple[Compared, ...]:
    """How each probe stands, those that block first.

    Args:
        blocking: the probes that can stop a cutover.
        again: the incumbent against itself, where it was asked twice.
        seconds: how long a question took on both together, for what is said of the time that lacks.
    """
    rows = [
        _compared(each, blocks=probe in blocking, margin=margin, again=(again or {}).get(probe), seconds=seconds)
        for probe, each in matched.items()
        if each.pairs
    ]
    rows.sort(key=lambda row: (not row.blocks, row.probe))
    named = benjamini_hochberg([row.p for row in rows])
    rows = [msgspec.structs.replace(row, q=q) for row, q in zip(rows, named, strict=True)]
    beyond: dict[str, float] = {}
    for kind, adjust in ((True, holm), (False, benjamini_hochberg)):
        some = [row for row in rows if row.blocks is kind]
        beyond |= zip((row.probe for row in some), adjust([row.worse for row in some]), strict=True)
    above = zip(rows, holm([row.better for row in rows]), strict=True)
    return tuple(_stands(msgspec.structs.replace(row, worse=beyond[row.probe], better=p)) for row, p in above)


def differing(rows: Collection[Compared]) -> tuple[Compared, ...]:
    """The probes in which the two differ, either way, with at most a tenth of them expected by chance."""
    return tuple(row for row in rows if row.q <= FALSE_SHARE)


def _compared(each: Matched, *, blocks: bool, margin: float, again: Matched | None, seconds: float) -> Compared:
    table = each.table()
    (low, high), by_family = _interval(table, each.families())
    at_worst = low
    if each.silent:  # a question that both fail narrows the interval; that is no merit of silence
        (worst, _), _ = _interval(each.at_worst().table(), each.at_worst().families())
        at_worst = min(low, worst)
    twice = again.table() if again is not None and again.pairs else None
    share = table.flips / table.n
    needed = pairs_needed(margin, _likely_flips(table))
    return Compared(
        probe=each.probe,
        blocks=blocks,
        standing=Standing.OPEN,
        incumbent=_rate(table.both + table.lost, table.n),
        candidate=_rate(table.both + table.gained, table.n),
        both=table.both,
        lost=table.lost,
        gained=table.gained,
        neither=table.neither,
        difference=table.difference,
        low=low,
        high=high,
        silent=len(each.silent),
        at_worst=at_worst,
        margin=margin,
        p=mcnemar(table),
        worse=worse_by(table, margin),
        better=mcnemar(table) / 2 if table.difference > 0 else 1.0,
        by_family=by_family,
        self_flips=(twice.flips, twice.n) if twice is not None else None,
        smallest=smallest_margin(table.n, share),
        needed=needed,
        more_s=max(needed - table.n, 0) * seconds,
        beside=dict(each.beside),
        flips=each.flips(),
    )


def _stands(row: Compared) -> Compared:
    standing = Standing.OPEN
    if row.worse < ALPHA:
        standing = Standing.WORSE
    elif row.at_worst > 0 and row.better < ALPHA:
        standing = Standing.BETTER
    elif row.at_worst > -row.margin:
        standing = Standing.HOLDS
    # Where the pairs alone would do, it is the answers owed that lack, and no further questions;
    # nor do these make equal what is worse by itself.
    enough = standing is not Standing.OPEN or row.low > -row.margin or row.high < -row.margin
    return msgspec.structs.replace(
        row, standing=standing, needed=0 if enough else row.needed, more_s=0.0 if enough else row.more_s
    )


def _interval(table: PairedTable, families: Mapping[str, list[float]]) -> tuple[tuple[float, float], bool]:
    """Tango's interval, or the hull of it and that of whole families; and whether the latter reaches further."""
    low, high = tango(table)
    if all(len(values) < 2 for values in families.values()):
        return (low, high), False
    drawn = clusters.interval(families)
    if drawn is None:
        return (low, high), False
    return (min(low, drawn[0]), max(high, drawn[1])), drawn[0] < low or drawn[1] > high


def _likely_flips(table: PairedTable) -> float:
    """The share of pairs to reckon with: one more flip than was seen, for none seen is not none to come."""
    return min(1.0, (table.flips + 1) / (table.n + 1))


def _rate(good: int, n: int) -> Rate:
    low, high = wilson(good, n)
    return Rate(good=good, n=n, low=low, high=high)
