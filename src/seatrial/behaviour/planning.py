"""Which probes a budget of time pays for, at the speed that was measured: in their order, and what is left out.

A probe is planned with so many items as its test takes on average where the model is good, half of what is still
allowed being wrong. One that fits no more leaves its place to the next that does. Where that left no room for any that
blocks, one that blocks goes before all others: a verdict of READY rests on it. Tests often end sooner than on average;
what they leave of the budget goes to the probes that were left out, in their order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from seatrial.behaviour.items import OURS
from seatrial.behaviour.probe import RateProbe
from seatrial.records import Level, Policy

SLOTS = 4
"""Of an endpoint that does not tell its own."""

USED = 0.9
"""Share of the budget that is planned: answers differ in length, and a test may take longer than on average."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """How fast an endpoint answers, and what of the operator's own it is asked.

    Attributes:
        speed: tokens a second, of all its slots together.
        cap_factor: by which caps grow for a model that thinks.
        interval_s: between two requests, where the operator allows no more.
        context: tokens, where it is known.
        slots: requests that are worked on at once.
        policy: the operator's own questions, each of which is to be asked.
    """

    speed: float
    cap_factor: float = 1.0
    interval_s: float = 0.0
    context: int | None = None
    slots: int = SLOTS
    policy: Policy = OURS


@dataclass(slots=True)
class Bought:
    """What a budget pays for.

    Attributes:
        items: of each maker, by its name.
        seconds: that all of it takes, as it is reckoned.
        left: each probe that is left out, and why.
        needs: the seconds of a budget that would have room for such a one, where any has.
    """

    probes: list[RateProbe] = field(default_factory=list)
    items: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    left: dict[str, str] = field(default_factory=dict)
    needs: dict[str, int] = field(default_factory=dict)


def bought(held: Iterable[RateProbe], budget_s: float, *paces: Tempo) -> Bought:
    """What a budget pays for of these probes, in their order; at least one that blocks, where one fits at all.

    Args:
        paces: of several endpoints that are asked the same: each probe takes as long as the slowest at it.
    """
    held = list(held)
    made = _in_order(held, budget_s, paces)
    if any(blocks(probe) for probe in made.probes):
        return made
    for first in filter(blocks, held):
        if first in _in_order([first], budget_s, paces).probes:
            return _in_order([first, *(probe for probe in held if probe is not first)], budget_s, paces)
    return made


def blocks(probe: RateProbe) -> bool:
    """Whether a model that fails it is not READY."""
    return probe.rule.level is Level.MUST


def following(spare: Sequence[RateProbe], asked: Mapping[str, int], left_s: float, pace: Tempo) -> RateProbe | None:
    """The first of the probes that were left out for want of time that what is left of it has room for; None: none.

    Args:
        asked: items of each maker that were asked already, by its name.
    """
    for probe in spare:
        more = max(0, items_of(probe, pace.policy) - asked.get(probe.maker.name, 0))
        if more * item_s(probe, pace) <= USED * left_s:
            return probe
    return None


def _in_order(held: Iterable[RateProbe], budget_s: float, paces: Sequence[Tempo]) -> Bought:
    made = Bought()
    for probe in held:
        if why := next(filter(None, (_unfit(probe, each) for each in paces)), ""):
            made.left[probe.rule.id] = why
            continue
        pace = max(paces, key=lambda each: item_s(probe, each))
        more = max(0, items_of(probe, pace.policy) - made.items.get(probe.maker.name, 0))
        seconds = more * item_s(probe, pace)
        if made.seconds + seconds > USED * budget_s:
            needed = made.needs[probe.rule.id] = math.ceil((made.seconds + seconds) / USED)
            made.left[probe.rule.id] = (
                f"{items_of(probe, pace.policy)} items take about {seconds:.0f} s at {tokens_a_second(pace.speed)}: "
                f"--budget={needed}s has room for them"
            )
            continue
        made.probes.append(probe)
        made.items[probe.maker.name] = max(items_of(probe, pace.policy), made.items.get(probe.maker.name, 0))
        made.seconds += seconds
    return made


def tokens_a_second(speed: float) -> str:
    """A speed in words: ``96 tokens a second``, ``0.67 tokens a second``."""
    return f"{speed:.0f} tokens a second" if speed >= 9.95 else f"{speed:.2g} tokens a second"


def items_of(probe: RateProbe, policy: Policy = OURS) -> int:
    """The items of its maker that a probe is planned with; of the operator's own questions each at least once."""
    own = len(probe.maker.own(policy))
    return max(math.ceil(probe.test.operating(probe.test.p0 / 2).size / probe.share), own)


def item_s(probe: RateProbe, pace: Tempo) -> float:
    """Seconds that one item takes off the budget.

    How fast one stream is where the others wait is not measured: between the speed of all slots, where one keeps the
    machine busy, and a slot's share of it, where all are read at the cost of one. Their geometric mean is taken.
    """
    speed = pace.speed / (math.sqrt(pace.slots) if probe.maker.alone else 1.0)
    return max(probe.maker.cost(pace.cap_factor, pace.context) / speed, pace.interval_s)


def _unfit(probe: RateProbe, pace: Tempo) -> str:
    """Why a probe cannot be asked of such an endpoint at all; empty where it can."""
    within = probe.maker.within
    if within and pace.context is None:
        return "the endpoint does not tell how long its context is"
    if within and pace.context is not None and pace.context > within:
        return f"a context of {pace.context} tokens is longer than the {within} that it is made for"
    return ""
