"""Somebody who chats: a short question, below a text where the part says how long."""

from __future__ import annotations

from random import Random

from load.users import words
from load.users.asked import AskedOf, Sending, chat, longest, tokens_of, user
from seatrial.given.workload import TrafficPart

KIND = "chat"


def ask(part: TrafficPart, about: AskedOf, draw: Random, _: int) -> Sending:
    return chat(about, part.called, user(said(part, about, draw)), tokens_of(part, about, draw))


def said(part: TrafficPart, about: AskedOf, draw: Random) -> str:
    """What is asked: a question, with a text before it that makes up the part's length, as far as that fits."""
    asked = words.question(draw)
    if part.prompt is None:
        return asked
    left = min(words.between(draw, *part.prompt), longest(about)) - len(asked.split())
    return f"{words.text(draw, left)}\n\n{asked}" if left > 0 else asked
