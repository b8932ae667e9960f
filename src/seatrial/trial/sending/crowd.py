"""Requests of a scenario that leave at the same time: all of it at once, or wave after wave."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from seatrial.checks import crowds
from seatrial.records import Exchange, Request, Scenario
from seatrial.wire.transports.company import Held, all_at_once

LATER_S = 0.2
"""By then those that leave first have their slots, and the others wait for one."""

T = TypeVar("T")


def is_sent_so(scenario: Scenario) -> bool:
    """Whether requests of a scenario leave together; else one follows the other."""
    return scenario.at_once or bool(scenario.waves)


def sent(
    scenario: Scenario, slots: int | None, got: Mapping[str, Exchange], one: Callable[[str, Request, Held], T]
) -> Iterator[dict[str, T]]:
    """What came of each crowd, in order: of a scenario at once there is one, of one more request than slots at most.

    Args:
        slots: of the endpoint; None: it does not tell.
        got: the answers so far, to which whoever sends adds those of each crowd before the next.
        one: sends the request of a name, on a connection of its own.
    """

    def send(key: str, held: Held) -> T:
        if scenario.waves and crowds.is_later(scenario, key):
            time.sleep(LATER_S)
        return one(key, crowd[key], held)

    for crowd in _crowds(scenario, slots, got):
        if scenario.waves:
            time.sleep(crowds.pause(scenario, crowd))
        yield all_at_once(crowd, send)


def _crowds(scenario: Scenario, slots: int | None, got: Mapping[str, Exchange]) -> Iterator[Mapping[str, Request]]:
    if scenario.at_once:
        yield dict(islice(scenario.requests.items(), slots + 1 if slots else None))
    else:
        yield from crowds.waves(scenario, slots, got)
