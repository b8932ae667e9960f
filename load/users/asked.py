"""One request as it is to be sent, and what its maker knows of the endpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

import msgspec

from seatrial.given.workload import TrafficPart
from seatrial.records import Endpoint

CHATS = "/chat/completions"

ROOM = 0.6
"""Of the context that a prompt is to take at most: tokenizers differ, and the answer has to fit too."""

TOKENS_A_WORD = 1.5
LONGEST = 16_000
"""Tokens of a prompt at most, where the part does not say: to read more takes longer than a deadline."""

UNTOLD = 4096
"""The context of an endpoint that does not announce it."""

Answer = Literal["stream", "vectors", "refusal"]
"""What is wanted: a stream of chat chunks, an object with embeddings, or a 4xx."""


@dataclass(frozen=True, slots=True)
class Sending:
    """One request.

    Attributes:
        cap: tokens of its answer at most; 0: it has none.
        workload: what its row calls it.
        leave_after: deltas after which our client leaves; 0: it stays.
    """

    body: bytes
    workload: str
    cap: int = 0
    path: str = CHATS
    wants: Answer = "stream"
    leave_after: int = 0
    canary: bool = False


@dataclass(frozen=True, slots=True)
class AskedOf:
    """What makers of requests know beside their part of the traffic.

    Attributes:
        max_tokens: cap of an answer where the part says none.
        lanes: conversations that an agent has at a time.
    """

    endpoint: Endpoint
    seed: int
    max_tokens: int
    lanes: int = 4


def chat(about: AskedOf, part: str, messages: list[dict[str, Any]], tokens: int, **fields: Any) -> Sending:
    """A streamed chat with usage, at the server's own temperature; the cap grows where the endpoint thinks.

    Args:
        part: what its row calls it.
        fields: of the body beside the usual; they also go before what the operator adds to every chat.
    """
    cap = math.ceil(tokens * about.endpoint.cap_factor)
    usual = {
        "model": about.endpoint.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": cap,
    }
    body = msgspec.json.encode({**usual, **about.endpoint.extra_body, **fields})
    return Sending(body, part, int(fields.get("max_tokens", cap)))


def longest(about: AskedOf) -> int:
    """Words of a prompt that fits: what is too long for an endpoint is refused, and that is no fault of its."""
    return max(1, int(min(ROOM * (about.endpoint.context or UNTOLD), LONGEST) / TOKENS_A_WORD))


def user(text: str) -> list[dict[str, Any]]:
    """The messages of a chat that begins."""
    return [{"role": "user", "content": text}]


def tokens_of(part: TrafficPart, about: AskedOf, draw: Random) -> int:
    """The cap of an answer, drawn from the part's range."""
    low, high = part.answer or (about.max_tokens, about.max_tokens)
    return draw.randint(low, high)
