"""What a finding says the official SDK does, it does: each such claim is tried on the answer that it is about."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given

from seatrial.checks.catalogue import load_all
from seatrial.checks.rules import Rule
from seatrial.checks.running import run
from seatrial.records import Endpoint, Exchange, Expect, Scenario
from tests.checks.claims import untrue
from tests.checks.specimens import ASKED, COUNTED, EXPECT, exchange, refused, stream
from tests.checks.test_hostile import BODIES, CHUNK, FEW, WARNS
from tests.golden.faults import FAULTS
from tests.golden.server import MODEL, Golden
from tests.silence.asking import Asker
from tests.silence.tables import SCENARIOS
from tests.silence.trial import RULES

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


def false(rules: list[Rule], scenario: Scenario | None, xs: Mapping[str, Exchange], expect: Expect) -> Iterator[str]:
    for rule in rules:
        if scenario is not None and not rule.applies(scenario):
            continue
        for finding in run(rule, xs, expect)[0]:
            x = xs.get(finding.about)
            if x is None:
                yield f"{rule.id} does not say which answer it is about: {finding}"
            elif x.status is not None and not x.error and (wrong := untrue(x, finding)):
                yield f"{rule.id}: {wrong}"


OF_EXCHANGES = [rule for rule in RULES.values() if rule.shape != "soak"]


@WARNS
@pytest.mark.parametrize("name", LIES)
def test_of_each_fault_only_what_is_true_is_said(name):
    with Golden(faults=(name,)) as golden:
        endpoint = Endpoint(name="golden", url=golden.url, kind="generic", model=MODEL, models=(MODEL,))
        asker = Asker(endpoint, 3.0)
        wrong = [
            text
            for scenario, sent in ASKED_OF.items()
            for text in false(OF_EXCHANGES, sent, asker.send(scenario, sent), Expect.of(endpoint))
        ]
    assert wrong == []


RULES_ON_ANY = [r for r in load_all().values() if r.function.__module__.startswith("seatrial.checks.areas")]


def told(x: Exchange) -> list[str]:
    rules = [r for r in RULES_ON_ANY if r.shape == "single"]
    return [text for text in false(rules, None, {"only": x}, EXPECT) if "does not say" not in text]


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
