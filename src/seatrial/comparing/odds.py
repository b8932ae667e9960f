"""Whether two endpoints that should be one model give a first token the same odds: an alarm of damage, and no ranking.

Three figures of the probe that asks for log probabilities: how often the likeliest first token is the same, how far the
odds are apart at the least (a lower bound of the Kullback-Leibler divergence, in nats), and whether the odds of the one
prompt that is asked again and again could be of one model at all. They hold of one tokenizer alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from seatrial.comparing.pairs import Key
from seatrial.records import ItemOutcome, OddsDrift, OddsWord
from seatrial.statistics import clusters
from seatrial.statistics.intervals import wilson
from seatrial.statistics.sides.tops import divergence, likeliest, permutation

PROBE = "logprobs/log-probabilities-are-those-of-the-answer"
AGAIN = "x"
"""The family whose prompt is always the same."""

FEWEST = 16
"""Prompts; of fewer nothing is said but that they are few."""

FAR, DAMAGED = 0.05, 0.15
"""Nats: what coarse quantisations come to, and what none that is of use does (llama.cpp pull 6936 and later tables)."""

SAME, MOST_SAME = 0.80, 0.90
"""Share of prompts with the same likeliest token: below the first it is another model, below the second it changed."""


def drift(incumbent: Mapping[Key, ItemOutcome], candidate: Mapping[Key, ItemOutcome]) -> OddsDrift | None:
    """How far the odds of two endpoints are apart; None where either told none."""
    before, now = ({key: each for key, each in side.items() if key[0] == PROBE and each.likely} for side in
                   (incumbent, candidate))  # fmt: skip
    if not before or not now:
        return None
    both = sorted(key for key in before.keys() & now.keys() if before[key].family != AGAIN)
    mine, its = ([side[key].likely for key in sorted(side) if side[key].family == AGAIN] for side in (before, now))
    chance = permutation(mine, its) if mine and its else None
    if not both:
        return OddsDrift(word=OddsWord.OPEN, n=0, again=(len(mine), len(its)), chance=chance)
    apart = {str(key): divergence(before[key].likely, now[key].likely) or 0.0 for key in both}
    same = sum(likeliest(before[key].likely) == likeliest(now[key].likely) for key in both)
    shared = any(before[key].likely.keys() & now[key].likely.keys() for key in both)
    low, high = wilson(same, len(both))
    nats = clusters.interval({key: [value] for key, value in apart.items()})
    made = OddsDrift(
        word=OddsWord.OPEN,
        n=len(both),
        same=same,
        same_low=low,
        same_high=high,
        nats=math.fsum(apart.values()) / len(both),
        nats_low=nats[0] if nats else 0.0,
        nats_high=nats[1] if nats else None,
        again=(len(mine), len(its)),
        chance=chance,
    )
    return _said(made, shared=shared)


def _said(made: OddsDrift, *, shared: bool) -> OddsDrift:
    word = OddsWord.OPEN
    if not shared:
        word = OddsWord.STRANGE
    elif made.n >= FEWEST and (made.nats_low > DAMAGED or made.same_high < SAME):
        word = OddsWord.DAMAGED
    elif made.n >= FEWEST and (made.nats_low > FAR or made.same_high < MOST_SAME):
        word = OddsWord.CHANGED
    elif made.n >= FEWEST and made.nats_high is not None and made.nats_high <= FAR and made.same_low >= SAME:
        word = OddsWord.KEPT
    return msgspec.structs.replace(made, word=word)
