"""Chats with seeded faults: what stands in place of what a field should hold, the same for the same seed.

Each is small: whatever a fault makes of one cap, the other one holds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

CAP = 4
"""Tokens that an answer may have, if a fault leaves the request one that is answered."""

WRONG: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    2**70,
    1.5,
    -0.0,
    1e308,
    "",
    "x",
    "0",
    "\x00",
    "\u202e\ufeff",
    "a" * 5000,
    [],
    [None],
    [[]],
    [{}],
    {},
    {"": None},
    {"type": "x"},
    {"a": {"b": [{"c": 1}]}},
)
"""Values that some field or other cannot have."""

FIELDS = (
    "messages",
    "max_tokens",
    "temperature",
    "top_p",
    "n",
    "stop",
    "seed",
    "stream",
    "stream_options",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning_effort",
    "user",
    "metadata",
    "modalities",
    "prediction",
    "service_tier",
    "store",
    "functions",
    "function_call",
)
"""Fields of a chat, as the OpenAPI document names them."""

PARTS = ("role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio")
"""Fields of a message."""


def chats(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """Bodies of chats with one to three faults each. ``model`` is left to whoever sends them."""
    draw = random.Random(seed)  # noqa: S311 - the same faults each time is what is wanted
    for _ in range(count):
        body: dict[str, Any] = {
            "model": None,
            "messages": [{"role": "user", "content": "Say hello."}],
            "max_completion_tokens": CAP,
            "max_tokens": CAP,
        }
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            _spoil(body, draw)
        yield body


def _spoil(body: dict[str, Any], draw: random.Random) -> None:
    value = draw.choice(WRONG)
    if draw.random() < 0.3 and isinstance(body["messages"], list):
        where = draw.choice(PARTS)
        body["messages"] = [{"role": "user", "content": "Say hello."} | {where: value}]
    else:
        body[draw.choice(FIELDS)] = value
