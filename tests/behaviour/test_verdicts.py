"""The rules on built exchanges: each word, what is no evidence, what is printed, and whatever a server may send."""

import json
import re
import shlex
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.behaviour import tally
from seatrial.behaviour.answers import read
from seatrial.behaviour.probe import probes
from seatrial.behaviour.probes.talk import loops, markers, stops
from seatrial.behaviour.transcript import curl, shown
from seatrial.checks import running
from seatrial.reading.markers import ALL as MARKERS
from seatrial.records import Expect, Level, Outcome
from seatrial.verdict.outcomes import outcome
from tests.behaviour.specimens import EXPECT, drifting, exchange, looping, names, refused, said, streamed, to

ALL = probes()
PROBES = {
    "loops": loops.answers_do_not_loop,
    "stops": stops.answers_end_by_themselves,
    "markers": markers.no_template_marker_leaks,
}
BAD = {
    "loops": lambda i: said(looping(Random(f"{i}"), 9), "length", id=f"main-{i}"),
    "stops": lambda i: said(f"It is {i}, and then some more", "length", id=f"main-{i}"),
    "markers": lambda i: said(f"It is {i}.<|im_end|>", id=f"main-{i}"),
}


def mixed(name: str, k: int, n: int, gone: int = 0):
    """So many answers to a probe's items: first the bad ones, last those that nobody gave."""
    made = [BAD[name](i) if i < k else said(f"It is {i}.", id=f"main-{i}") for i in range(n)]
    made += [refused(id=f"main-{n + i}") for i in range(gone)]
    return {each: to(each, x) for each, x in zip(names(PROBES[name], n + gone), made, strict=True)}


def word(name: str, xs, expect=EXPECT):
    rule = PROBES[name].rule
    findings, crashed = running.run(rule, xs, expect)
    assert not crashed
    return outcome(rule.level, findings), findings


@pytest.mark.parametrize(
    ("name", "k", "n", "expected"),
    [("loops", 0, 31, "INCONCLUSIVE"), ("loops", 0, 32, "PASS"), ("loops", 1, 60, "PASS"), ("loops", 4, 80, "FAIL"),
     ("stops", 0, 20, "INCONCLUSIVE"), ("stops", 0, 21, "PASS"), ("stops", 1, 60, "PASS"), ("stops", 4, 40, "FAIL"),
     ("markers", 0, 35, "INCONCLUSIVE"), ("markers", 0, 36, "PASS"), ("markers", 1, 90, "FAIL")],
)  # fmt: skip
def test_the_test_decides(name, k, n, expected):
    assert word(name, mixed(name, k, n))[0] == expected


def test_what_is_wrong_with_loops_alone_is_the_finding_of_loops():
    short = list(names(PROBES["stops"], 40))
    turning = {name: to(name, BAD["loops"](i)) for i, name in enumerate(short)}
    found, findings = word("stops", turning)
    assert found is Outcome.FAIL
    assert {each.causes for each in findings} == {("loops/answers-do-not-loop",)}
    other = turning | {short[0]: to(short[0], BAD["stops"](0))}
    assert {each.causes for each in word("stops", other)[1]} == {()}
    assert {each.causes for each in word("loops", mixed("loops", 9, 40))[1]} == {()}


@pytest.mark.parametrize("rule", [name for name, probe in ALL.items() if probe.causes is stops.unsaid])
def test_what_is_empty_or_ran_into_its_cap_is_the_finding_of_stops(rule):
    """A cap of 32 tokens ends a loop before it shows: a code word that is not told then is not one that was lost."""
    asked = list(names(ALL[rule], 40))
    for bad in (said(" "), said("and so we go on to the next one,", "length")):
        findings, _ = running.run(ALL[rule].rule, {name: to(name, bad) for name in asked}, EXPECT)
        assert {each.causes for each in findings} == {("stops/answers-end-by-themselves",)}
    findings, _ = running.run(ALL[rule].rule, {name: to(name, said("It is so.")) for name in asked}, EXPECT)
    assert {each.causes for each in findings} <= {()}, "an answer that ended and says something is judged by itself"


@pytest.mark.parametrize(
    ("said_of_it", "expected"),
    [("tools param requires --jinja flag", Outcome.UNSUPPORTED), ("AssertionError in tools", Outcome.INCONCLUSIVE),
     ("out of memory", Outcome.INCONCLUSIVE)],
)  # fmt: skip
def test_a_5xx_that_names_what_is_lacking_declines_it(said_of_it, expected):
    """llama.cpp started without --jinja answers a request with tools so: no budget would show how it calls them."""
    calling = ALL["calling/calls-are-those-that-the-question-needs"]
    lacks = exchange(status=500, json={"error": {"message": said_of_it}})
    findings, _ = running.run(calling.rule, {name: to(name, lacks) for name in names(calling, 12)}, EXPECT)
    assert outcome(calling.rule.level, findings) is expected


