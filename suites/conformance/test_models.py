"""The list of models, and names that are not on it."""

import pytest

from seatrial.checks.areas import models
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Hazard, Request
from suites.conformance.scenarios import HELLO, FirstAsk, Judge, Send, faulty, get, request

NOBODY = "seatrial-no-such-model"


def one(model: str) -> Request:
    return Request(method="GET", path=f"/models/{model}")


MODELS = {
    "models": get("/models", of=models.MODELS),
    "unknown-id": faulty(one(NOBODY), known=one("{model}"), of=models.UNKNOWN_ID, hazard=Hazard.POLITE),
    "unknown-model-vectors": faulty(
        Request(path="/embeddings", body={"model": NOBODY, "input": "the sea"}),
        of=models.UNKNOWN_MODEL,
        hazard=Hazard.POLITE,
        asked=FirstAsk.EMBEDDINGS,
    ),
    "unknown-model": faulty(request(HELLO, max_tokens=4, model=NOBODY), of=models.UNKNOWN_MODEL, hazard=Hazard.POLITE),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(MODELS))
def test_models(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(MODELS[scenario]))
