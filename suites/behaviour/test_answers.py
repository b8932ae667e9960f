"""Does it loop, does it end, does its template show? Asked of the same answers to ordinary questions."""

from collections.abc import Callable

import pytest

from seatrial.behaviour import probes
from seatrial.behaviour.answers import Interview
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Scenario

ANSWERS = {"answers": Scenario(requests={}, traits=probes.TRAITS)}  # the budget says how many


@pytest.mark.parametrize(("rule", "scenario"), cases(ANSWERS))
def test_answers(rule: Rule, scenario: str, answers: Interview, judge: Callable[..., None]) -> None:  # noqa: ARG001
    judge(rule, answers.exchanges, **answers.settings)
