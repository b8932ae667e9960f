"""Which probes a budget of time buys of each endpoint that is on trial; of those that are compared, the same."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from seatrial.behaviour import planning
from seatrial.behaviour.items import OURS
from seatrial.behaviour.planning import Bought, Tempo
from seatrial.behaviour.probe import RateProbe, probes
from seatrial.given.options import Options
from seatrial.records import Endpoint, Planned
from seatrial.trial.selection import BEHAVIOUR, Selection, lack

ASSUMED_SPEED = 40.0
"""Tokens a second of all slots, where none was measured: a small model on two cores."""
NO_CHAT = re.compile(
    r"^(?:405|501)\b|^(?:4\d\d|500) .*\bnot support (?:chat|generat|completion)", re.IGNORECASE | re.DOTALL
)
WARM_UP = "warm-up"
"""The fact of an endpoint that says how it refused its warm-up."""


def tempo_of(options: Options, endpoint: Endpoint | None) -> Tempo:
    """How fast an endpoint answers, as far as it is known."""
    interval = 0.0 if options.access.max_rps is None else 1 / options.access.share
    policy = options.policy.policy if options.policy else OURS
    if endpoint is None:
        return Tempo(ASSUMED_SPEED, interval_s=interval, policy=policy)
    speed = endpoint.speed or ASSUMED_SPEED
    slots = endpoint.slots or planning.SLOTS
    return Tempo(speed, endpoint.cap_factor, interval, endpoint.context, slots, policy)


def bought(cases: Sequence[Planned], options: Options, endpoint: Endpoint | None) -> Bought:
    """What the budget buys of the probes among the cases of one endpoint."""
    return planning.bought(_asked(cases), options.budget_s, tempo_of(options, endpoint))


def afford(cases: Sequence[Planned], options: Options, endpoints: Mapping[str, Endpoint], out: Selection) -> None:
    """Plan the probes that the budget buys, and no others.

    Where it buys none, or of those that block none of several, nothing of the suite is planned: a list of known-bad
    builds that is silent of most models, or twenty log probabilities in order, would make it ready.

    Args:
        out: takes what is left, and why the rest is not.
    """
    if not any(plan.suite == BEHAVIOUR for plan in cases):
        return
    out.cases, none = [plan for plan in cases if plan.suite != BEHAVIOUR], {}
    asked: dict[str, tuple[list[Planned], Bought]] = {}
    for name, endpoint in endpoints.items():
        own = [plan for plan in cases if plan.suite == BEHAVIOUR and plan.endpoint == name]
        got = bought(own, options, endpoint)
        if chatless(endpoint):
            none[name] = f"it has no chat: {endpoint.facts[WARM_UP]}"
        elif why := _too_little(own, got):
            none[name] = f"--budget={options.budget_s:.0f}s is too little: {why}"
        else:
            asked[name] = (own, got)
    together = _together(asked, options, endpoints)
    for name, (own, alone) in asked.items():
        got, rules = together or alone, {plan.rule for plan in own}
        label = {rule: f"{probes()[rule].what} of {name} ({rule})" for rule in got.left if rule in rules}
        out.cases += [plan for plan in own if plan.rule not in label]
        for rule, what in label.items():
            others = "" if rule in alone.left else "; all are asked the same"
            out.not_tested.append((what, got.left[rule] + others))
        out.spare |= {label[rule]: (name, rule) for rule in got.needs if rule in label}
    if none and not any(plan.suite == BEHAVIOUR for plan in out.cases):
        lack(out, BEHAVIOUR, list(none.values())[-1])
    else:
        out.not_tested += [(f"{BEHAVIOUR} of {name}", why) for name, why in none.items()]


def _together(
    asked: Mapping[str, tuple[Sequence[Planned], Bought]], options: Options, endpoints: Mapping[str, Endpoint]
) -> Bought | None:
    """What the budget buys of all endpoints that are held against each other, by the slowest at each probe.

    None where there is but one, or where it buys nothing of all that one of them needs for its verdict.
    """
    if len(asked) < 2:
        return None
    wanted = {plan.rule for own, _ in asked.values() for plan in own}
    held = [probe for rule, probe in probes().items() if rule in wanted]
    made = planning.bought(held, options.budget_s, *(tempo_of(options, endpoints[name]) for name in asked))
    return None if any(_too_little(own, made) for own, _ in asked.values()) else made


def chatless(endpoint: Endpoint) -> bool:
    """Whether an endpoint said of its warm-up that it has no chat: a server of vectors does."""
    return NO_CHAT.search(endpoint.facts.get(WARM_UP, "")) is not None


def _too_little(cases: Sequence[Planned], got: Bought) -> str:
    """Why a budget does not make an endpoint ready, by the probe that would take least; empty where it may."""
    blocking = [probe for probe in _asked(cases) if planning.blocks(probe)]
    lacking = [probe.rule.id for probe in blocking if probe.rule.id in got.left] or list(got.left)
    bought = [probe for probe in got.probes if planning.blocks(probe) or not blocking]
    return "" if bought or not lacking else got.left[min(lacking, key=lambda rule: got.needs.get(rule, math.inf))]


def _asked(cases: Sequence[Planned]) -> list[RateProbe]:
    wanted = {plan.rule for plan in cases}
    return [probe for rule, probe in probes().items() if rule in wanted]