@pytest.mark.parametrize("rule", [name for name, probe in ALL.items() if not probe.broken])
def test_a_page_in_place_of_an_answer_is_no_word_of_the_model(rule):
    """A proxy's log-in with a 200: stops says so, and nobody has lost the beginning or forgotten the talk."""
    page = exchange(raw=b"HTTP/1.1 200 OK", headers=(("content-type", "text/html"),), json=None)
    xs = {name: to(name, page) for name in names(ALL[rule], 40)}
    assert outcome(ALL[rule].rule.level, running.run(ALL[rule].rule, xs, EXPECT)[0]) is Outcome.INCONCLUSIVE
    short = {name: to(name, page) for name in names(PROBES["stops"], 40)}
    assert word("stops", short)[0] is Outcome.FAIL


def test_what_comes_after_the_end_of_a_test_counts_no_more():
    xs = mixed("stops", 0, 60)
    late = {name: to(name, BAD["stops"](9)) for name in list(xs)[40:]}
    assert word("stops", xs | late)[0] is Outcome.PASS
    items = PROBES["stops"].rule.items(xs | late, EXPECT)
    assert [each.counted for each in items] == [True] * 21 + [False] * 39
    assert [each.item for each in items] == list(xs)


def test_one_marker_late_in_the_day_is_one_too_many():
    xs = mixed("markers", 0, 80)
    last = list(xs)[-1]
    assert word("markers", xs | {last: to(last, BAD["markers"](1))})[0] is Outcome.FAIL


@pytest.mark.parametrize("name", PROBES)
def test_answers_nobody_gave_are_counted_and_void_nothing(name):
    xs = mixed(name, 0, 80, gone=1)
    assert word(name, xs)[0] is Outcome.PASS
    assert any(
        "1 without evidence: nobody answered (refused)" in x for x in PROBES[name].rule.figures(xs, EXPECT).values()
    )
    xs = {each: to(each, refused()) for each in xs}
    assert word(name, xs)[0] is Outcome.INCONCLUSIVE
    assert next(iter(PROBES[name].rule.figures(xs, EXPECT).values())).startswith("not known")


@pytest.mark.parametrize(
    "silent", [{"status": 429}, {"status": 503}, {"dropped": True}, {"error": "unreachable", "status": None}]
)
@pytest.mark.parametrize("name", PROBES)
def test_busy_gone_and_unstored_are_no_failures(name, silent):
    xs = mixed(name, 0, 90)
    xs |= {each: to(each, exchange(**silent)) for each in list(xs)[:10]}
    assert word(name, xs)[0] is Outcome.PASS


def test_what_another_version_asked_is_no_evidence():
    xs = {name: said("Yes.") for name in names(PROBES["stops"], 40)}
    assert word("stops", xs)[0] is Outcome.INCONCLUSIVE
    assert {each.why for each in PROBES["stops"].rule.items(xs, EXPECT)} == {tally.OTHER}


def test_a_failure_names_its_shortest_answer_with_the_line_that_asks_again():
    xs = mixed("markers", 12, 40)
    _, findings = word("markers", xs)
    assert findings[0].got == "12 of 40 (95 %, descriptive: 18.1 to 45.4 %), such as: leaks <|im_end|>"
    assert "talk-000 (main-0)" in findings[1].where
    assert findings[1].got == "leaks <|im_end|>: It is 0.<|im_end|> [stop]"
    lines = PROBES["markers"].rule.figures(xs, EXPECT)
    assert lines["marker leaks"] == "12 of 40 (95 %, descriptive: 18.1 to 45.4 %)"
    assert lines["marker leaks: test"].startswith(
        "broken after 40 of at most 60 answers (good up to 0 %, bad from 8 %)"
    )
    assert lines["marker leaks: again"].startswith("curl -N http://127.0.0.1:8080/v1/chat/completions -H ")


def test_an_open_test_says_what_would_end_it():
    (finding,) = word("loops", mixed("loops", 1, 24))[1]
    assert finding.kind == "no-evidence"
    assert finding.got.startswith("1 of 24 (95 %, descriptive: ")
    assert re.match(r"\d+ more good answers to accept a rate of 1 %, about \d+ s more", finding.expected)
    assert "raise --budget" in finding.expected


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (said("Yes.", "length"), "ended by length"),
        (said("Yes.", None), "no finish_reason"),
        (said(" \n", "stop"), "empty"),
        (said("", "stop", reasoning="Hm."), "empty"),
        (exchange(status=400, json={"error": {"message": "no seed"}}), "status 400: no seed"),
        (exchange(status=500, body=b"<html>\x1b[31m"), "status 500: <html>\\x1b[31m"),
        (said("Yes", None, error="cut"), "broken off (cut)"),
        (said("Yes", None, error="deadline"), "no answer within 2 s"),
        (exchange(json={"error": {"message": "out of slots"}}), "an error in a 200: out of slots"),
    ],
)
def test_what_is_wrong_with_an_end(made, why):
    assert stops.wrong(read(made)) == why
    xs = {name: to(name, made) for name in names(PROBES["stops"], 30)}
    assert word("stops", xs)[0] is Outcome.FAIL


