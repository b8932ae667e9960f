"""The knee of a server: up to which rate of arrivals half of the requests need not wait.

Below its knee a server has a free slot for most who come, and their first token takes as long as on an idle server;
above it they queue, and the wait grows with time instead of with the rate. The median tells the two apart with few
requests, and one slow request moves it by nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from seatrial.statistics.percentiles import value_at

LONGER, LONGER_S = 3.0, 0.1
"""A wait is one that shows a queue where it is longer than at the lowest rate by both, as a multiple and in seconds."""

GROWN = 2.0
"""At the lowest rate, which has no lower one beside it, a queue grows where three of four waits in the second half
of the step are longer than the median of the first by this, as a multiple, and by ``LONGER_S``: one that rises steadily
makes it two and a half, and one that comes and goes leaves short waits between."""

LOST = 0.02
"""More of them dropped or turned away than this part, and the rate is too high whatever the others waited."""

FEWEST = 10
"""Requests without which a rate tells nothing."""

ENOUGH = 2 * FEWEST
"""Requests that a step is long enough for, on average."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one rate.

    Attributes:
        rate: requests per second that were meant to be sent.
        waits: of each request the seconds from when it was meant to be sent to its first token; infinite where none
            came by the end of the step.
        lost: how many were dropped or turned away; they are in ``waits`` too, as infinite.
    """

    rate: float
    waits: tuple[float, ...]
    lost: int = 0


def step_s(rate: float, least_s: float) -> float:
    """Seconds for which a rate is tried: ``least_s``, or more where fewer requests than are enough come in it."""
    return max(least_s, ENOUGH / rate)


def keeps_up(step: Tried, base: Tried) -> bool | None:
    """Whether a server keeps up with a rate, against what came of the lowest one; None: too few requests to tell.

    Args:
        base: the lowest rate; where it is ``step`` itself, the first half of its requests stands for it.
    """
    if len(step.waits) < FEWEST:
        return None
    half, first = len(step.waits) // 2, step is base
    usual = value_at(step.waits[:half] if first else base.waits, 0.5)
    now = value_at(step.waits[half:], 0.25) if first else value_at(step.waits, 0.5)
    assert now is not None
    if usual is None or math.isinf(now) or math.isinf(usual) or step.lost > LOST * len(step.waits):
        return False
    return now <= max((GROWN if first else LONGER) * usual, usual + LONGER_S)


def knee(steps: Sequence[Tried]) -> float | None:
    """The highest of the rates, in the order tried, up to which a server kept up with all; None: with none of them."""
    found = None
    for step in steps:
        if keeps_up(step, steps[0]) is False:
            return found
        found = step.rate
    return found
