"""What a soak is judged by beside its rows; and a soak that nobody has judged, for the run ended before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from seatrial.checks.rules import REGISTRY
from seatrial.kinds import profile
from seatrial.records import Endpoint, Expect, Judgement, LoadRow, Planned, Record, Stop

FOREVER = 2**62


def stopped(stops: Iterable[Stop], name: str) -> list[tuple[int, int]]:
    """When the server was down or frozen, as far as the recorder has seen: monotonic ns, from and to.

    An end that was ours counts too: what it cuts is no fault of the server.
    """
    ours = [stop for stop in stops if stop.name == name and (stop.silent or stop.planned)]
    return [(stop.alive_at, stop.until or FOREVER) for stop in ours]


def cache(endpoint: Endpoint) -> int:
    """Bytes that a server of this kind may keep of prompts in RAM, unless it is told otherwise; 0: none is known."""
    return 0 if endpoint.embedded else profile.load(endpoint.kind).prompt_cache  # ours is started without


def settings(endpoint: Endpoint, stops: Iterable[Stop]) -> dict[str, Any]:
    """What the rules of a soak are told beside its rows."""
    return {"stopped": stopped(stops, endpoint.name), "cache": cache(endpoint)}


def unjudged(
    planned: Mapping[str, Planned],
    lines: Record,
    endpoints: Mapping[str, Endpoint],
    stops: Iterable[Stop],
    strict: object,
) -> dict[str, Judgement]:
    """What the cases of a soak are judged on that no judgement names: the run was killed first, and its rows stand.

    Args:
        planned: the cases, by name.
        stops: that were told from the record.
        strict: whether the run was asked to judge so.
    """
    begun, listed = {row.endpoint for row in lines.of(LoadRow)} & endpoints.keys(), list(stops)
    expects = {
        name: msgspec.to_builtins(
            Expect.of(endpoints[name], strict=bool(strict), settings=settings(endpoints[name], listed))
        )
        for name in begun
    }
    return {
        name: Judgement(case=name, endpoint=plan.endpoint, rule=plan.rule, expect=expects[plan.endpoint])
        for name, plan in planned.items()
        if plan.endpoint in begun and not plan.of_run and (rule := REGISTRY.get(plan.rule)) and rule.shape == "soak"
    }
