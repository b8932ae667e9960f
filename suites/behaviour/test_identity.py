"""Is this a build and a model that are known to be broken together?"""

from collections.abc import Callable, Mapping

import pytest

from seatrial.behaviour import identity
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Endpoint, Exchange, Request, Scenario

IDENTITY = {"identity": Scenario(requests={"only": Request(method="GET", path="/models")}, traits=identity.IDENTITY)}


@pytest.mark.parametrize(("rule", "scenario"), cases(IDENTITY))
def test_identity(
    rule: Rule,
    scenario: str,
    seatrial_send: Callable[[Scenario], Mapping[str, Exchange]],
    seatrial_endpoint: Endpoint,
    seatrial_judge: Callable[..., None],
) -> None:
    seatrial_judge(
        rule, seatrial_send(IDENTITY[scenario]), build=seatrial_endpoint.build, facts=seatrial_endpoint.facts
    )
