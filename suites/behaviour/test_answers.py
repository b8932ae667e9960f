"""What a model chooses by itself, as rates: the probes, each judged on the items that it reads."""

from collections.abc import Callable

import pytest

from seatrial.behaviour.answers import Interview
from seatrial.behaviour.items import TRAITS
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Scenario

ANSWERS = {"answers": Scenario(requests={}, traits=TRAITS)}  # the budget says how many


@pytest.mark.parametrize(("rule", "scenario"), cases(ANSWERS))
def test_answers(rule: Rule, scenario: str, seatrial_answers: Interview, seatrial_judge: Callable[..., None]) -> None:  # noqa: ARG001
    seatrial_judge(rule, seatrial_answers.exchanges, **seatrial_answers.settings)
