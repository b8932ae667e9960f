"""The rules on built exchanges: each word, what is no evidence, what is printed, and whatever a server may send."""

import json
import shlex
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.behaviour import endings, loops, markers
from seatrial.behaviour.answers import read
from seatrial.behaviour.transcript import curl, shown
from seatrial.checks import running
from seatrial.reading.markers import ALL
from seatrial.records import Expect, Level, Outcome
from seatrial.verdict.outcomes import outcome
from tests.behaviour.specimens import EXPECT, drifting, exchange, looping, refused, said, streamed

RULES = {
    "loops": loops.answers_do_not_loop,
    "stops": endings.answers_end_by_themselves,
    "markers": markers.no_template_marker_leaks,
}
BAD = {
    "loops": lambda i: said(looping(Random(f"{i}"), 9), "length", id=f"main-{i}"),
    "stops": lambda i: said(f"It is {i}, and then some more", "length", id=f"main-{i}"),
    "markers": lambda i: said(f"It is {i}.<|im_end|>", id=f"main-{i}"),
}


def mixed(bad, k: int, n: int, gone: int = 0):
    made = [bad(i) if i < k else said(f"It is {i}.", id=f"main-{i}") for i in range(n)]
    return {f"short-{i:03d}": x for i, x in enumerate([*made, *(refused(id=f"main-{n + i}") for i in range(gone))])}


def word(rule, xs, expect=EXPECT):
    findings, crashed = running.run(rule, xs, expect)
    assert not crashed
    return outcome(rule.level, findings), findings


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(
    ("k", "n", "expected"),
    [(0, 40, "PASS"), (1, 40, "PASS"), (2, 40, "FAIL"), (8, 40, "FAIL"), (0, 22, "PASS"), (0, 21, "INCONCLUSIVE"),
     (1, 29, "INCONCLUSIVE"), (21, 21, "FAIL")],
)  # fmt: skip
def test_the_interval_decides(name, k, n, expected):
    assert word(RULES[name], mixed(BAD[name], k, n))[0] == expected


@pytest.mark.parametrize("name", RULES)
def test_answers_nobody_gave_are_counted_and_void_nothing(name):
    xs = mixed(BAD[name], 1, 39, gone=1)
    assert word(RULES[name], xs)[0] is Outcome.PASS
    lines = RULES[name].figures(xs, EXPECT)
    assert "1 of 39" in next(iter(lines.values()))
    assert any("1 without evidence: nobody answered (refused)" in text for text in lines.values())
    xs = {k: refused() for k in xs}
    assert word(RULES[name], xs)[0] is Outcome.INCONCLUSIVE
    assert next(iter(RULES[name].figures(xs, EXPECT).values())).startswith("not known")


@pytest.mark.parametrize(
    "silent", [{"status": 429}, {"status": 503}, {"dropped": True}, {"error": "unreachable", "status": None}]
)
@pytest.mark.parametrize("name", RULES)
def test_busy_gone_and_unstored_are_no_failures(name, silent):
    xs = mixed(BAD[name], 0, 30) | {f"short-{i}": exchange(**silent) for i in range(100, 110)}
    assert word(RULES[name], xs)[0] is Outcome.PASS


def test_a_failure_names_its_shortest_answer_with_the_line_that_asks_again():
    xs = mixed(BAD["markers"], 12, 40)
    _, findings = word(RULES["markers"], xs)
    assert findings[0].got == "12 of 40 (95 %: 18.1 to 45.4 %)"
    assert "short-000 (main-0)" in findings[1].where
    assert findings[1].got == "leaks <|im_end|>: It is 0.<|im_end|> [stop]"
    lines = RULES["markers"].figures(xs, EXPECT)
    assert lines["marker leaks"] == "12 of 40 (95 %: 18.1 to 45.4 %)"
    assert lines["marker leaks: smallest effect"].startswith(
        "2 of 40 would have failed; a server that does it in 7.3 %"
    )
    assert lines["marker leaks: again"].startswith("curl -N http://127.0.0.1:8080/v1/chat/completions -H ")


def test_an_open_interval_says_what_would_settle_it():
    (finding,) = word(RULES["loops"], mixed(BAD["loops"], 1, 29))[1]
    assert finding.kind == "no-evidence"
    assert finding.got == "1 of 29 (95 %: 0.6 to 17.2 %)"
    assert "34 answers give a PASS if no further one is bad; raise --budget" in finding.expected


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
    assert endings.wrong(read(made)) == why
    xs = {f"short-{i:03d}": made for i in range(30)}
    assert word(RULES["stops"], xs)[0] is Outcome.FAIL


def test_essays_thought_and_answers_cut_by_this_side_do_not_count_as_bad_ends():
    good = mixed(BAD["stops"], 0, 30)
    essays = {f"essay-{i}": said("Once upon", "length") for i in range(10)}
    thought = {f"turns-{i}": said("", "length", reasoning="Let me see.") for i in range(10)}
    late = {f"short-9{i}": said("It", None, error="deadline") for i in range(4)}
    expect = Expect(settings={"cut": list(late)})
    xs = good | essays | thought | late
    assert word(RULES["stops"], xs, expect)[0] is Outcome.PASS
    assert word(RULES["stops"], xs)[0] is Outcome.FAIL
    said_so = RULES["stops"].figures(xs, expect)["stop hygiene: no evidence"]
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
    bad = {f"short-9{i:02}": made for i in range(20)}
    xs = mixed(BAD["stops"], 0, 30) | bad
    assert word(RULES["stops"], xs, Expect(settings={"cut": list(bad)}))[0] is Outcome.FAIL


def test_suspects_are_reported_and_not_counted():
    xs = mixed(BAD["loops"], 0, 40) | {"essay-900": said(drifting(Random("s"), 12), "stop")}
    assert word(RULES["loops"], xs)[0] is Outcome.PASS
    assert RULES["loops"].figures(xs, EXPECT)["loops: suspect, not counted"].startswith("1: essay-900 (R2")


@pytest.mark.parametrize("marker", [*ALL, "</think>", "</s>"])
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


@settings(max_examples=300)
@given(st.lists(JSON, max_size=4), st.sampled_from([None, 200, 400, 503]), st.booleans())
def test_no_json_makes_a_rule_crash(values, status, stream):
    x = streamed(*values, status=status) if stream else exchange(json=values, status=status)
    for rule in RULES.values():
        findings, crashed = running.run(rule, {"short-000": x, "essay-001": x}, EXPECT)
        assert not crashed
        assert all(f.got.isprintable() for f in findings)
        rule.figures({"short-000": x}, EXPECT)


def test_ids_levels_and_rows_are_the_catalogues():
    assert {r.id: (r.row, r.level) for r in RULES.values()} == {
        "loops/answers-do-not-loop": ("B1", Level.MUST),
        "stops/answers-end-by-themselves": ("B2", Level.MUST),
        "markers/no-template-marker-leaks": ("B12", Level.MUST),
    }
