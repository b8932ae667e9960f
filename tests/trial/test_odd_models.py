"""Models that lack what a probe needs, or never come to an answer: no probe is green for it or asks on for nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from seatrial.behaviour.answers import Interview
from seatrial.behaviour.probe import probes
from seatrial.checks import running
from seatrial.records import Exchange, Expect, Outcome
from seatrial.verdict.outcomes import outcome
from tests.behaviour.specimens import exchange, said
from tests.trial.asking import Sender, ask

BUDGET_S = 3600.0
"""Far more than any of these takes: what ends an interview here is that nothing is to be learnt."""

MOST_SENT = 700
"""Of more than 1,300 items that these probes may take."""

TALK = "I would say that the old harbour is worth a visit, and that the sea is near."


def refusing(message: str) -> Exchange:
    return exchange(status=400, json={"error": {"message": message, "type": "invalid_request_error"}})


def _length(body):
    return sum(len(str(m.get("content"))) for m in body["messages"])


MODELS = {
    "without tools": lambda body: refusing("tools are not supported") if body.get("tools") else said(TALK),
    "without log probabilities": lambda body: refusing("no logprobs") if body.get("logprobs") else said(TALK),
    "of a short context": lambda body: refusing("beyond the context") if _length(body) > 1800 else said(TALK),
    "that thinks without end": lambda _body: said("", "length", reasoning="Wait. Let me begin again: it may be."),
    "that declines all": lambda _body: said("I'm sorry, but I can't help with that."),
}
"""What each says to a request."""

SAID_OF = {
    "without tools": {"calling": Outcome.UNSUPPORTED},
    "without log probabilities": {"logprobs": Outcome.UNSUPPORTED, "drift": Outcome.UNSUPPORTED},
    "of a short context": {"retrieval": Outcome.UNSUPPORTED},
    "that thinks without end": dict.fromkeys(
        ("stops", "json", "calling", "recall", "roles", "numbers", "retrieval", "refusals"), Outcome.INCONCLUSIVE
    ),
    "that declines all": {"recall": Outcome.INCONCLUSIVE, "roles": Outcome.INCONCLUSIVE, "refusals": Outcome.ADVISORY},
}


class Odd(Sender):
    """Answers at once, as one sort of model."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self.model, self.sent = model, 0

    def send(self, name, scenario, endpoint, until=None):
        self.sent += 1
        ((key, request),) = scenario.requests.items()
        body = dict(request.body)
        return {key: replace(MODELS[self.model](body), request_json=body, id=f"main-{self.sent}")}


def words(interview: Interview) -> dict[str, Outcome]:
    expect, found = Expect(settings=dict(interview.settings)), {}
    for probe in probes().values():
        if probe.maker.wanted is None:
            findings, crashed = running.run(probe.rule, interview.exchanges, expect)
            assert not crashed
            found[probe.rule.area] = outcome(probe.rule.level, findings)
    return found


@pytest.mark.parametrize("model", MODELS)
def test_what_a_model_lacks_is_said_and_not_asked_for_again_and_again(model):
    sender = Odd(model)
    asked = [probe for probe in probes().values() if probe.maker.wanted is None]
    found = words(ask("http://127.0.0.1:9/v1", BUDGET_S, sender=sender, slots=4, context=8192, probes=asked))
    assert {area: found[area] for area in SAID_OF[model]} == SAID_OF[model]
    assert sender.sent < MOST_SENT
    if model.startswith("that"):
        assert Outcome.FAIL not in found.values()
