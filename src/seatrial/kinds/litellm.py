"""LiteLLM's proxy: a gateway, whose ``/health`` sends a chat to each model behind it.

``GET /health`` is no look but as many model calls as there are deployments (met on 1.108: with one of them a POST to
its backend for each, 19 prompt tokens). ``/health/liveliness`` asks nobody. Answers to GET bear no mark of the proxy,
so that its words there are what it is known by. No page tells of an engine: that stands behind it.
"""

from __future__ import annotations

import re

from seatrial.kinds.kind import Clue, Heard, Kind, Met
from seatrial.kinds.prometheus import Nonsense, decoded

ALIVE = "I'm alive!"
LIVELINESS = "/health/liveliness"
MARK = "x-litellm-"

LISTS = ("healthy_endpoints", "unhealthy_endpoints")
CALLED = re.compile(rb'"(un)?healthy_endpoints"')

GATEWAY = "a proxy answers, and behind it each model's own server"


def meet(heard: Heard, _arguments: str) -> Met | None:
    """Known by the words of its page of liveliness, or by a header of its own."""
    if any(name.startswith(MARK) for name in heard.headers):
        return Met(why=GATEWAY)
    try:
        return Met(why=GATEWAY) if decoded(heard.body) == ALIVE else None
    except Nonsense:
        return None


def priced(heard: Heard) -> bool:
    """Whether ``/health`` lists what it called: other gateways speak in these words too."""
    if not CALLED.search(heard.body):
        return False
    try:
        told = decoded(heard.body)
    except Nonsense:
        return False
    return isinstance(told, dict) and any(isinstance(told.get(key), list) for key in LISTS)


KIND = Kind(sign=Clue(path=LIVELINESS, turn=4, meet=meet), health=LIVELINESS, priced=priced)
