"""Does it endure? One load in phases, or of closed users alone where it is short, judged by every rule on soaks."""

from collections.abc import Callable

import pytest

from seatrial.checks.areas.soak import parts
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Hazard, Scenario, SoakRun

LOADS = {
    "closed": Scenario(requests={}, traits=parts.COUNTED | parts.CANARIED, hazard=Hazard.HEAVY)
}  # --soak says how long


@pytest.mark.parametrize(("rule", "scenario"), cases(LOADS))
def test_soak(
    rule: Rule,
    scenario: str,  # noqa: ARG001
    seatrial_soak: SoakRun,
    seatrial_stopped: list[tuple[int, int]],
    seatrial_cache: int,
    seatrial_judge: Callable[..., None],
) -> None:
    seatrial_judge(rule, seatrial_soak, stopped=seatrial_stopped, cache=seatrial_cache)
