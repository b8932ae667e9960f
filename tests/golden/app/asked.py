"""Items of probes, known again by the seed that each sends: what an honest model says to them, by construction."""

from __future__ import annotations

import functools
import json
import random
import secrets
from collections.abc import Mapping
from typing import Any

from seatrial.behaviour.items import Maker, ProbeItem
from seatrial.behaviour.probe import makers
from tests.golden.answers import Answer, tokens
from tests.golden.app.tools import ToolCall
from tests.simulated.mouths import Said, right

MOST = 260
"""Items of each maker that are known: more than any probe asks for."""
OWN = "talk"
"""To ordinary talk the golden server has its own words."""


@functools.cache
def _known() -> dict[int, tuple[Maker, int]]:
    """Maker and number of each item of the suite's usual seed, by the seed that it sends."""
    return {maker.request(0, n).body["seed"]: (maker, n) for maker in makers().values() for n in range(MOST)}


def item_of(body: Any) -> tuple[str, ProbeItem] | None:
    """The maker's name and the item that a request asks; None where it is none, or has lost some of its messages."""
    seed = body.get("seed") if isinstance(body, dict) else None
    found = _known().get(seed) if isinstance(seed, int) else None
    if found is None:
        return None
    maker, number = found
    item = maker.item(0, number)
    mine, theirs = item.body["messages"], body.get("messages")
    if not isinstance(theirs, list) or len(mine) != len(theirs):
        return None
    texts = zip((m["content"] for m in mine), (m.get("content") for m in theirs), strict=True)
    return (maker.name, item) if all(a == b for a, b in texts if isinstance(a, str)) else None


def said_to(body: Mapping[str, Any], made: Answer) -> Answer | None:
    """What an honest model says to an item, after what it thought; None where something else is asked."""
    found = item_of(body)
    if found is None or found[0] == OWN:
        return None
    maker, item = found
    return spoken(right(maker, item, random.Random(body["seed"])), made)


def spoken(said: Said, made: Answer) -> Answer:
    """An answer in tokens, after what was thought of it."""
    calls = tuple(
        ToolCall(f"call_{secrets.token_hex(12)}", tokens(name), tokens(json.dumps(arguments, ensure_ascii=False)))
        for name, arguments in said.calls
    )
    return Answer(made.reasoning, tokens(said.content), said.finish, calls=calls)
