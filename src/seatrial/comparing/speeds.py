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

Asked = tuple[int, str]


def decoding(items: Iterable[ItemOutcome]) -> dict[Asked, float]:
    """Tokens a second of each question's answer, from its first word to its end; none where it was too short."""
    found: dict[Asked, float] = {}
    for item in items:
        tokens, seconds = item.figures.get("tokens", 0.0), item.figures.get("seconds", 0.0)
        took = seconds - item.figures.get("first_s", seconds)
        if tokens >= FEWEST_TOKENS and took > 0:
            found[item.seed, item.item] = (tokens - 1) / took
    return found


def first_words(items: Iterable[ItemOutcome]) -> dict[Asked, float]:
    """Seconds to the first word of each question's answer."""
    return {(item.seed, item.item): item.figures["first_s"] for item in items if item.figures.get("first_s", 0.0) > 0}


def asking(items: Iterable[ItemOutcome]) -> float:
    """The median time of a question, in seconds; 0 where none is known."""
    took = [item.figures["seconds"] for item in items if item.figures.get("seconds", 0.0) > 0]
    return statistics.median(took) if took else 0.0


def mean(values: Mapping[Asked, float]) -> tuple[float, float, float] | None:
    """The mean with its 95 % interval, by drawing questions again; None where there are too few."""
    drawn = clusters.interval({f"{seed}/{item}": [value] for (seed, item), value in values.items()})
    return None if drawn is None else (statistics.fmean(values[key] for key in sorted(values)), *drawn)


def ratio(
    incumbent: Mapping[Key, ItemOutcome], candidate: Mapping[Key, ItemOutcome], *, same_load: bool
) -> SpeedRatio | None:
    """The candidate's speed by the incumbent's, as the geometric mean over questions; None where too few pair."""
    before, now = decoding(incumbent.values()), decoding(candidate.values())
    both = sorted(before.keys() & now.keys())
    logs = {key: math.log(now[key] / before[key]) for key in both}
    found = mean(logs)
    if found is None:
        return None
    centre, low, high = (round(math.exp(value), 4) for value in found)
    return SpeedRatio(
        n=len(both),
        incumbent=round(statistics.median(before[key] for key in both), 2),
        candidate=round(statistics.median(now[key] for key in both), 2),
        ratio=centre,
        low=low,
        high=high,
        same_load=same_load,
    )
