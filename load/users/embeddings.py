"""A search index: the vectors of a few short texts at once."""

from __future__ import annotations

from random import Random

import msgspec

from load.users import words
from load.users.asked import AskedOf, Sending
from seatrial.given.workload import TrafficPart

KIND = "embeddings"
LENGTHS = (8, 200)
MOST = 4
"""Texts of a request."""


def ask(part: TrafficPart, about: AskedOf, draw: Random, _: int) -> Sending:
    lengths = part.prompt or LENGTHS
    texts = [words.text(draw, words.between(draw, *lengths)) for _ in range(draw.randint(1, MOST))]
    body = msgspec.json.encode({"model": about.endpoint.model, "input": texts})
    return Sending(body, part.called, path="/embeddings", wants="vectors")
