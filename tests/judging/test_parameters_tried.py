"""Each word on a parameter, held against servers of which it would be wrong: faults of the golden server."""

from __future__ import annotations

import datetime

import pytest

from seatrial.judging.case import Evidenced, Terms, judge_case
from seatrial.judging.parameters import Fate, Told, listed, told
from seatrial.judging.waivers import Waivers
from seatrial.records import Depth, Exchange, Judged, Outcome, Planned
from tests.silence.tables import SENT
from tests.silence.trial import RULES, Piece, ask

NONE = Waivers((), datetime.date(2026, 1, 1))


def tried(route: str, name: str, *faults: str) -> Told:
    """The word on a parameter of a golden server with these faults, from cases as a run of the suites has them."""
    known = listed()[route][name]
    ids = [each for each in (*known.rules, *known.asked, known.beside) if each]
    pieces = ask([RULES[each] for each in ids], faults, deepest=Depth.SMALL)
    first = cases(ids, pieces, Terms(NONE, strict=False))
    causes = {cause.partition("[")[0] for case in first for finding in case.findings for cause in finding.causes}
    every = [*ids, *sorted(causes.intersection(RULES) - {*ids})]
    asked = frozenset(case.case for case in cases(every, pieces, Terms(NONE, strict=False)))
    judged = cases(every, pieces, Terms(NONE, strict=False, asked=asked))
    failed = {case.case: case for case in judged if case.outcome in {Outcome.FAIL, Outcome.ADVISORY}}
    judged = cases(every, pieces, Terms(NONE, strict=False, asked=asked, failed=failed))
    exchanges = {x.id: x for piece in pieces for x in evidence(piece).values()}
    lines = told(judged, exchanges.get, lambda rule: RULES[rule].text)["golden"]
    return next(line for line in lines if (line.route, line.name) == (route, name))


def cases(ids: list[str], pieces: list[Piece], terms: Terms) -> list[Judged]:
    return [judged(rule, piece, terms) for rule in ids for piece in pieces if RULES[rule].applies(SENT[piece.scenario])]


def judged(rule: str, piece: Piece, terms: Terms) -> Judged:
    case = f"{rule}[{piece.scenario}]@golden"
    plan = Planned(case=case, endpoint="golden", rule=rule, scenario=piece.scenario, suite="conformance")
    xs = evidence(piece)
    on = Evidenced(xs, {key: x.id for key, x in xs.items()}, piece.expect)
    return judge_case(plan, RULES[rule], on, terms, endpoint=None)


def evidence(piece: Piece) -> dict[str, Exchange]:
    assert isinstance(piece.evidence, dict)
    return piece.evidence


CHAT, VECTORS = "chat", "embeddings"
HONOURED, REFUSED, IGNORED, INERT, UNTOLD = Fate.HONOURED, Fate.REFUSED, Fate.IGNORED, Fate.INERT, Fate.UNTOLD

TRIED = [
    # what an honest server makes of it; a fault that would make that word wrong; the word that is right then, its
    # weight, and how it is told
    (CHAT, "n", HONOURED, "n-ignored", IGNORED, "FAIL", "choices: expected 2"),
    (CHAT, "n", HONOURED, "n-one-too-many", HONOURED, "", "but choices: expected"),
    (CHAT, "max_tokens", HONOURED, "max-tokens-ignored", IGNORED, "FAIL", "at most"),
    (CHAT, "max_tokens", HONOURED, "cap-overrun", HONOURED, "", "but short: usage.completion_tokens"),
    (CHAT, "stop", HONOURED, "stop-ignored", IGNORED, "FAIL", "expected to end before"),
    (CHAT, "temperature", HONOURED, "temperature-zero-is-taken-for-none", IGNORED, "ADVISORY", "expected one answer"),
    (CHAT, "reasoning_effort", HONOURED, "effort-ignored", IGNORED, "ADVISORY", "thought"),
    (CHAT, "parallel_tool_calls", HONOURED, "parallel-not-heeded", IGNORED, "FAIL", "expected one, got 2"),
    (CHAT, "parallel_tool_calls", HONOURED, "calls-share-an-id", UNTOLD, "", "not seen without it"),
    (CHAT, "stream_options", HONOURED, "stream-usage-missing", IGNORED, "FAIL", "usage"),
    (CHAT, "stream_options", HONOURED, "usage-never", IGNORED, "FAIL", "usage"),
    (CHAT, "response_format", HONOURED, "json-object-ignored", HONOURED, "FAIL", "in part; not here"),
    (CHAT, "response_format", HONOURED, "content-missing", HONOURED, "", "object"),
    (CHAT, "audio", HONOURED, "audio-ignored", IGNORED, "ADVISORY", "message.audio"),
    (CHAT, "audio", HONOURED, "answer-without-message", UNTOLD, "", "message"),
    (CHAT, "web_search_options", HONOURED, "answer-without-message", UNTOLD, "", "message"),
    (CHAT, "functions", REFUSED, "error-without-body", UNTOLD, "", "not named"),
    (CHAT, "functions", REFUSED, "client-fault-500", UNTOLD, "", "500"),
    (CHAT, "functions", REFUSED, "functions-ignored", IGNORED, "ADVISORY", ""),
    (CHAT, "functions", REFUSED, "functions-of-old", HONOURED, "", ""),
    (CHAT, "metadata", INERT, "a-label-is-refused", REFUSED, "", "400"),
    (CHAT, "metadata", INERT, "chat-reset", UNTOLD, "", "no whole answer"),
    (CHAT, "user", INERT, "labels-are-refused-together", INERT, "", "nothing to see"),
    (CHAT, "service_tier", INERT, "more-fields-everywhere", HONOURED, "", "the answer has service_tier"),
    (CHAT, "prediction", INERT, "prediction-500", UNTOLD, "", "500"),
    (VECTORS, "encoding_format", HONOURED, "base64-ignored", IGNORED, "FAIL", "base64, which was asked for"),
    (VECTORS, "encoding_format", HONOURED, "base64-of-doubles", HONOURED, "", "base64"),
    (VECTORS, "encoding_format", HONOURED, "vectors-of-chance", HONOURED, "", "base64"),
    (VECTORS, "dimensions", HONOURED, "dimensions-ignored", IGNORED, "FAIL", "expected 32 numbers"),
    (VECTORS, "input", HONOURED, "vectors-of-zeros", UNTOLD, "", "zero"),
]  # fmt: skip


@pytest.mark.parametrize(("route", "name", "honest", "fault", "fate", "weight", "how"), TRIED)
def test_a_word_that_a_fault_would_make_wrong_is_not_said(route, name, honest, fate, fault, weight, how):
    assert tried(route, name).fate is honest
    found = tried(route, name, fault)
    assert (found.fate, found.weight) == (fate, weight), found.how
    assert how in found.how


def test_each_word_is_on_trial_and_is_the_right_one_of_some_fault():
    assert {honest for _, _, honest, *_ in TRIED} == set(Fate) - {IGNORED, UNTOLD}  # an honest server ignores nothing
    assert {fate for *_, fate, _, _ in TRIED} == set(Fate)
