"""How fast an endpoint answers when all its slots are busy: for the plan, which buys probes with a budget of time.

As many streams as it has slots are asked for a short text at once, and cut after a few seconds: what came by then is
counted. The reading of their prompts is in it, as it is in every item.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from seatrial.checks.answering import LATE
from seatrial.reading.channels import content, said, thought
from seatrial.reading.chat import usage
from seatrial.reading.fields import integer, mapping
from seatrial.records import SECOND, Endpoint, Exchange
from seatrial.servers.asking import post
from seatrial.wire.transports.http import Client

STREAMS = 4
"""As many are asked at once where an endpoint does not tell its slots."""
MOST_STREAMS = 8
TOKENS = 48
LONGEST_S = 6.0
PROMPT = "Write one paragraph of about a hundred words about a harbour in the evening. Plain prose."


def streams(endpoint: Endpoint) -> int:
    """How many are asked at once."""
    return min(endpoint.slots or STREAMS, MOST_STREAMS)


def measured(endpoint: Endpoint, client: Callable[[], Client]) -> float | None:
    """Tokens a second of all slots together; None where that is not known: it declined, or had nothing to say.

    Of one that was still silent when it was cut it is what the wait proves at the most: less than a token a stream.

    Args:
        client: opens a transport, for one thread each.
    """
    began = time.monotonic_ns()
    with ThreadPoolExecutor(streams(endpoint)) as pool:
        came = [done.result() for done in [pool.submit(_one, endpoint, client) for _ in range(streams(endpoint))]]
    ended = max((x.ended_at for x in came), default=began)
    tokens = sum(map(_tokens, came))
    tokens = tokens or sum(map(_is_silent, came))
    return tokens * SECOND / max(ended - began, 1) if tokens else None


def _one(endpoint: Endpoint, client: Callable[[], Client]) -> Exchange:
    body = {
        **endpoint.extra_body,
        "model": endpoint.model,
        "messages": [{"role": "user", "content": PROMPT}],
        "max_tokens": TOKENS,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    with client() as asking:
        asking.turn()
        return post(asking, "/chat/completions", body, LONGEST_S)


def _tokens(x: Exchange) -> int:
    """Tokens of a stream: as the server counts them, else its pieces; none where it declined."""
    if x.status != 200:
        return 0
    pieces = [mapping(said(choice)) for chunk in x.chunks for choice in chunk.choices]
    seen = sum(bool(content(m) or thought(m)) for m in pieces)
    counted = integer(mapping(usage(x)).get("completion_tokens"))
    return min(counted, max(TOKENS, seen)) if counted is not None and counted > 0 else seen


def _is_silent(x: Exchange) -> bool:
    """Whether a stream was cut by us before its first token: it was worked on, or waited for others of ours."""
    return x.error in LATE and x.status in (None, 200)
