"""How fast answers came: by question, so that two servers are held against each other at the same work."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping

from seatrial.comparing.pairs import Key
from seatrial.records import ItemOutcome, SpeedRatio
from seatrial.statistics import clusters

FEWEST_TOKENS = 16
"""Of a shorter answer the time hangs on how its first packets were sent."""

PACE = "pace/an-answer-that-has-begun-does-not-stall"
"""The probe whose answers are asked for one after another."""

Asked = tuple[int, str]


def decoding(items: Iterable[ItemOutcome]) -> dict[Asked, tuple[float, float]]:
    """Of each question's answer, tokens after its first word and the seconds that they took; none of a short one."""
    found: dict[Asked, tuple[float, float]] = {}
    for item in items:
        tokens, seconds = item.figures.get("tokens", 0.0), item.figures.get("seconds", 0.0)
        took = seconds - item.figures.get("first_s", seconds)
        if tokens >= FEWEST_TOKENS and took > 0:
            found[item.seed, item.item] = (tokens - 1, took)
    return found


def alone(items: Iterable[ItemOutcome]) -> tuple[list[ItemOutcome], bool]:
    """The items that were asked one at a time, where they are enough, else all; and whether they are those."""
    every = list(items)
    one_by_one = [item for item in every if item.probe == PACE]
    enough = len(decoding(one_by_one)) >= clusters.FEWEST
    return (one_by_one, True) if enough else (every, False)


def first_words(items: Iterable[ItemOutcome]) -> dict[Asked, tuple[float, float]]:
    """Of each question, the seconds to the first word, and 1."""
    waited = {(item.seed, item.item): item.figures.get("first_s", 0.0) for item in items}
    return {key: (seconds, 1.0) for key, seconds in waited.items() if seconds > 0}


def asking(items: Iterable[ItemOutcome]) -> float:
    """The median time of a question, in seconds; 0 where none is known."""
    took = [item.figures["seconds"] for item in items if item.figures.get("seconds", 0.0) > 0]
    return statistics.median(took) if took else 0.0


def overall(values: Mapping[Asked, tuple[float, float]]) -> tuple[float, float, float] | None:
    """The sum of the first figures by that of the second, with its 95 % interval; None where there are too few."""
    drawn = clusters.share({f"{seed}/{item}": pair for (seed, item), pair in values.items()})
    if drawn is None:
        return None
    ordered = [values[key] for key in sorted(values)]
    return math.fsum(above for above, _ in ordered) / math.fsum(below for _, below in ordered), *drawn


def ratio(
    incumbent: Mapping[Key, ItemOutcome], candidate: Mapping[Key, ItemOutcome], *, same_load: bool
) -> SpeedRatio | None:
    """The candidate's speed by the incumbent's: seconds a token of both over the same questions; None of too few."""
    before, now = decoding(incumbent.values()), decoding(candidate.values())
    both = sorted(before.keys() & now.keys())
    each = {key: (before[key][1] / before[key][0], now[key][1] / now[key][0]) for key in both}
    found = overall(each)
    if found is None:
        return None
    centre, low, high = (round(value, 4) for value in found)
    return SpeedRatio(
        n=len(both),
        incumbent=round(len(both) / math.fsum(slow for slow, _ in each.values()), 2),
        candidate=round(len(both) / math.fsum(quick for _, quick in each.values()), 2),
        ratio=centre,
        low=low,
        high=high,
        same_load=same_load,
    )