def test_essays_thought_and_answers_cut_by_this_side_do_not_count_as_bad_ends():
    xs = mixed("stops", 0, 60)
    late, thought, essay = list(xs)[:4], list(xs)[4:14], "talk-003"
    xs |= {name: to(name, said("It", None, error="deadline")) for name in late}
    xs |= {name: to(name, said("", "length", reasoning="Let me see.")) for name in thought}
    xs |= {essay: to(essay, said("Once upon", "length"))}
    expect = Expect(settings={"seed": 0, "cut": late})
    assert word("stops", xs, expect)[0] is Outcome.PASS
    assert word("stops", xs)[0] is Outcome.FAIL
    said_so = PROBES["stops"].rule.figures(xs, expect)["stop hygiene: no evidence"]
    assert "10 without evidence: thinking ate the budget" in said_so
    assert "4 without evidence: in flight when the time was up" in said_so


@pytest.mark.parametrize(
    "made",
    [
        said("It", None, error="cut"),
        said("It", None, error="reset"),
        said("It", None, error="idle"),
        said("It", None, error="not-http"),
        exchange(status=500, error="deadline"),
        streamed({"error": {"message": "out of memory"}}, error="deadline"),
    ],
    ids=["cut", "reset", "fell-silent", "framing", "status-500-then-cut-by-us", "error-event-then-cut-by-us"],
)
def test_what_the_server_broke_is_its_own_though_the_time_was_nearly_up(made):
    """A record of any age that lists such answers as cut by us is judged by what ended them."""
    xs = mixed("stops", 0, 40)
    bad = {name: to(name, made) for name in list(xs)[:20]}
    assert word("stops", xs | bad, Expect(settings={"seed": 0, "cut": list(bad)}))[0] is Outcome.FAIL


def test_suspects_are_reported_and_not_counted():
    xs = mixed("loops", 0, 80)
    xs["talk-003"] = to("talk-003", said(drifting(Random("s"), 12), "stop"))
    assert word("loops", xs)[0] is Outcome.PASS
    assert PROBES["loops"].rule.figures(xs, EXPECT)["loops: suspect, not counted"].startswith("1: talk-003 (R2")


@pytest.mark.parametrize("marker", [*MARKERS, "</think>", "</s>"])
def test_each_marker_is_seen(marker):
    assert markers.leaks(read(said(f"Certainly. {marker}Next"))) == (marker,)


@pytest.mark.parametrize(
    "text",
    [
        "<think>Hm.</think>Yes.",
        "It was <s>struck</s> out.",
        "a < b | c > d",
        "[1] and [INSTRUMENT]",
        "",
        "if x <eo",
        "<p>",
    ],
)
def test_text_without_a_leak_has_none(text):
    assert markers.leaks(read(said(text))) == ()


def test_the_curl_line_hides_the_key_quotes_the_body_and_holds_no_escape():
    x = exchange(
        request_headers=(("Host", "h"), ("Authorization", "Bearer ********")),
        request_json={"messages": [{"content": "It's \x1b[31m"}]},
    )
    line = curl(x, EXPECT)
    assert '-H "Authorization: Bearer $OPENAI_API_KEY"' in line
    assert "********" not in line
    assert line.isprintable()
    words = shlex.split(line)
    assert json.loads(words[-1]) == x.request_json
    assert words[2] == "http://127.0.0.1:8080/v1/chat/completions"
    assert curl(x, Expect()).split()[2] == "http://h/v1/chat/completions"
    assert "@body-of-main-1.json" in curl(exchange(request_body=b"x" * 9000), EXPECT)


def test_a_transcript_shows_terminal_escapes_and_keeps_both_ends():
    answer = read(said("start\x1b]0;owned\x07\u202e" + "x" * 500 + "end"))
    assert shown(answer).isprintable()
    assert shown(answer).startswith("start\\x1b]0;owned\\x07\\u202e")
    assert "characters left out" in shown(answer, 90)
    assert shown(answer, 90).endswith("end [stop]")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("stop"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "message",
                    "content",
                    "tool_calls",
                    "function",
                    "name",
                    "arguments",
                    "index",
                    "error",
                    "finish_reason",
                    "reasoning",
                    "reasoning_content",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=60)
@given(st.lists(JSON, max_size=4), st.sampled_from([None, 200, 400, 503]), st.booleans())
def test_no_json_makes_a_rule_crash(values, status, stream):
    x = streamed(*values, status=status) if stream else exchange(json=values, status=status)
    for each in ALL.values():
        xs = {name: to(name, x) for name in names(each, len(each.families))}
        findings, crashed = running.run(each.rule, xs, EXPECT)
        assert not crashed
        assert all(f.got.isprintable() for f in findings)
        each.rule.figures(xs, EXPECT)


def test_ids_levels_and_rows_are_the_catalogues():
    assert {p.rule.id: (p.rule.row, p.rule.level) for p in PROBES.values()} == {
        "loops/answers-do-not-loop": ("B1", Level.MUST),
        "stops/answers-end-by-themselves": ("B2", Level.MUST),
        "markers/no-template-marker-leaks": ("B12", Level.MUST),
    }
