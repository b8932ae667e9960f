"""What the budget of a run buys: the probes that fit each endpoint at its own speed; the others are not tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seatrial.behaviour import planning
from seatrial.behaviour.planning import Bought, Tempo
from seatrial.behaviour.probe import RateProbe, probes
from seatrial.given.options import Options
from seatrial.records import Endpoint, Planned
from seatrial.trial.selection import Selection, lack

ASSUMED_SPEED = 40.0
"""Tokens a second of all slots, where none was measured: a small model on two cores."""

BEHAVIOUR = "behaviour"


def tempo_of(options: Options, endpoint: Endpoint | None) -> Tempo:
    """How fast an endpoint answers, as far as it is known."""
    interval = 0.0 if options.access.max_rps is None else 1 / options.access.share
    if endpoint is None:
        return Tempo(ASSUMED_SPEED, interval_s=interval)
    return Tempo(endpoint.speed or ASSUMED_SPEED, endpoint.cap_factor, interval, endpoint.context)


def bought(cases: Sequence[Planned], options: Options, endpoint: Endpoint | None) -> Bought:
    """What the budget buys of the probes among the cases of one endpoint."""
    return planning.bought(_asked(cases), options.budget_s, tempo_of(options, endpoint))


def afford(cases: Sequence[Planned], options: Options, endpoints: Mapping[str, Endpoint], out: Selection) -> None:
    """Plan the probes that the budget buys, and no others.

    Where it buys none, nothing of the suite is planned: silent of most models, a list of known-bad builds alone would
    make it ready.

    Args:
        out: takes what is left, and why the rest is not.
    """
    if not any(plan.suite == BEHAVIOUR for plan in cases):
        return
    out.cases, none = [plan for plan in cases if plan.suite != BEHAVIOUR], ""
    for name, endpoint in endpoints.items():
        own = [plan for plan in cases if plan.suite == BEHAVIOUR and plan.endpoint == name]
        got = bought(own, options, endpoint)
        if got.left and not got.probes:
            none = f"--budget={options.budget_s:.0f}s is too little: {next(iter(got.left.values()))}"
        else:
            out.cases += [plan for plan in own if plan.rule not in got.left]
            held = probes()
            out.not_tested += [(f"{held[rule].what} of {name} ({rule})", why) for rule, why in got.left.items()]
    if none and not any(plan.suite == BEHAVIOUR for plan in out.cases):
        lack(out, BEHAVIOUR, none)


def _asked(cases: Sequence[Planned]) -> list[RateProbe]:
    wanted = {plan.rule for plan in cases}
    return [probe for rule, probe in probes().items() if rule in wanted]
