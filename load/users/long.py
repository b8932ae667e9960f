"""A long document and a question about it: as long as the endpoint's context leaves room for."""

from __future__ import annotations

from random import Random

from load.users import words
from load.users.asked import AskedOf, Sending, chat, tokens_of, user
from seatrial.given.workload import TrafficPart

KIND = "long"

ROOM = 0.6
"""Of the context that a prompt is to take: tokenizers differ, and a prompt that does not fit is no fault."""

TOKENS_A_WORD = 1.5
LONGEST = 16_000
"""Tokens of a prompt at most, where the part does not say: to read more takes longer than a deadline."""

UNTOLD = 4096
"""The context of an endpoint that does not announce it."""


def ask(part: TrafficPart, about: AskedOf, draw: Random, _: int) -> Sending:
    most = longest(about)
    low, high = part.prompt or (max(1, most // 4), most)
    return _asking(part.called, about, draw, words.between(draw, low, high), tokens_of(part, about, draw))


def fill(about: AskedOf, draw: Random) -> Sending:
    """A prompt as long as there is room for: one in each slot fills what the server has."""
    return _asking("fill", about, draw, longest(about), about.max_tokens)


def longest(about: AskedOf) -> int:
    """Words of a prompt that fits."""
    return max(1, int(min(ROOM * (about.endpoint.context or UNTOLD), LONGEST) / TOKENS_A_WORD))


def _asking(part: str, about: AskedOf, draw: Random, length: int, tokens: int) -> Sending:
    text = f"{words.text(draw, length)}\n\nWhat is said of the harbour? Answer in a few sentences."
    return chat(about, part, user(text), tokens)
