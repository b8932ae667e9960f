"""Single parameters that are not answered, what hangs on them, and stop strings that end nothing."""

import json

import pytest
from msgspec.structs import replace

from seatrial.checks import look
from seatrial.checks.catalogue import load_all
from seatrial.records import Endpoint, Outcome, Quoted, Request
from seatrial.verdict.outcomes import outcome
from seatrial.wire.transports.prepare import prepare
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
        ({"n": 2}, refused(500, {"error": {"message": "cannot allocate"}}, asked=ASKED | {"n": 2}), Outcome.FAIL),
        ({"n": 2}, refused(501, {"error": {"message": "no"}}, asked=ASKED | {"n": 2}), Outcome.UNSUPPORTED),
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


def test_a_top_p_of_zero_is_a_case_of_its_own_and_hangs_on_a_usual_one():
    zero, tiny, usual = (ASKED | {"top_p": share} for share in (0, 1e-6, 1))
    for asked, expected in ((zero, (f"{RULE}[with-top-p]",)), (usual, ())):
        findings = found(RULE, refused(400, asked=asked))
        assert word(RULE, findings) is Outcome.FAIL
        assert (findings[0].where, findings[0].causes) == ("top_p: the status", expected)
    for asked, expected in ((zero, True), (tiny, True), (usual, False), (ASKED | {"top_p": "0"}, False)):
        judges = look.by_parameters(refused(400, asked=asked))
        assert (f"{RULE}[with-top-p-zero]" in judges) is expected
    assert look.by_parameters(plain(asked=zero)) == ()


def test_top_p_zero_is_greedy():
    rule = "params/top-p-zero-is-greedy"
    one, other = (plain({"choices": [choice(said)]}) for said in ("The sea is wide.", "Waves come and go."))
    holds(rule, [{"first": one, "second": one}])
    assert breaks(rule, {"first": one, "second": other}, "content", "Waves").ignores == "top_p"
    assert [f.kind for f in found(rule, {"first": one, "second": plain({"choices": [choice("")]})})] == ["no-evidence"]


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


BLANKS = "params/blanks-before-a-stop-string-are-kept"


def before(stop, text, streamed=None):
    events = [delta(role="assistant", content=""), delta(content=text if streamed is None else streamed), ends(), DONE]
    return {
        "free": plain({"choices": [choice(FREE)]}),
        "blank": plain({"choices": [choice(text)]}, asked=ASKED | {"stop": stop}),
        "blank-stream": stream(*events, asked=COUNTED | {"stop": stop}),
    }


def test_blanks_before_a_stop_string_are_kept():
    holds(BLANKS, [before("is wide", "The sea ")])
    trimmed = breaks(BLANKS, before("is wide", "The sea"), "blank: content", "'The sea'")
    assert trimmed.about == "blank"
    assert "params/each-of-four-stop-strings-ends-the-answer[*]" in trimmed.causes
    assert breaks(BLANKS, before("is wide", "The sea ", "The sea"), "blank-stream: content").about == "blank-stream"


@pytest.mark.parametrize(
    ("stop", "text"), [("is wide", FREE), ("is wide", "The s"), ("sea is", "The"), ("ea is", "The s")]
)
def test_what_shows_nothing_of_blanks(stop, text):
    kinds = {f.kind for f in found(BLANKS, before(stop, text))}
    assert kinds == ({"violation"} if stop == "sea is" else {"no-evidence"})
    assert {f.kind for f in found(BLANKS, {"free": plain()})} == {"no-evidence"}


def test_an_answer_that_ends_at_a_letter_of_its_stop_string_has_lost_words():
    rule = "params/stop-string-never-leaks-in-part"
    told = breaks(rule, before("is wide", "The"), "blank: content", "The")
    assert (told.about, told.consequence) == ("blank", "words before the stop string are lost")
    assert breaks(rule, before("is wide", "The sea ", "Th"), "blank-stream: content", "Th").causes
    for kept in ("The sea ", "The sea", FREE, "A ship"):
        assert {f.kind for f in found(rule, before("is wide", kept))} == {"no-evidence"}  # there is no "stream"


def test_a_piece_behind_a_blank_is_found_nowhere_before():
    free = plain({"choices": [choice("the other then the sea")]})
    stop = Quoted(after="free", of="words", first=1, length=3)
    asked = Request(body={"stop": [stop, replace(stop, first=11), replace(stop, length=40)]})
    endpoint = Endpoint(name="e", url="", kind="generic", model="m", models=("m",))
    sent = json.loads(prepare(asked, endpoint, valid_chat=True, got={"free": free}).body)
    assert (sent["stop"][:2], len(sent["stop"][2])) == (["oth", "sea"], 1)  # "the" stands before too


def test_a_refusal_that_speaks_of_a_high_temperature_is_no_fault_of_a_parameter_beside_it():
    hot = ASKED | {"top_p": 0, "temperature": 2}
    spoken = refused(400, {"error": {"message": "temperature: range: 0..1", "type": "x"}}, asked=hot)
    assert "http/valid-request-is-answered[sampling]" in found(RULE, spoken)[0].causes
    for asked in (hot, hot | {"temperature": 1}, hot | {"temperature": True}):
        silent = refused(400, {"error": {"message": "top_p: above 0", "type": "x"}}, asked=asked)
        assert found(RULE, silent)[0].causes == (f"{RULE}[with-top-p]",)
