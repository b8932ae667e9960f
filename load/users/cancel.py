"""A client that leaves in the middle of its answer: what the server makes of it from then on is for nobody."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from load.users import chat
from load.users.asked import AskedOf, Sending
from seatrial.given.workload import TrafficPart

KIND = "cancel"
LATEST = 16
"""Deltas after which it has left, at the latest."""


def ask(part: TrafficPart, about: AskedOf, draw: Random, k: int) -> Sending:
    return replace(chat.ask(part, about, draw, k), leave_after=draw.randint(1, LATEST))
