"""What became of each parameter: one word, drawn from cases and answers alone."""

from __future__ import annotations

import json

import msgspec
import pytest

from seatrial.checks.catalogue import load_all
from seatrial.judging.parameters import Fate, counted, listed, told
from seatrial.records import Finding, Judged, Outcome
from tests.checks.specimens import ASKED, exchange, plain, refused

RULES = load_all()
CHAT = (
    "metadata top_logprobs temperature top_p user safety_identifier prompt_cache_key prompt_cache_retention "
    "prompt_cache_options messages model service_tier modalities verbosity reasoning_effort max_completion_tokens "
    "frequency_penalty presence_penalty web_search_options response_format audio store moderation stream stop "
    "logit_bias logprobs max_tokens n prediction seed stream_options tools tool_choice parallel_tool_calls "
    "function_call functions"
)
"""What CreateChatCompletionRequest has in the OpenAPI document."""

VECTORS = "input model encoding_format dimensions user"


def line(rule, xs, *findings, outcome=Outcome.PASS, route="chat", name=""):
    """What one case tells of a parameter."""
    ids = {key: f"{key}-1" for key in xs}
    case = Judged(
        case=f"{rule}[s]@e",
        endpoint="e",
        rule=rule,
        scenario="s",
        suite="conformance",
        outcome=outcome,
        findings=findings,
        exchanges=ids,
    )
    known = {f"{key}-1": x for key, x in xs.items()}
    lines = told([case], known.get, lambda rule: RULES[rule].text)["e"]
    return next(each for each in lines if (each.route, each.name) == (route, name))


def asked(**body):
    return plain(asked=ASKED | body)


def test_every_parameter_of_the_document_is_listed_once_and_every_rule_is_there():
    assert {route: set(names) for route, names in listed().items()} == {
        "chat": set(CHAT.split()),
        "embeddings": set(VECTORS.split()),
    }
    named = {rule for names in listed().values() for known in names.values() for rule in (*known.rules, *known.asked)}
    assert named <= RULES.keys()


N = "params/n-gives-n-choices"
LABELS = "params/labels-are-accepted"


def violation(ignores="", grave=False):
    return Finding("violation", "choices", "2", "1", grave=grave, ignores=ignores)


@pytest.mark.parametrize(
    ("given", "findings", "outcome", "fate", "how"),
    [
        (asked(n=2), (), Outcome.PASS, Fate.HONOURED, "n choices are given"),
        (asked(n=2), (violation(),), Outcome.ADVISORY, Fate.HONOURED, "but choices: expected 2, got 1"),
        (asked(n=2), (violation("n"),), Outcome.FAIL, Fate.IGNORED, "choices: expected 2, got 1"),
        (
            refused(asked=ASKED | {"n": 2}, body={"error": {"message": "n must be 1"}}),
            (),
            Outcome.UNSUPPORTED,
            Fate.REFUSED,
            "400",
        ),
        (
            refused(asked=ASKED | {"n": 2}, body={"error": "one only"}),
            (),
            Outcome.UNSUPPORTED,
            Fate.UNTOLD,
            "not named",
        ),
        (refused(500, asked=ASKED | {"n": 2}), (), Outcome.FAIL, Fate.UNTOLD, "status 500"),
        (
            asked(n=2),
            (Finding("no-evidence", "choices", "some", "none"),),
            Outcome.INCONCLUSIVE,
            Fate.UNTOLD,
            "choices: none",
        ),
        (asked(n=None), (), Outcome.PASS, Fate.UNTOLD, "no request had it"),
    ],
)
def test_a_word(given, findings, outcome, fate, how):
    found = line(N, {"only": given}, *findings, outcome=outcome, name="n")
    assert found.fate is fate
    assert how in found.how
    assert found.weight == ("FAIL" if fate is Fate.IGNORED else "")


def test_what_is_ignored_and_cannot_be_seen_is_an_advisory():
    rule, xs = "params/verbosity-shows", {"low": asked(verbosity="low"), "high": asked(verbosity="high")}
    found = line(rule, xs, violation("verbosity"), outcome=Outcome.ADVISORY, name="verbosity")
    assert (found.fate, found.weight) == (Fate.IGNORED, "ADVISORY")


@pytest.mark.parametrize(
    ("rule", "name", "asked_for"),
    [(N, "n", {"n": 2}), ("sse/usage-comes-last", "stream_options", {"stream_options": {"include_usage": True}})],
)
def test_no_answer_in_time_says_nothing_of_what_was_asked(rule, name, asked_for):
    late = refused(status=None, asked=ASKED | asked_for, error="idle", detail="no byte in 15 s")
    cut = exchange(b"{", asked=ASKED | asked_for, error="deadline", detail="60 s passed")
    for x in (late, cut):
        found = line(rule, {"only": x}, violation(grave=True), outcome=Outcome.FAIL, name=name)
        assert (found.fate, found.weight) == (Fate.UNTOLD, "")
    shown = line(rule, {"only": asked(**asked_for)}, violation(grave=True), outcome=Outcome.FAIL, name=name)
    assert shown.fate is (Fate.HONOURED if name == "n" else Fate.IGNORED)


def test_what_never_happens_is_not_kept_from_happening():
    off, apart = "tools/parallel-calls-can-be-turned-off", "tools/parallel-calls-are-apart"
    assert several((off, (), Outcome.PASS))["parallel_tool_calls"].fate is Fate.UNTOLD
    unseen = several((off, (), Outcome.PASS), (apart, (), Outcome.INCONCLUSIVE))
    assert unseen["parallel_tool_calls"].fate is Fate.UNTOLD
    assert several((off, (), Outcome.PASS), (apart, (), Outcome.PASS))["parallel_tool_calls"].fate is Fate.HONOURED


