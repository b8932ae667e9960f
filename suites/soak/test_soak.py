"""Does it endure? One load, as many users as the server has slots, judged by every rule on soaks."""

from collections.abc import Callable

import pytest

from seatrial.checks import soak as rules
from seatrial.checks.rules import Rule, cases
from seatrial.records import Hazard, Scenario, SoakRun

LOADS = {"closed": Scenario(requests={}, traits=rules.COUNTED, hazard=Hazard.HEAVY)}  # --soak says how long


@pytest.mark.parametrize(("rule", "scenario"), cases([rules], LOADS))
def test_soak(
    rule: Rule,
    scenario: str,  # noqa: ARG001
    soak: SoakRun,
    stopped: list[tuple[int, int]],
    judge: Callable[..., None],
) -> None:
    judge(rule, soak, stopped=stopped)
