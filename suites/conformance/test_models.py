"""The list of models, and names that are not on it."""

import pytest

from seatrial.checks.rules import Rule, cases
from seatrial.records import Hazard, Request
from suites.conformance.scenarios import HELLO, RULES, Judge, Send, faulty, get, request

NOBODY = "seatrial-no-such-model"

MODELS = {
    "models": get("/models", of={"json", "models"}),
    "unknown-id": faulty(Request(method="GET", path=f"/models/{NOBODY}"), of={"unknown-id"}, hazard=Hazard.POLITE),
    "unknown-model": faulty(request(HELLO, max_tokens=4, model=NOBODY), of={"unknown-model"}, hazard=Hazard.POLITE),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(RULES, MODELS))
def test_models(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(MODELS[scenario]))
