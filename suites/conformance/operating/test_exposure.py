"""Routes that no stranger may have, asked without a key and by methods that change nothing."""

import pytest

from seatrial.checks.areas import exposure
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.checks.traits import Traits
from seatrial.kinds import profile
from seatrial.records import Request, Scenario
from suites.conformance.scenarios import Judge, Send, bearing, request, route

NOWHERE = "/seatrial-no-such-route"


def strangers(routes: tuple[str, ...], *, of: Traits, ours: Request | None = None) -> Scenario:
    """Routes asked by nobody, after a request of the operator's own, and a path that is not there."""
    methods = dict.fromkeys(told.partition(" ")[0] for told in routes)
    asked = {told: route(told) for told in routes}
    asked |= {f"{method} {exposure.NOBODY}": route(f"{method} {NOWHERE}") for method in methods}
    own = {} if ours is None else {exposure.OURS: ours}
    requests = own | {name: bearing(each, "") for name, each in asked.items()}
    return Scenario(requests=requests, traits=of, tokens=len(own))


ROUTES = profile.routes()
OURS = request(f"Say hello to the {exposure.CANARY}.", max_tokens=1)

OPEN = {
    "commands": strangers(ROUTES.command, of=exposure.COMMANDS),
    "proxies": strangers(ROUTES.proxy, of=exposure.PROXIES),
    "deletes": strangers(ROUTES.delete, of=exposure.DELETES),
    "shows": strangers(ROUTES.show, of=exposure.SHOWS, ours=OURS),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(OPEN))
def test_exposure(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(OPEN[scenario]))
