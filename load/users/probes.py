"""Requests beside the traffic: the canary, one that must be refused, and the look at what became of the server then."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import msgspec

from load.users.asked import AskedOf, Sending, chat, user

CANARY_TOKENS = 16


def canary(about: AskedOf, number: int) -> Sending:
    """Always of the same length, never the same at its beginning: no cache knows it, and only the server changes."""
    text = f"{number:06d} is the number of this question. Count from one to nine."
    asked = chat(about, "canary", user(text), CANARY_TOKENS, temperature=0)
    return replace(asked, canary=True)


def look(about: AskedOf, number: int) -> Sending:
    """A small valid request: whether the server still answers."""
    return replace(canary(about, number), workload="look", canary=False)


def invalid(about: AskedOf, draw: Random) -> Sending:
    """A request that any server must refuse: no messages, messages that are none, or no JSON."""
    model = about.endpoint.model
    bodies = [
        msgspec.json.encode({"model": model}),
        msgspec.json.encode({"model": model, "messages": "none"}),
        msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": "Hello."}]})[:-9],
    ]
    return Sending(draw.choice(bodies), "invalid", wants="refusal")