@pytest.mark.parametrize("name", ["functions", "function_call"])
def test_what_goes_together_is_ignored_together(name):
    xs = {"plain": asked(functions=[{"name": "f"}], function_call={"name": "f"})}
    rule = "tools/functions-of-old-work-or-are-refused"
    assert line(rule, xs, violation("function_call"), outcome=Outcome.ADVISORY, name=name).fate is Fate.IGNORED


def test_a_label_is_inert_or_told_back_or_refused_alone():
    labels = {"metadata": {"a": "b"}, "store": False, "service_tier": "auto"}
    whole = {"labels": asked(**labels)}
    assert [line(LABELS, whole, name=name).fate for name in labels] == [Fate.INERT] * 3
    echo = {"labels": plain({"service_tier": "default"}, asked=ASKED | labels)}
    assert line(LABELS, echo, name="service_tier").fate is Fate.HONOURED
    error = {"error": {"message": "metadata and store are unknown"}}
    apart = {"labels": refused(asked=ASKED | labels, body=error), "labels:store": asked(store=False)}
    apart["labels:metadata"] = refused(asked=ASKED | {"metadata": {}}, body=error)
    assert line(LABELS, apart, name="store").fate is Fate.INERT
    assert line(LABELS, apart, name="metadata").fate is Fate.REFUSED


def test_a_route_has_its_own_words():
    vectors = exchange(json.dumps({"data": []}).encode(), asked={"input": "a", "user": "u"}, path="/embeddings")
    assert line(LABELS, {"labels": vectors}, route="embeddings", name="user").fate is Fate.INERT
    assert line(LABELS, {"labels": vectors}, name="user").fate is Fate.UNTOLD


def test_a_capability_that_was_declined_is_refused_where_it_was_named():
    first = refused(asked=ASKED | {"tools": [], "tool_choice": "auto"})
    declined = Finding("refusal", "tools", "an answer", "400 tools need --jinja", optional=True, capability="tools")
    rule = "tools/required-calls"
    xs = {"before": first, "only": asked(tools=[1], tool_choice="required")}
    assert line(rule, xs, declined, outcome=Outcome.UNSUPPORTED, name="tools").fate is Fate.REFUSED
    silent = Finding("refusal", "tools", "an answer", "200, and nothing of it", optional=True, capability="tools")
    assert line(rule, xs, silent, outcome=Outcome.UNSUPPORTED, name="tools").fate is Fate.UNTOLD


def test_tools_that_never_reach_the_prompt_are_ignored():
    rule, xs = "tools/many-tools-are-accepted", {"many": asked(tools=[1])}
    dropped = msgspec.structs.replace(violation(grave=True), ignores="tools")
    assert line(rule, xs, dropped, outcome=Outcome.FAIL, name="tools").fate is Fate.IGNORED
    assert line(rule, xs, name="tools").fate is Fate.HONOURED


def test_a_refusal_of_some_words_tells_nothing_of_the_rest():
    rule = "params/each-effort-is-taken-or-refused"
    error = {"error": {"message": "reasoning_effort: no such word"}}
    no = refused(asked=ASKED | {"reasoning_effort": "max"}, body=error)
    cases = {"params/effort-none-thinks-less": {}, rule: {"low": asked(reasoning_effort="low"), "max": no}}
    made = [
        Judged(case=f"{r}[s]@e", endpoint="e", rule=r, scenario="s", suite="c", outcome=Outcome.PASS, exchanges=ids)
        for r, ids in ((r, {n: f"{r}-{n}" for n in xs}) for r, xs in cases.items())
    ]
    known = {f"{r}-{n}": x for r, xs in cases.items() for n, x in xs.items()}
    words = {each.name: each.fate for each in told(made, known.get, str)["e"]}
    assert words == {"reasoning_effort": Fate.UNTOLD}
    known[f"{rule}-low"] = no
    assert {each.fate for each in told(made, known.get, str)["e"]} == {Fate.REFUSED}


def several(*made):
    """The words of several cases: (rule, findings, outcome) with the same request in each."""
    cases = [
        Judged(case=f"{rule}[{n}]@e", endpoint="e", rule=rule, scenario=str(n), suite="c", outcome=outcome,
               findings=found, exchanges={"only": "x"})
        for n, (rule, found, outcome) in enumerate(made)
    ]  # fmt: skip
    x = asked(stop="e", temperature=0, parallel_tool_calls=False)
    return {each.name: each for each in told(cases, lambda _: x, str)["e"]}


def test_what_is_honoured_here_and_ignored_there_is_honoured_in_part():
    rule = "params/stop-string-ends-the-answer"
    lines = several((rule, (violation("stop"),), Outcome.FAIL), (rule, (), Outcome.PASS))
    assert (lines["stop"].fate, lines["stop"].weight) == (Fate.HONOURED, "FAIL")
    assert lines["stop"].how == "in part; not here: choices: expected 2, got 1"
    assert counted([lines["stop"]]).startswith("1 honoured (in part: stop), 0 refused")


def test_a_temperature_that_is_never_greedy_is_ignored_though_answers_vary():
    zero, high = "params/temperature-zero-repeats-itself", "params/high-temperature-varies"
    lines = several((high, (), Outcome.PASS), (zero, (violation("temperature"),), Outcome.ADVISORY))
    assert (lines["temperature"].fate, lines["temperature"].weight) == (Fate.IGNORED, "ADVISORY")


def test_counts_name_what_is_ignored():
    one = line(N, {"only": asked(n=2)}, violation("n"), outcome=Outcome.FAIL, name="n")
    assert counted([one]) == "0 honoured, 0 refused, 1 ignored (n), 0 inert, 0 not told apart"
