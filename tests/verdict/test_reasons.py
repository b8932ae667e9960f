"""Reasons: what fails for one cause is one, what hangs on it is counted with it, and worst comes first."""

from __future__ import annotations

import msgspec
import pytest

from seatrial.checks import look
from seatrial.records import EndpointVerdict, Finding, Judged, Outcome, Record
from seatrial.verdict.reasons import plain
from seatrial.verdict.summary import Beside, summarise

ANSWERED = "http/valid-request-is-answered"
IMPACT = ("sse", "http", "chat")


def judged(rule: str, scenario: str, finding: Finding | None = None, word: Outcome = Outcome.FAIL, **more) -> Judged:
    return Judged(
        case=f"{rule}[{scenario}]@a", endpoint="a", rule=rule, scenario=scenario, suite="conformance", level="MUST",
        outcome=word, findings=(finding,) if finding else (), **more,
    )  # fmt: skip


def found(where: str, got: str, expected: str = "text") -> Finding:
    return Finding("violation", where, expected, got)


PASSED = judged("models/x", "p", word=Outcome.PASS)


def verdict(*cases: Judged, answered: dict[str, bool] | None = None):
    return summarise(
        run="r", endpoints={}, cases=(*cases, PASSED), stops=[], record=Record(), waived=[], not_tested=[],
        beside=Beside(answered={"a": {"plain": True} if answered is None else answered}, impact=IMPACT),
    ).endpoints["a"]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (found("chunk 3, index", "5"), found("chunk 12, index", "None")),
        (found("usage.total_tokens", "9", "4 + 6"), found("usage.total_tokens", "31", "12 + 20")),
        (found("content", "hello", "to end before 'e'"), found("content", "a word", "to end before 'o'")),
        (found("id", "chatcmpl-8f3a", "chatcmpl-01ab9c"), found("id", "chatcmpl-77aa", "chatcmpl-zz91k2")),
    ],
)
def test_findings_that_differ_in_a_value_an_id_or_a_body_are_one(one, other):
    said = verdict(judged("chat/x", "a", one), judged("chat/x", "b", other))
    assert [(r.word, r.cases) for r in said.reasons] == [("FAIL", ("chat/x[a]@a", "chat/x[b]@a"))]
    assert said.counts["FAIL"] == 1


def test_what_reads_the_same_is_one_line_though_other_things_were_expected():
    one, other = found("the status", "200, 3 tokens", "400: a cap of -1"), found("the status", "200, 3 tokens", "none")
    assert [len(r.cases) for r in verdict(judged("p/x", "a", one), judged("p/x", "b", other)).reasons] == [2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (found("usage", "None"), found("usage.total_tokens", "9")),
        (found("the status", "404"), found("the status", "500 oh")),
    ],
)
def test_findings_of_other_places_are_two(one, other):
    assert verdict(judged("chat/x", "a", one), judged("chat/x", "b", other)).counts["FAIL"] == 2


def test_a_valid_request_refused_for_two_reasons_is_two_causes():
    texts = ("400 max_tokens 1 is below 2", "400 max_tokens 16 is below 32", "400 no logprobs here", "500 oh")
    cases = [judged(ANSWERED, str(n), found("the status", text)) for n, text in enumerate(texts)]
    assert [len(r.cases) for r in verdict(*cases).reasons] == [2, 1, 1]


def test_where_several_were_sent_the_name_of_the_request_makes_no_cause_of_its_own():
    one = judged(ANSWERED, "a", look.named(found("the status", "500 oh"), "short", alone=False))
    assert verdict(one, judged(ANSWERED, "b", found("the status", "500 oh"))).counts["FAIL"] == 1


def test_what_hangs_on_a_cause_is_counted_with_it_and_not_as_open():
    cause = judged(ANSWERED, "a", found("the status", "500 oh"))
    hanging = judged("sse/x", "a", word=Outcome.INCONCLUSIVE, because=cause.case, why=f"because of {cause.case}")
    open_ = judged("sse/y", "a", word=Outcome.INCONCLUSIVE, why="no server")
    said = verdict(cause, hanging, open_)
    assert [(r.word, r.because) for r in said.reasons] == [("FAIL", 1), ("INCONCLUSIVE", 0)]
    assert (said.counts["because"], said.counts["INCONCLUSIVE"], said.counts["FAIL"]) == (1, 1, 1)


def test_the_unanswered_request_comes_first_then_what_clients_suffer_most():
    cases = [judged(rule, "a", found("x", "y")) for rule in ("chat/x", "http/x", "sse/x", ANSWERED)]
    assert [r.case.partition("[")[0] for r in verdict(*cases).reasons] == [ANSWERED, "sse/x", "http/x", "chat/x"]


def test_what_should_be_otherwise_is_told_and_no_reason():
    said = verdict(judged("chat/x", "a", found("x", "1"), Outcome.ADVISORY), judged("chat/y", "a", word=Outcome.PASS))
    assert (said.verdict, said.reasons) == ("READY", ())
    assert [r.text for r in said.advisories] == ["x: 1"]


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        ({"plain": True, "streamed": True}, []),
        ({"streamed": True}, []),
        ({"plain": True, "streamed": False}, ["no streamed chat was answered"]),
        ({"plain": False, "streamed": False}, ["no chat was answered"]),
        ({}, ["no case with a chat was judged"]),
    ],
)
def test_ready_needs_a_chat_that_was_answered(answered, said):
    waived = judged(ANSWERED, "a", found("the status", "500"), Outcome.WAIVED)
    found_ = verdict(waived, judged("models/x", "a", word=Outcome.PASS), answered=answered)
    assert [r.text for r in found_.reasons] == said
    assert found_.verdict == ("NOT PROVEN" if said else "READY")


def test_where_the_cause_is_waived_nothing_that_hangs_on_it_keeps_from_ready():
    cause = judged(ANSWERED, "a", found("the status", "400"), Outcome.WAIVED)
    hanging = judged("sse/x", "a", word=Outcome.WAIVED, because=cause.case)
    said = verdict(cause, hanging, judged("sse/y", "b", word=Outcome.PASS))
    assert (said.verdict, said.counts["WAIVED"], said.counts["because"]) == ("READY", 1, 1)


def test_a_text_of_any_length_is_compared_in_no_time():
    assert len(plain("a-1" * 1_000_000)) < 1000


def test_an_old_verdict_is_read():
    old = {"verdict": "READY", "reasons": [{"word": "FAIL", "text": "x"}], "counts": {}, "figures": {}}
    assert msgspec.convert(old, EndpointVerdict).advisories == ()
