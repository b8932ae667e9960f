"""B16: do a model's odds stay as they are?

The prompt *x* is asked again and again, and what is told of its first token is held against the first time. Odds that
jump come from another model: one of several behind a balancer, one that was exchanged while we asked, another
quantisation of the cache. Two endpoints are held against each other by the same answers, in a comparison.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import ProbeItem
from seatrial.behaviour.probe import SeenAnswer, Verified, good
from seatrial.behaviour.probes.odds.firsts import FIRSTS, odds, places
from seatrial.behaviour.probes.odds.sane import NONE
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, ItemOutcome, ItemWord, Level
from seatrial.statistics.sequential import SequentialTest
from seatrial.statistics.sides.tops import divergence, likeliest

FAR = 0.05
"""Nats: beyond what sums in another order come to, as far as a coarse quantisation (reference values of llama.cpp: Q8_0
0.001, Q4_K_M some 0.03, Q3_K_S 0.16)."""

APART, SAME_TOP = "nats apart", "same likeliest token"


def the_first(_number: int) -> int:
    """The item that all others are held against: an x."""
    return 0


def compare(first: SeenAnswer, now: SeenAnswer) -> Verified:
    """How far the odds of two answers are apart, at the least."""
    before, after = first.verified.likely, now.verified.likely
    apart = divergence(before, after)
    if apart is None:
        return Verified(ItemWord.SILENT, "no odds were told")
    figures = {APART: apart, SAME_TOP: float(likeliest(before) == likeliest(after))}
    if apart <= FAR:
        return Verified(ItemWord.GOOD, answer=now.verified.answer, figures=figures)
    why = f"its odds are at least {apart:.3f} nats from those of the first time"
    return Verified(ItemWord.BAD, why, now.verified.answer, figures=figures)


def tells(items: Sequence[ItemOutcome]) -> Mapping[str, str]:
    """How far apart the odds are on average and at most, and how often the likeliest token is the same."""
    apart = [each.figures[APART] for each in items if APART in each.figures]
    if not apart:
        return {}
    same = sum(each.figures.get(SAME_TOP, 0.0) for each in items)
    mean = math.fsum(apart) / len(apart)
    said = f"at least {mean:.4f} nats on average, {max(apart):.4f} at most; likeliest token the same {same:.0f} times"
    return {"from the first time": f"{said} of {len(apart)}"}


@probe(
    row="B16",
    area="drift",
    what="odds that jump",
    maker=FIRSTS,
    families=frozenset({"x"}),
    test=SequentialTest(0.01, 0.10, 60),
    level=Level.SHOULD,
    source="Log Probability Tracking (arXiv 2512.03816); divergences of quantisations: llama.cpp pull 6936",
    so="answers come from more than one model, and what was measured of one does not hold of the other",
    thought=True,
    against=the_first,
    compare=compare,
    tells=tells,
)
def the_odds_of_a_prompt_stay(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """The same prompt is given the same odds of a first token whenever it is asked."""
    listed = places(x)
    if not listed and answer.reasoning and not answer.content:
        return Verified(ItemWord.THOUGHT)
    made = odds(listed[0]) if listed else {}
    return good(likeliest(made) or "", likely=made) if made else NONE
