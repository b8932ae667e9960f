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
    send: Callable[[Scenario], Mapping[str, Exchange]],
    endpoint: Endpoint,
    judge: Callable[..., None],
) -> None:
    judge(rule, send(IDENTITY[scenario]), build=endpoint.build, facts=endpoint.facts)
