"""How the golden server draws: what of a request makes its answer another one than before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from tests.golden.phrases import WORDS

NARROW = 0.01
"""A top_p below this leaves one token to draw from."""

FORCED = 300
"""Tokens of an answer that a bias forces."""

DRAWN = ("frequency_penalty", "presence_penalty")
EXCLUSIVE = 100


def greedy(body: Mapping[str, Any]) -> bool:
    """Whether the likeliest token is taken each time."""
    top_p, temperature = body.get("top_p"), body.get("temperature")
    return temperature == 0 or (top_p is not None and top_p < NARROW)


def seed(body: Mapping[str, Any], turn: int) -> int:
    """What an answer is drawn from: the same for every greedy one, of others the seed asked for, or the turn.

    Penalties make other tokens likely, and so another answer.
    """
    parts: list[Any] = [body.get(name) or 0 for name in DRAWN if body.get(name)]
    if not greedy(body):
        given = body.get("seed")
        parts += ["turn", turn] if given is None else ["seed", given]
    return int(hashlib.sha256(repr(parts).encode()).hexdigest()[:12], 16) if parts else 0


def forced(body: Mapping[str, Any]) -> str:
    """What a bias makes of an answer: one token over and over; empty where none is made the only one."""
    ids = [key for key, bias in (body.get("logit_bias") or {}).items() if bias == EXCLUSIVE]
    return f" {WORDS[int(ids[0]) // 1000 % len(WORDS)]}" * FORCED if ids else ""


def within(text: str, body: Mapping[str, Any]) -> str:
    """As much of an answer as its verbosity lets be said: of a low one the first sentence."""
    if body.get("verbosity") != "low":
        return text
    first, mark, _ = text.partition(". ")
    return first + mark.strip()
