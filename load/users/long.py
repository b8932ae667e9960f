"""A long document and a question about it: as long as the endpoint's context leaves room for."""

from __future__ import annotations

from random import Random

from load.users import words
from load.users.asked import AskedOf, Sending, chat, longest, tokens_of, user
from seatrial.given.workload import TrafficPart

KIND = "long"


def ask(part: TrafficPart, about: AskedOf, draw: Random, _: int) -> Sending:
    most = longest(about)
    low, high = part.prompt or (max(1, most // 4), most)
    length = min(words.between(draw, low, high), most) if about.endpoint.context else words.between(draw, low, high)
    return _asking(part.called, about, draw, length, tokens_of(part, about, draw))


def fill(about: AskedOf, draw: Random) -> Sending:
    """A prompt as long as there is room for: one in each slot fills what the server has."""
    return _asking("fill", about, draw, longest(about), about.max_tokens)


def _asking(part: str, about: AskedOf, draw: Random, length: int, tokens: int) -> Sending:
    text = f"{words.text(draw, length)}\n\nWhat is said of the harbour? Answer in a few sentences."
    return chat(about, part, user(text), tokens)
