"""The list of models, and names that are not on it."""

import pytest

from seatrial.checks.areas.models import lists, names, used
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.kinds import profile
from seatrial.records import Hazard, Listed, Request, Scenario
from suites.conformance.scenarios import GOOD, HELLO, FirstAsk, Judge, Send, faulty, full, get, request

NOBODY = "seatrial-no-such-model"


def one(model: str) -> Request:
    return Request(method="GET", path=f"/models/{model}")


LIST = Request(method="GET", path="/models")
STATES = profile.statuses()
NAMELESS = {key: value for key, value in request(HELLO, max_tokens=4).body.items() if key != "model"}
PLACES = {"first": 0, "second": 1, "last": -1}


def chosen(place: int) -> Request:
    """A chat of one token with a model of the list."""
    return request(HELLO, max_tokens=1, model=Listed(after="list", place=place))


def vectors(place: int) -> Request:
    return Request(path="/embeddings", body={"model": Listed(after="list", place=place), "input": "the sea"})


MODELS = {
    "models": get("/models", of=lists.MODELS),
    "one-model": Scenario(
        requests={"list": LIST, "plain": one("{+model}"), "encoded": one("{%model}")}, traits=lists.ONE
    ),
    "used-model": Scenario(
        requests={"list": LIST},
        traits=used.USED,
        before=("chat/one-token", GOOD),
        settings={"answers": STATES.answers, "others": STATES.others},
    ),
    # Another model may have to be loaded for it, and put out the one under test.
    "other-models": full(
        Scenario(
            requests={"list": LIST, **{name: chosen(place) for name, place in PLACES.items()}},
            apart={f"{name}: vectors": vectors(place) for name, place in PLACES.items()},
            traits=used.OTHERS,
            hazard=Hazard.HEAVY,
            deadline_s=300.0,
            tokens=len(PLACES),
        )
    ),
    "unknown-id": faulty(one(NOBODY), known=one("{model}"), of=lists.UNKNOWN_ID, hazard=Hazard.POLITE),
    "unknown-model-vectors": faulty(
        Request(path="/embeddings", body={"model": NOBODY, "input": "the sea"}),
        of=names.UNKNOWN_MODEL,
        hazard=Hazard.POLITE,
        asked=FirstAsk.EMBEDDINGS,
    ),
    "unknown-model": faulty(request(HELLO, max_tokens=4, model=NOBODY), of=names.UNKNOWN_MODEL, hazard=Hazard.POLITE),
    "no-model": faulty(Request(body=NAMELESS), of=names.NAMELESS, hazard=Hazard.POLITE),
    "no-model-stream": faulty(Request(body=NAMELESS | {"stream": True}), of=names.NAMELESS, hazard=Hazard.POLITE),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(MODELS))
def test_models(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(MODELS[scenario]), **MODELS[scenario].settings)
