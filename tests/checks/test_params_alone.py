"""Single parameters that are not answered, what hangs on them, and stop strings that end nothing."""

import pytest

from seatrial.checks import look
from seatrial.checks.catalogue import load_all
from seatrial.records import Outcome
from seatrial.verdict.outcomes import outcome
from tests.checks.specimens import (
    ASKED,
    COUNTED,
    DONE,
    breaks,
    choice,
    delta,
    ends,
    found,
    holds,
    plain,
    refused,
    stream,
)

RULE = "params/each-parameter-is-answered"
UNLIKE = "params/stop-string-is-matched-as-it-is-written"
FREE = "The sea is wide and deep."


def word(rule, findings):
    made = load_all()[rule]
    return outcome(made.level, findings, optional=made.optional)


@pytest.mark.parametrize("asked", [{"seed": 7}, {"stop": "x"}, {"logprobs": True, "top_logprobs": 2}])
def test_a_parameter_that_is_answered(asked):
    holds(RULE, [plain(asked=ASKED | asked)])


@pytest.mark.parametrize(
    ("asked", "answer", "expected"),
    [
        ({"seed": 7}, refused(500, asked=ASKED | {"seed": 7}), Outcome.FAIL),
        ({"seed": 7}, refused(400, asked=ASKED | {"seed": 7}), Outcome.UNSUPPORTED),
        ({"stop": "x"}, refused(400, asked=ASKED | {"stop": "x"}), Outcome.FAIL),
        ({"n": 2}, refused(500, {"error": {"message": "n is not supported"}}, asked=ASKED | {"n": 2}), None),
        ({"n": 2}, refused(status=None, error="idle", detail="no byte", asked=ASKED | {"n": 2}), Outcome.FAIL),
    ],
)
def test_a_parameter_that_is_not_answered_is_named(asked, answer, expected):
    findings = found(RULE, answer)
    assert word(RULE, findings) is (expected or Outcome.UNSUPPORTED)
    assert findings[0].where.startswith(next(iter(asked)))


def test_of_two_parameters_the_one_that_fails_alone_is_the_cause():
    both = refused(500, asked=ASKED | {"logprobs": True, "top_logprobs": 2})
    assert breaks(RULE, both, "top_logprobs").causes == (f"{RULE}[with-logprobs]",)


def test_what_hangs_on_a_parameter():
    asked = ASKED | {"seed": 7, "stop": None, "tools": [{}], "response_format": {"type": "text"}}
    asks = [f"http/valid-request-is-answered[{area}-asked]" for area in ("tools", "structured")]
    assert look.by_parameters(refused(500, asked=asked)) == (f"{RULE}[with-seed]", *asks)
    assert look.by_parameters(plain(asked=asked)) == ()
    [finding] = found("http/valid-request-is-answered", refused(500, asked=ASKED | {"top_p": 1}))
    assert finding.causes == (f"{RULE}[with-top-p]",)
    assert found("http/valid-request-is-answered", refused(500))[0].causes == ()


def unlike(text, finish="stop", stop=("\nThe sea\n", "IS WIDE")):
    events = [delta(role="assistant", content=""), delta(content=text), ends(finish), DONE]
    return {
        "free": plain({"choices": [choice(FREE)]}),
        "unlike": plain({"choices": [choice(text, finish=finish)]}, asked=ASKED | {"stop": list(stop)}),
        "unlike-stream": stream(*events, asked=COUNTED | {"stop": list(stop)}),
    }


def test_a_stop_string_that_is_spelt_otherwise_ends_nothing():
    holds(UNLIKE, [unlike(FREE), unlike(FREE, "length"), unlike(f"{FREE}\n\nQuestion: what now?", "length")])
    assert "'is wide'" in breaks(UNLIKE, unlike("The sea "), "unlike: content", "The sea").expected
    breaks(UNLIKE, unlike("The sea is wide"), "unlike: content", "is wide")
    assert "'The sea'" in breaks(UNLIKE, unlike(""), "unlike: content").expected


@pytest.mark.parametrize("text", ["The sea is", "A ship"])
def test_an_answer_that_is_another_one_tells_nothing(text):
    assert {f.kind for f in found(UNLIKE, unlike(text))} == {"no-evidence"}


def test_a_stop_string_that_the_answer_holds_is_not_judged_here():
    assert {f.kind for f in found(UNLIKE, unlike("The sea", stop=("is wide",)))} == {"no-evidence"}
    assert {f.kind for f in found(UNLIKE, {"free": plain()})} == {"no-evidence"}
