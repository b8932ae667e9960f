"""The pages by which a server is run: health, and counters."""

import pytest

from seatrial.checks.areas import ops
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.kinds import detect
from seatrial.kinds.kind import HEALTH
from seatrial.records import Request, Scenario
from suites.conformance.scenarios import COUNT, GOOD, Judge, Send, request, route

COUNTERS = route("GET /metrics")

ELSEWHERE: dict[str, Request] = {kind.health: route(f"GET {kind.health}") for _, kind in detect.doors()}
"""Where servers are well whose usual page has a price: that one is asked only where there is none of these."""

OPS = {
    "health": Scenario(
        requests=ELSEWHERE,
        apart={f"{list(ELSEWHERE)[-1]}: usual": route(f"GET {HEALTH}")},
        traits=ops.HEALTH,
        before=("chat/one-token", GOOD),
    ),
    "metered": Scenario(
        requests={"first": COUNTERS, "chat": request(COUNT, max_tokens=7), "second": COUNTERS},
        traits=ops.METERED,
        alone=True,
        tokens=7,
    ),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(OPS))
def test_ops(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(OPS[scenario]))
