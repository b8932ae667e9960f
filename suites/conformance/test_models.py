"""The list of models and names that are not on it."""

import pytest

from seatrial.checks.rules import Rule, cases
from suites.conformance.scenarios import RULES, Judge, Send, get

MODELS = {
    "models": get("/models", of={"json", "models"}),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(RULES, MODELS))
def test_models(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(MODELS[scenario]))
