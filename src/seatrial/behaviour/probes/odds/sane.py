"""B15: are log probabilities what they are called?

Of twenty tokens that are listed the likeliest comes first, what they say adds up to 1 at most, and at temperature 0 the
token that is taken is the likeliest. A server may have none: one that refuses them, or answers without, lacks an
optional capability here; that it must not ignore what was asked is for the rules of parameters.
"""

from __future__ import annotations

import math

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import ProbeItem
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.odds.firsts import FIRSTS, odds, places, told
from seatrial.behaviour.probing import probe
from seatrial.reading.fields import listing, real
from seatrial.records import Exchange, ItemWord, Level
from seatrial.statistics.sequential import SequentialTest
from seatrial.text import visible

ROUNDED = 0.01
"""What printed numbers may be off by."""

NONE = Verified(ItemWord.DECLINED, "it answers without log probabilities (params/logprobs-are-given judges that)")


@probe(
    row="B15",
    area="logprobs",
    what="log probabilities that are none",
    maker=FIRSTS,
    test=SequentialTest(0.0, 0.14, 60),
    level=Level.SHOULD,
    source="OpenAPI document, top_logprobs and ChatCompletionTokenLogprob; probabilities add up to 1",
    so="whoever ranks or classifies by them is led astray",
    thought=True,
)
def log_probabilities_are_those_of_the_answer(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """Log probabilities are listed from the highest on, add up to 1 at most, and the chosen token has the highest."""
    listed = places(x)
    if not listed and answer.reasoning and not answer.content:
        return Verified(ItemWord.THOUGHT)
    if not listed or not any(listing(place.get("top_logprobs")) for place in listed):
        return NONE
    why = next((fault for place in listed if (fault := wrong(place))), "")
    token = visible(str(listed[0].get("token", "")), 40)
    return bad(why, token) if why else good(token, likely=odds(listed[0]))


def wrong(place: dict[str, object]) -> str:
    """What is wrong with what is told of one place; empty where nothing is."""
    values = [value for _, value in told(place)]
    if len(values) < len(listing(place.get("top_logprobs"))) or any(value > ROUNDED for value in values):
        return "a log probability that is no number of 0 at most"
    if values != sorted(values, reverse=True):
        return "listed out of order"
    if (summed := math.fsum(map(math.exp, values))) > 1 + ROUNDED:
        return f"the probabilities add up to {summed:.2f}"
    chosen = real(place.get("logprob"))
    if values and chosen is not None and values[0] > chosen + ROUNDED:
        return f"{visible(str(place.get('token')), 40)} is taken at {chosen}, and {values[0]} is the likeliest"
    return ""
