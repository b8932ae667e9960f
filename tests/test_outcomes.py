"""The table of outcomes, line by line."""

from __future__ import annotations

import itertools

import pytest

from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.records import Level, Outcome, Ready
from seatrial.verdict.outcomes import exit_code, outcome, ready

MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY
BROKEN = violation("here", expected="a", got="b")
GRAVE = violation("here", expected="a", got="b", grave=True)
REFUSED = refusal("here", expected="a", got="400")
NOTHING = no_evidence("here", expected="a", got="none")

TABLE = [
    pytest.param(MUST, [], {}, Outcome.PASS, id="no-finding"),
    pytest.param(MUST, [BROKEN], {}, Outcome.FAIL, id="a-must-is-violated"),
    pytest.param(SHOULD, [BROKEN], {}, Outcome.ADVISORY, id="a-should-is-violated"),
    pytest.param(MAY, [BROKEN], {}, Outcome.ADVISORY, id="a-may-is-violated"),
    pytest.param(SHOULD, [BROKEN], {"strict": True}, Outcome.FAIL, id="strict-makes-a-should-binding"),
    pytest.param(MAY, [BROKEN], {"strict": True}, Outcome.ADVISORY, id="strict-leaves-a-may"),
    pytest.param(MAY, [GRAVE], {}, Outcome.FAIL, id="200-and-ignored-fails-at-any-level"),
    pytest.param(SHOULD, [REFUSED], {}, Outcome.FAIL, id="a-valid-request-refused"),
    pytest.param(SHOULD, [REFUSED], {"optional": True}, Outcome.UNSUPPORTED, id="an-option-refused-honestly"),
    pytest.param(MUST, [REFUSED, BROKEN], {"optional": True}, Outcome.FAIL, id="a-violation-outweighs-a-refusal"),
    pytest.param(MUST, [NOTHING], {}, Outcome.INCONCLUSIVE, id="no-evidence"),
    pytest.param(MUST, [NOTHING, BROKEN], {}, Outcome.FAIL, id="a-violation-outweighs-missing-evidence"),
    pytest.param(MUST, [], {"crashed": "KeyError"}, Outcome.INCONCLUSIVE, id="a-rule-that-crashed"),
    pytest.param(MUST, [BROKEN], {"waived": True}, Outcome.WAIVED, id="waived"),
    pytest.param(SHOULD, [BROKEN], {"waived": True}, Outcome.ADVISORY, id="only-a-fail-is-waived"),
    pytest.param(MUST, [], {"waived": True}, Outcome.PASS, id="a-waiver-hides-no-pass"),
]


@pytest.mark.parametrize(("level", "findings", "more", "word"), TABLE)
def test_outcome(level, findings, more, word):
    assert outcome(level, findings, **more) is word


def test_ready_needs_a_pass_in_each_suite_and_nothing_open():
    assert ready([Outcome.PASS, Outcome.ADVISORY, Outcome.WAIVED, Outcome.UNSUPPORTED]) is Ready.READY
    assert ready([Outcome.PASS], lacks=["soak"]) is Ready.NOT_PROVEN
    assert ready([Outcome.PASS, Outcome.NOT_EXECUTED]) is Ready.NOT_PROVEN
    assert ready([]) is Ready.NOT_PROVEN
    assert ready([Outcome.PASS], stops=1) is Ready.NOT_READY
    assert ready([Outcome.FAIL, Outcome.INCONCLUSIVE]) is Ready.NOT_READY


@pytest.mark.parametrize("words", [w for n in range(4) for w in itertools.combinations_with_replacement(Ready, n)])
def test_the_worst_endpoint_decides_the_exit_code(words):
    expected = 1 if Ready.NOT_READY in words else 0 if words and set(words) == {Ready.READY} else 10
    assert exit_code(words) == expected
