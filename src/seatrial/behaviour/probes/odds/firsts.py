"""Prompts of which the first token alone is asked for, with the log probabilities of the likeliest twenty.

*plain* and *open* prompts take turns with *x*, which is always the same one: that a model's odds stay is seen where the
question does (Log Probability Tracking, arXiv 2512.03816). Asked at temperature 0, alone on the server, past its prompt
cache where that can be asked for. Of a model that thinks the first token that is told of is looked at: where a server
tells none of its thought, there has to be room for all of that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random
from typing import Any

from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.reading import chat
from seatrial.reading.fields import listing, mapping, real
from seatrial.records import Exchange

TOP = 20
X = "x"
"""A prompt that says nothing: all of the odds are the model's own."""

THINGS = ("a lighthouse", "a bakery at dawn", "an old bicycle", "a night train", "a beehive", "a mountain lake",
    "a street market", "a wooden bridge", "a weather station", "a library", "a ferry", "a telescope")  # fmt: skip
WHEN = ("in winter", "on a rainy morning", "after a long holiday", "late in the evening", "in a storm", "at noon")
COUNTRIES = ("France", "Japan", "Egypt", "Norway", "Peru", "Kenya", "Canada", "Portugal", "Greece", "Chile", "Turkey",
    "Vietnam", "Ghana", "Poland", "Cuba", "Iceland")  # fmt: skip
ASKED = ("capital", "largest river", "most spoken language", "currency", "most famous dish", "highest mountain")
OPENINGS = ("Write one sentence about {} {}.", "Begin a story about {} {}.", "What does one hear near {} {}?")


def _make(family: str, draw: Random) -> ProbeItem:
    if family == "x":
        text = X
    elif family == "plain":
        text = f"What is the {draw.choice(ASKED)} of {draw.choice(COUNTRIES)}? Reply with its name only."
    else:
        text = draw.choice(OPENINGS).format(draw.choice(THINGS), draw.choice(WHEN))
    return ProbeItem(family, user(text, max_tokens=1, temperature=0, logprobs=True, top_logprobs=TOP))


FIRSTS = Maker(
    "firsts",
    turn=140,
    families=("x", "plain", "open"),
    make=_make,
    tokens=1,
    reads=20,
    alone=True,
    thought=16,
    uncached=True,
)


def places(x: Exchange) -> list[dict[str, Any]]:
    """What an answer tells of each of its places: of any type within."""
    first = chat.answers(x).get(0)
    return [mapping(entry) for entry in first.logprobs] if first is not None else []


def told(place: dict[str, Any]) -> list[tuple[str, float]]:
    """The tokens that are listed at a place with their log probabilities, as they come; what is none is left out."""
    return list(_told(place))


def odds(place: dict[str, Any]) -> dict[str, float]:
    """The log probability of each text that is listed; of tokens that read alike it is that of any of them."""
    made: dict[str, float] = {}
    for token, value in told(place):
        before = made.get(token)
        made[token] = min(0.0, value if before is None else _either(before, value))
    return made


def _told(place: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for each in map(mapping, listing(place.get("top_logprobs"))):
        token, value = each.get("token"), real(each.get("logprob"))
        if isinstance(token, str) and value is not None:
            yield token[:80], value


def _either(one: float, other: float) -> float:
    high = max(one, other)
    return high + math.log(math.exp(one - high) + math.exp(other - high))
