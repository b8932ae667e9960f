"""What a finding says the official SDK does, it does: each such claim is tried on the answer that it is about."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given

from seatrial.checks.catalogue import load_all
from seatrial.checks.rules import Rule
from seatrial.checks.running import run
from seatrial.records import Endpoint, Exchange, Expect, Finding, Scenario
from tests.checks.claims import CLAIMS, claimed, untrue
from tests.checks.specimens import (
    ASKED,
    COUNTED,
    DONE,
    EXPECT,
    delta,
    ends,
    exchange,
    models,
    plain,
    refused,
    stream,
)
from tests.checks.test_hostile import BODIES, CHUNK, FEW, WARNS
from tests.golden.faults import FAULTS
from tests.golden.memory import Memory
from tests.golden.validation import MODEL
from tests.silence.asking import Asker
from tests.silence.tables import SCENARIOS
from tests.silence.trial import RULES

pytestmark = pytest.mark.early

SILENT = frozenset({"empty-body-hangs", "unanswered-after-a-refusal"})
"""Their answers never come, and say nothing."""

LIES = [name for name, f in FAULTS.items() if f.family in {"conformance", "legal"} and name not in SILENT]
ASKED_OF = {
    name: SCENARIOS[name]
    for name in (
        "plain",
        "models",
        "n",
        "stream-usage",
        "n-stream",
        "unknown-path",
        "unknown-model",
        "body-empty",
        "no-messages",
        "stream-no-messages",
    )
}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK does not wait before it tries again."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def findings(
    rules: list[Rule], scenario: Scenario | None, xs: Mapping[str, Exchange], expect: Expect
) -> Iterator[tuple[Rule, Finding]]:
    for rule in rules:
        if scenario is None or rule.applies(scenario):
            yield from ((rule, finding) for finding in run(rule, xs, expect)[0])


def false(rule: Rule, finding: Finding, xs: Mapping[str, Exchange]) -> str:
    """What a finding says and is not so; empty where all is true."""
    x = xs.get(finding.about)
    if x is None:
        return f"{rule.id} does not say which answer it is about: {finding}"
    if x.status is not None and not x.error and (wrong := untrue(x, finding)):
        return f"{rule.id}: {wrong}"
    return ""


OF_EXCHANGES = [rule for rule in RULES.values() if rule.shape != "soak"]


@functools.cache
def said_of(name: str) -> tuple[list[str], frozenset[str]]:
    """What is said of a fault and is not so, and which of the claims are made."""
    wrong, made = [], set()
    golden = Memory((name,))
    endpoint = Endpoint(name="golden", url=golden.url, kind="generic", model=MODEL, models=(MODEL,))
    asker = Asker(endpoint, 3600.0, golden)
    for scenario, sent in ASKED_OF.items():
        xs = asker.send(scenario, sent)
        for rule, finding in findings(OF_EXCHANGES, sent, xs, Expect.of(endpoint)):
            wrong.append(false(rule, finding, xs))
            if claim := claimed(finding):
                made.add(claim[0])
    return [text for text in wrong if text], frozenset(made)


@WARNS
@pytest.mark.parametrize("name", LIES)
def test_of_each_fault_only_what_is_true_is_said(name):
    assert said_of(name)[0] == []


UNSEEN = "a client on the official SDK never sees it"
NEVER_SEEN = stream(delta(role="assistant", content="a"), delta(index=-1, content="b"), ends(), DONE)
"""The SDK lays out choices by their index, as a list does: what is of -1 is joined to the last one."""


@WARNS
def test_a_choice_that_the_sdk_never_sees_is_told():
    rule = RULES["sdk/accumulator-accepts-the-stream"]
    xs = {"only": NEVER_SEEN}
    told = [finding for _, finding in findings([rule], None, xs, EXPECT) if claimed(finding)]
    assert [claimed(finding)[0] for finding in told] == [UNSEEN]
    assert [false(rule, finding, xs) for finding in told] == [""]


@WARNS
def test_each_claim_is_made_of_some_fault():
    assert set().union(*(said_of(name)[1] for name in LIES)) == set(CLAIMS) - {UNSEEN}


HONEST = {
    "the SDK's stream helper raises": stream(),
    "the SDK decodes each event by itself, and raises": stream(),
    "the SDK reads on: whoever waits for the answer never learns that it failed": stream({"error": {"message": "no"}}),
    "models.list() raises": models({"id": "m", "object": "model", "created": 1, "owned_by": "x"}),
    "choices[0].message raises": plain(),
    "message.content raises": plain(),
    'the SDK says "Error code: 400" and no more': refused(),
    "the SDK finds no error object in it": refused(),
    "the SDK's stream helper skips the chunk": stream(),
    'as the SDK does, have the role "assistantassistant": the turn is dropped': stream(),
    "SDKs retry a 5xx: the same bad request is sent three times": refused(),
    "a client on the official SDK loses the answer": stream(),
    "a client on the official SDK never sees it": stream(),
}
"""An answer of which a claim is not true."""


def a_finding(said: str) -> Finding:
    return Finding("violation", "choice 0", expected="a", got="b", consequence=said)


@pytest.mark.parametrize("said", HONEST)
def test_a_claim_that_is_not_true_of_an_answer_is_told(said):
    assert "is not what the SDK does" in untrue(HONEST[said], a_finding(said))


def test_each_claim_can_be_untrue():
    assert {made[0] for said in HONEST if (made := claimed(a_finding(said)))} == set(CLAIMS)


def test_a_claim_that_nobody_tries_is_told():
    assert "is tried by nobody" in untrue(stream(), a_finding("the SDK sinks the ship"))


RULES_ON_ANY = [r for r in load_all().values() if r.function.__module__.startswith("seatrial.checks.areas")]


def told(x: Exchange) -> list[str]:
    rules = [r for r in RULES_ON_ANY if r.shape == "single"]
    xs = {"only": x}
    return [text for rule, finding in findings(rules, None, xs, EXPECT) if (text := false(rule, finding, xs))]


@WARNS
@FEW
@given(BODIES)
def test_of_any_body_only_what_is_true_is_said(body):
    assert told(exchange(json.dumps(body).encode(), asked=ASKED)) == []
    assert told(refused(body=body)) == []


@WARNS
@FEW
@given(BODIES.map(lambda b: CHUNK | b if isinstance(b, dict) else b))
def test_of_any_stream_only_what_is_true_is_said(event):
    assert told(stream(event, event, "[DONE]", event, asked=COUNTED)) == []
