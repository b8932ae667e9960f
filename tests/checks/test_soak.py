"""The rules of a soak on rows made by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from seatrial.checks import catalogue
from seatrial.checks.areas.soak import answers, counters, figures, parts, table
from seatrial.checks.rules import Rule
from seatrial.checks.running import run as run_rule
from seatrial.records import OUR_ERROR, Counters, Expect, Finding, Level, LoadRow, Outcome, Phase, SoakRun
from seatrial.report.soak import sheets
from seatrial.report.words.plain import Wall
from seatrial.verdict.outcomes import outcome

MS = 1_000_000


def row(number: int, word: str = "ok", **changed: Any) -> LoadRow:
    """The n-th request, 100 ms long, its first token after 20 ms, 9 tokens 10 ms apart."""
    sent = number * 1000 * MS
    fields: dict[str, Any] = {
        "id": f"load1-{number}",
        "endpoint": "8080",
        "outcome": word,
        "intended_at": sent,
        "sent_at": sent,
        "ended_at": sent + 100 * MS,
        "first_at": sent + 20 * MS,
        "last_at": sent + 100 * MS,
        "gap_from": sent + 20 * MS,
        "gap_to": sent + 30 * MS,
        "prompt_tokens": 5,
        "tokens": 9,
        "deltas": 9,
        "status": 200,
    }
    if word != "ok":
        fields |= {"tokens": None, "prompt_tokens": None}
    return LoadRow(**{**fields, **changed})


def load(*rows: LoadRow, server: dict[str, int | None] | None = None, unfinished: tuple[str, ...] = ()) -> SoakRun:
    told = {
        "requests": len(rows),
        "prompt_tokens": sum(r.prompt_tokens or 0 for r in rows),
        "tokens": sum(r.tokens or 0 for r in rows),
        **(server or {}),
    }
    before: dict[str, Any] = {name: None if value is None else 1000 for name, value in told.items()}
    after: dict[str, Any] = {name: None if value is None else 1000 + value for name, value in told.items()}
    return SoakRun(
        rows=rows,
        counters=(
            Counters(endpoint="8080", phase="before", source="/metrics", **before),
            Counters(endpoint="8080", phase="after", source="/metrics", **after),
        ),
        phases=(
            Phase(endpoint="8080", what="start", at=0),
            Phase(endpoint="8080", what="drain", at=60_000 * MS),
            Phase(endpoint="8080", what="end", at=61_000 * MS, facts={"inspected": "3 of 3"}),
        ),
        unfinished=unfinished,
    )


def judged(rule: Rule, run: SoakRun, **settings: Any) -> tuple[Outcome, tuple[Finding, ...]]:
    found, crashed = run_rule(rule, run, Expect(settings=settings))
    assert not crashed, crashed
    return outcome(rule.level, found, optional=rule.optional), found


RULES = (
    answers.streams_terminate,
    answers.requests_are_answered,
    counters.requests_agree_with_the_server,
    counters.tokens_agree_with_the_server,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_sound_soak_passes(rule: Rule) -> None:
    assert judged(rule, load(*(row(n) for n in range(20)))) == (Outcome.PASS, ())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_row_at_all_is_no_pass(rule: Rule) -> None:
    empty = SoakRun(rows=(), counters=(), phases=(), unfinished=("load1-1",))
    assert judged(rule, empty)[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("word", sorted(parts.BEGUN))
def test_a_stream_that_began_and_does_not_end_fails_once(word: str) -> None:
    run = load(row(1), row(2, word), row(3, word))
    word_of, found = judged(answers.streams_terminate, run)
    assert word_of is Outcome.FAIL
    assert [f.where for f in found] == ["2 of 3 streams"]
    assert word in found[0].got
    assert "load1-2, load1-3" in found[0].got
    assert judged(answers.requests_are_answered, run)[0] is Outcome.PASS


PACED = {"cap": 64, "first_at": 2000 * MS + 20 * MS, "last_at": 2000 * MS + 59_900 * MS, "ended_at": 62_000 * MS}
"""A stream of which 9 tokens of 64 had come, the last just before its deadline."""


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Outcome.INCONCLUSIVE),
        ({"cap": 9}, Outcome.FAIL),  # it brings more than it may
        ({"cap": 0}, Outcome.FAIL),
        ({"last_at": 2000 * MS + 45_000 * MS}, Outcome.INCONCLUSIVE),  # another's prompt may be read
        ({"last_at": 2000 * MS + 20_000 * MS}, Outcome.FAIL),  # it stalled
        ({"last_at": 2000 * MS + 20_000 * MS, "gap_from": 3_000 * MS, "gap_to": 44_000 * MS}, Outcome.INCONCLUSIVE),
        ({"outcome": "stall"}, Outcome.FAIL),
    ],
)
def test_a_stream_that_still_flowed_at_our_deadline_is_slow_and_may_end(
    changed: dict[str, Any], expected: Outcome
) -> None:
    run = load(row(1), row(2, "deadline", **{**PACED, **changed}))
    word, found = judged(answers.streams_terminate, run)
    assert word is expected
    assert any("longer --request-timeout" in f.got for f in found) is (expected is Outcome.INCONCLUSIVE)
    assert judged(answers.requests_are_answered, run)[0] is Outcome.PASS


def test_an_answer_that_an_error_of_ours_broke_off_is_not_held_against_the_server() -> None:
    ours = row(2, OUR_ERROR, cap=64, deltas=3, detail="KeyError in fields.py, line 7")
    for requests, tokens in ((1, 9), (2, 9), (2, 12), (2, 9 + 64)):
        run = load(row(1), ours, server={"requests": requests, "tokens": tokens})
        assert judged(counters.requests_agree_with_the_server, run)[0] is Outcome.PASS
        assert judged(counters.tokens_agree_with_the_server, run)[0] is Outcome.PASS
    for rule in (answers.streams_terminate, answers.requests_are_answered, counters.tokens_agree_with_the_server):
        assert judged(rule, load(ours))[0] is Outcome.INCONCLUSIVE
    assert "1 not read for an error of ours" in judged(answers.streams_terminate, load(ours))[1][0].got
    assert table.table(load(row(1), ours))[0].left == 1


def test_where_all_streams_still_flowed_at_our_deadline_that_is_the_reason() -> None:
    run = load(row(2, "deadline", **PACED))
    assert [f.got.partition(":")[0] for f in judged(answers.streams_terminate, run)[1]] == [
        "1 still brought tokens after 60 s"
    ]
    assert "1 still answered at our deadline" in judged(answers.requests_are_answered, run)[1][0].got
    told = figures.figures(run, Expect())
    assert (told["lost"], told["still answered at our deadline"]) == ("0", "1")


@pytest.mark.parametrize(
    ("word", "status"),
    [("refused", 0), ("reset", 0), ("stall", 0), ("http_5xx", 500), ("http_4xx", 400), ("empty", 200),
     ("sse_error", 200), ("malformed", 200), ("not_a_stream", 200), ("unreachable", 0)],
)  # fmt: skip
def test_a_request_without_an_answer_fails_once(word: str, status: int) -> None:
    run = load(row(1), row(2, word, status=status, detail="because"))
    word_of, found = judged(answers.requests_are_answered, run)
    assert word_of is Outcome.FAIL
    assert found[0].got == f"{word}: load1-2, since 00:00 h of the soak: because"
    assert judged(answers.streams_terminate, run)[0] is Outcome.PASS


@pytest.mark.parametrize(
    ("rule", "word"), [(answers.streams_terminate, "truncated"), (answers.requests_are_answered, "empty")]
)
def test_what_goes_wrong_in_single_answers_says_since_when(rule: Rule, word: str) -> None:
    found, _ = run_rule(
        rule, load(*(row(number, word if number in (3700, 3800) else "ok") for number in range(3600, 3900))), Expect()
    )
    assert [finding.got.count(", since 01:01 h of the soak") for finding in found] == [1]


def test_rows_that_overlap_a_stop_are_set_apart() -> None:
    rows = (row(1), row(2, "reset"), row(3, "refused", status=0), row(4))
    stopped = [[rows[1].sent_at + 50 * MS, rows[2].ended_at + 5 * MS]]
    for rule in (answers.streams_terminate, answers.requests_are_answered):
        assert judged(rule, load(*rows))[0] is Outcome.FAIL
        assert judged(rule, load(*rows), stopped=stopped)[0] is Outcome.PASS
    told = figures.figures(load(*rows), Expect(settings={"stopped": stopped}))
    assert (told["lost"], told["lost in stops"], told["requests"]) == ("0", "2", "4")


def test_a_server_that_stopped_at_once_leaves_nothing_to_judge() -> None:
    run = load(row(1, "refused", status=0), row(2, "refused", status=0))
    for rule in RULES:
        assert judged(rule, run, stopped=[[0, 2**62]])[0] is Outcome.INCONCLUSIVE


def test_busy_is_no_evidence_and_hides_no_violation() -> None:
    busy = row(1, "busy", status=503)
    assert judged(answers.requests_are_answered, load(busy, row(2)))[0] is Outcome.INCONCLUSIVE
    assert judged(answers.requests_are_answered, load(busy, row(2, "empty")))[0] is Outcome.FAIL
    assert judged(answers.streams_terminate, load(busy))[0] is Outcome.INCONCLUSIVE


def test_what_we_cut_is_not_held_against_the_server() -> None:
    run = load(row(1), row(2, "cancelled"))
    assert judged(answers.streams_terminate, run)[0] is Outcome.PASS
    assert judged(answers.requests_are_answered, run)[0] is Outcome.PASS
    assert figures.figures(run, Expect())["cut by us"] == "1"


def test_figures_tell_what_was_measured_and_on_how_much() -> None:
    shown = figures.figures(load(*(row(n, findings=("sse/role-is-sent-once",)) for n in range(400))), Expect())
    assert shown["ran"] == "60 s"
    assert shown["TTFT"] == "p50 0.020 p99 0.020 s"
    assert shown["soak: TTFT p50"] == "0.020 s (95 %: 0.020 to 0.020, n 400)"
    assert shown["soak: TPOT p50"].startswith("0.010 s")
    assert shown["tok/s a stream"] == "100"
    assert shown["soak: longest gap"] == "0.010 s (load1-0)"
    assert shown["soak: rules broken"] == "400 sse/role-is-sent-once"
    assert shown["soak: inspected"] == "3 of 3"
    assert "cut by us" not in shown


def test_figures_of_nothing_show_no_zeros_for_times() -> None:
    shown = figures.figures(load(row(1, "refused", status=0, first_at=0, last_at=0)), Expect())
    assert not {"TTFT", "soak: TTFT p99", "soak: TPOT p50", "tok/s a stream"} & set(shown)
    assert shown["lost"] == "1 (1 refused)"


def asked(run: SoakRun, seconds: str) -> SoakRun:
    """A load of 60 s that was to last as long as this."""
    start = msgspec.structs.replace(run.phases[0], facts={"seconds": seconds})
    return msgspec.structs.replace(run, phases=(start, *run.phases[1:]))


def test_a_soak_ended_early_says_of_how_much() -> None:
    assert figures.figures(asked(load(row(1)), "600"), Expect())["ran"] == "60 s of 600 s"


ENDURANCE = (answers.streams_terminate, answers.requests_are_answered)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [("60", Outcome.PASS), ("63", Outcome.PASS), ("64", Outcome.INCONCLUSIVE), ("28800", Outcome.INCONCLUSIVE),
     ("1e+06", Outcome.INCONCLUSIVE), ("", Outcome.PASS), ("nan", Outcome.PASS), ("inf", Outcome.PASS),
     ("soon", Outcome.PASS)],
)  # fmt: skip
@pytest.mark.parametrize("rule", ENDURANCE, ids=lambda rule: rule.id)
def test_a_soak_cut_short_shows_no_endurance(rule: Rule, seconds: str, expected: Outcome) -> None:
    assert judged(rule, asked(load(row(1)), seconds))[0] is expected


def test_a_long_soak_may_end_a_twentieth_early() -> None:
    run = asked(load(row(1)), "1000")
    drain = msgspec.structs.replace(run.phases[1], at=951_000 * MS)
    run = msgspec.structs.replace(run, phases=(run.phases[0], drain))
    assert judged(answers.streams_terminate, run)[0] is Outcome.PASS


def test_a_soak_cut_short_says_so_and_hides_no_violation() -> None:
    _, found = judged(answers.streams_terminate, asked(load(row(1)), "28800"))
    assert [(f.where, f.got) for f in found] == [("the load", "ran 60 s of 28800 s")]
    assert judged(answers.streams_terminate, asked(load(row(1, "stall")), "28800"))[0] is Outcome.FAIL
    assert judged(answers.requests_are_answered, asked(load(row(1, "empty")), "28800"))[0] is Outcome.FAIL


def test_a_soak_without_an_end_is_cut_short() -> None:
    run = asked(load(row(1)), "60")
    run = msgspec.structs.replace(run, phases=run.phases[:1])
    for rule in ENDURANCE:
        word, found = judged(rule, run)
        assert word is Outcome.INCONCLUSIVE
        assert found[0].got == "ran for an unknown part of 60 s"


def test_streams_name_one_model() -> None:
    def named(*names: str) -> LoadRow:
        return row(len(names), named=names)

    def words(*rows: LoadRow, first: str = "") -> tuple[Outcome, list[str]]:
        found, _ = run_rule(answers.streams_name_one_model, load(*rows), Expect(model="m", named=first))
        return outcome(Level.MUST, found), [f"{f.where}: {f.got}" for f in found]

    assert words(named("m"), named("m"), first="m") == (Outcome.PASS, [])
    assert words(named("alias"), named("alias")) == (Outcome.PASS, [])
    other = words(named("m"), named("m", "n"), row(3, "stall", named=("n",)), row(4), first="m")
    assert other == (Outcome.FAIL, ["model in 1 of 2 answers: n: load1-2"])
    swapped = words(*[row(n, named=("m",)) for n in (1, 2, 3)], first="n")
    assert swapped == (Outcome.FAIL, ["model in 3 of 3 answers: m: load1-1, load1-2, load1-3"])
    assert words(row(1, named=("m", "n")), row(2, named=("m", "n")))[0] is Outcome.FAIL
    assert words(row(1), row(2)) == (Outcome.INCONCLUSIVE, ["model: none in 2 answers"])
    assert words(row(1, "stall"))[0] is Outcome.INCONCLUSIVE


def test_vectors_are_no_streams_that_keep_a_name_to_themselves() -> None:
    vectors = [row(n, phase="closed", cap=0, tokens=0) for n in (1, 2)]
    chats = [row(n, phase="closed", cap=16, named=("m",)) for n in (3, 4)]
    rule = answers.streams_name_one_model
    assert judged(rule, load(*vectors))[0] is Outcome.UNSUPPORTED
    assert judged(rule, load(*vectors, *chats))[0] is Outcome.PASS
    assert judged(rule, load(*vectors, row(5, "stall", phase="closed", cap=16)))[0] is Outcome.INCONCLUSIVE
    assert judged(rule, load(*vectors, row(5, phase="closed", cap=16)))[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("field", ["tokens", "prompt_tokens", "cached", "drafted", "accepted"])
@pytest.mark.parametrize("value", [10**400, -(10**400), 10**299], ids=["above", "below", "within"])
def test_a_count_beyond_all_reckoning_keeps_no_rule_from_its_verdict(field: str, value: int) -> None:
    told = {"cached": 3, "drafted": 4, "accepted": 2, field: value}
    run = load(*(row(n, **told) for n in range(20)), row(20, "truncated"), server={"tokens": 180, "prompt_tokens": 100})
    assert judged(answers.streams_terminate, run)[0] is Outcome.FAIL
    for rule in catalogue.load_all(catalogue.AREAS).values():
        if rule.shape == "soak":
            judged(rule, run)
            assert rule.figures is None or isinstance(rule.figures(run, Expect()), dict)
    assert [name for name, _ in sheets.sheets(run, Wall([]))] == ["requests", "minutes", "phases"]
