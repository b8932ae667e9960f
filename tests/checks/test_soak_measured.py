"""What a soak measured, on rows made by hand: what was never sent or never answered counts above all else."""

from __future__ import annotations

from typing import Any

import msgspec

from seatrial.checks.areas.soak import answers, figures, lasting, table
from seatrial.checks.running import run as run_rule
from seatrial.reading.soak.rows import Slo, slo
from seatrial.records import Counters, Crew, CrewWord, Dropped, Expect, Gpu, LoadRow, Phase, SoakRun
from tests.checks.test_soak import MS, judged, load, row

S = 1000 * MS


def phased(
    *rows: LoadRow, sort: str = "open", dropped: int = 0, facts: dict[str, str] | None = None, **more: Any
) -> SoakRun:
    """Rows of one phase of 50 s, which begins after 10 s of closed users."""
    phases = (
        Phase(endpoint="8080", what="start", at=0, facts=facts or {}),
        Phase(endpoint="8080", what="phase", at=0, name="closed", sort="closed", facts={"users": "4"}),
        Phase(endpoint="8080", what="measured", at=9 * S, name="closed", sort="closed", facts={"rps": "2"}),
        Phase(endpoint="8080", what="phase", at=10 * S, name=sort, sort=sort, facts={"rps": "1.3"}),
        Phase(endpoint="8080", what="drain", at=60 * S),
        Phase(endpoint="8080", what="end", at=61 * S),
    )
    lost = tuple(Dropped(endpoint="8080", intended_at=n, phase=sort, workload="chat") for n in range(dropped))
    return msgspec.structs.replace(load(*rows), phases=phases, dropped=lost, **more)


def of(number: int, word: str = "ok", **changed: Any) -> LoadRow:
    return row(number, word, **{"phase": "open", "workload": "chat", "cap": 48, **changed})


def shown(run: SoakRun) -> dict[str, str]:
    return figures.figures(run, Expect())


def test_each_phase_has_a_line_and_each_workload_in_it() -> None:
    rows = [
        *(of(n) for n in range(10, 40)),
        *(of(n, workload="agent", first_at=n * S + 50 * MS) for n in range(40, 50)),
    ]
    told = shown(phased(*rows, row(3, phase="closed", workload="chat", cap=48)))
    assert told["soak: open"].startswith("50 s at 1.3/s, 40 requests, TTFT p50 0.020 s p99 0.050 s (n 40)")
    assert told["soak: open, agent"].startswith("TTFT p50 0.050 s p99 0.050 s (n 10)")
    assert told["soak: open, chat"].startswith("TTFT p50 0.020 s p99 0.020 s (n 30)")
    assert "TPOT p50 0.010 s p99 0.010 s" in told["soak: open, chat"]
    assert "E2E p50 0.100 s" in told["soak: open, chat"]
    assert told["soak: closed"].startswith("10 s, 1 requests, TTFT p50 0.020 s")
    assert "soak: closed, chat" not in told
    assert told["soak: closed answered"] == "2 requests a second"


def test_a_wait_begins_when_a_request_was_meant_to_be_sent() -> None:
    told = shown(phased(*(of(n, intended_at=n * S - 5 * S) for n in range(20, 40))))
    assert told["TTFT"] == "p50 5.020 p99 5.020 s"
    assert "from sending p99 0.020 s" in told["soak: open"]


def test_with_more_than_one_in_a_hundred_dropped_p99_lies_beyond() -> None:
    rows = [of(n, first_at=n * S + n * MS) for n in range(101, 200)]
    assert shown(phased(*rows))["TTFT"] == "p50 0.150 p99 0.199 s"
    assert shown(phased(*rows, dropped=1))["TTFT"] == "p50 0.150 p99 0.199 s"
    told = shown(phased(*rows, dropped=2))
    assert told["TTFT"] == "p50 0.151 p99 beyond 0.199 s"
    assert told["soak: TTFT p99"].startswith("beyond 0.199 s (95 %: 0.19")
    assert told["soak: TTFT p99"].endswith("to no bound, n 101)")
    assert told["dropped"] == "2"
    assert "2 dropped" in told["soak: open"]


def test_unfinished_and_unanswered_requests_count_above_all_that_were() -> None:
    rows = [of(n) for n in range(10, 50)]
    run = phased(*rows, of(51, "deadline", first_at=0, last_at=0), unfinished=("load1-99",), unfinished_at=(52 * S,))
    told = shown(run)
    assert told["TTFT"] == "p50 0.020 p99 beyond 0.020 s"
    assert "1 deadline" in told["soak: open"]
    assert "1 unfinished" in told["soak: open"]
    left = phased(*rows, of(51, "left", first_at=0), of(52, "declined", workload="invalid", first_at=0, status=400))
    assert shown(left)["TTFT"] == "p50 0.020 p99 0.020 s"
    assert shown(left)["soak: to be refused"] == "1 declined"


def test_canaries_and_phases_of_their_own_are_no_part_of_the_whole() -> None:
    slow = {"first_at": 55 * S, "canary": True, "workload": "canary"}
    assert shown(phased(of(11), of(12, **slow)))["TTFT"] == "p50 0.020 p99 0.020 s"
    warm = phased(of(11, phase="warm-up", first_at=20 * S), row(3, phase="closed", cap=48), sort="warm-up")
    assert shown(warm)["TTFT"] == "p50 0.020 p99 0.020 s"


def test_goodput_is_what_was_answered_within_the_limits() -> None:
    slow = [of(n, first_at=n * S + 60 * MS) for n in range(30, 40)]
    run = phased(*(of(n) for n in range(10, 30)), *slow, of(41, "stall"), facts={"slo": "ttft=50ms,tpot=20ms"})
    assert "goodput 0.40/s (20 within the limits)" in shown(run)["soak: open"]
    assert "goodput" not in shown(phased(of(11), facts={"slo": "soon"}))["soak: open"]  # of a record that was damaged
    assert slo("tpot=80ms") == Slo(None, 0.08)
    assert Slo(ttft_s=0.02, tpot_s=0.01).holds(of(11))
    assert not Slo(tpot_s=0.009).holds(of(11))


def test_seconds_in_flight_without_a_token_are_counted_once() -> None:
    """Two streams are in flight for twelve seconds; neither has a token for the eight in the middle."""
    one = of(20, first_at=21 * S, gap_from=22 * S, gap_to=30 * S, last_at=32 * S, ended_at=32 * S)
    two = of(20, id="b", first_at=21 * S, gap_from=21 * S + 1, gap_to=31 * S, last_at=32 * S, ended_at=32 * S)
    told = shown(phased(one, two))["soak: open"]
    assert "in flight without a token 9 s (longest 8.0 s)" in told  # and one second before the first
    assert "without a token" not in shown(phased(*(of(n) for n in range(10, 50))))["soak: open"]


def test_what_was_made_for_nobody_is_told_beside_the_server_s_count() -> None:
    broken = of(20, "sse_error", deltas=7)
    run = phased(of(11), broken, of(21, "left", deltas=4))
    counters = (
        Counters(endpoint="8080", phase="before", tokens=100, source="/metrics"),
        Counters(endpoint="8080", phase="after", tokens=150, source="/metrics"),
    )
    told = shown(msgspec.structs.replace(run, counters=counters))
    assert told["disowned"] == "1 (7 tokens)"
    assert told["soak: disowned tokens"] == (
        "7 tokens of 1 answers (1 sse_error); by the server's count 37 of 50 tokens (74.0 %)"
    )
    assert "soak: disowned tokens" not in shown(phased(of(11)))


def test_a_server_is_not_held_against_tokens_that_nobody_knows() -> None:
    """Its count is that of answers of use, of which it told none; of rows that are not here; or of somebody else."""
    rows = [of(n) for n in range(11, 21)]
    counted = {"tokens": 190, "requests": 10, "prompt_tokens": 50}
    sound = phased(*rows)
    told = [Counters(endpoint="8080", phase="before", source="/metrics", tokens=0, requests=0, prompt_tokens=0),
            Counters(endpoint="8080", phase="after", source="/metrics", **counted)]  # fmt: skip
    assert "100 of 190" in shown(msgspec.structs.replace(sound, counters=tuple(told)))["soak: disowned tokens"]
    silent = phased(*rows[1:], of(11, tokens=None))
    gap = Crew(endpoint="8080", worker="load1w1", what=CrewWord.GAP, at=S, first=7)
    below = phased(*rows, of(30, tokens=-200))
    still = [told[0], msgspec.structs.replace(told[0], phase="after")]
    assert "soak: disowned tokens" not in shown(msgspec.structs.replace(below, counters=tuple(still)))
    others = msgspec.structs.replace(told[1], requests=13, prompt_tokens=70)
    for run, counters in (
        (silent, told),
        (msgspec.structs.replace(sound, crew=(gap,)), told),
        (sound, [told[0], others]),
    ):
        assert "soak: disowned tokens" not in shown(msgspec.structs.replace(run, counters=tuple(counters)))


def test_cached_tokens_drafts_and_energy_where_they_are_told() -> None:
    power = tuple(Gpu(t=n * S, index=0, uuid="g", power_mw=200_000) for n in range(0, 62, 2))
    told = shown(
        phased(of(11, prompt_tokens=20, cached=15, drafted=10, accepted=6), of(12, prompt_tokens=5), gpus=power)
    )
    assert told["soak: cached"] == "75 % of 20 prompt tokens, as 1 answers tell"
    assert told["soak: drafts taken"] == "0.60 of 10 tokens, as 1 answers tell"
    assert told["soak: energy"] == "666.67 J a token, 3.3 Wh of the GPU in all"
    assert not {"soak: cached", "soak: drafts taken", "soak: energy"} & set(shown(phased(of(11))))


def test_of_a_load_that_was_begun_again_by_hand_the_last_time_counts() -> None:
    power = tuple(Gpu(t=n * S, index=0, uuid="g", power_mw=200_000) for n in range(0, 162, 2))
    once = phased(of(11), gpus=power)
    again = tuple(msgspec.structs.replace(line, at=line.at + 100 * S) for line in once.phases)
    both = msgspec.structs.replace(once, rows=(*once.rows, of(111)), phases=(*once.phases, *again))
    assert lasting.bounds(both) == (100 * S, 160 * S)
    assert shown(both)["soak: energy"] == shown(once)["soak: energy"] != ""


def test_who_is_turned_away_at_a_rate_that_is_too_high_was_answered() -> None:
    busy = of(12, "busy", status=429, first_at=0, detail="slow down; Retry-After 5")
    assert judged(answers.requests_are_answered, phased(of(11), busy))[0] == "INCONCLUSIVE"
    swept = phased(of(11, phase="sweep"), msgspec.structs.replace(busy, phase="sweep"), sort="sweep")
    assert judged(answers.requests_are_answered, swept)[0] == "PASS"
    assert shown(swept)["turned away"] == "1"
    assert "1 busy" in shown(swept)["soak: sweep"]


def test_what_had_to_be_refused_is_judged_by_the_look_after_it() -> None:
    refused = of(12, "http_5xx", workload="invalid", status=500, cap=0)
    assert judged(answers.requests_are_answered, phased(of(11), refused))[0] == "PASS"
    look = of(13, "refused", workload="look", status=0, first_at=0)
    assert judged(answers.requests_are_answered, phased(of(11), refused, look))[0] == "FAIL"


def test_a_load_whose_phases_were_over_early_was_not_cut_short() -> None:
    run = phased(of(11), facts={"seconds": "600"})
    assert judged(answers.streams_terminate, run)[0] == "INCONCLUSIVE"
    drains = [
        msgspec.structs.replace(line, facts={"how": "its phases are over"}) if line.what == "drain" else line
        for line in run.phases
    ]
    over = msgspec.structs.replace(run, phases=tuple(drains))
    assert run_rule(answers.streams_terminate, over, Expect()) == ((), "")


def test_what_is_sent_beside_the_traffic_has_lines_of_its_own() -> None:
    beside = of(12, canary=True, workload="canary", first_at=22 * S)
    run = phased(*(of(n) for n in range(20, 40)), beside)
    lost = (Dropped(endpoint="8080", intended_at=1, phase="open", workload="invalid"),)
    told = shown(msgspec.structs.replace(run, dropped=lost))
    assert told["soak: open"].startswith("50 s at 1.3/s, 20 requests, TTFT p50 0.020 s p99 0.020 s (n 20)")
    assert told["soak: open, canary"].startswith("TTFT p50 10.000 s")
    alone = phased(of(12, canary=True, workload="canary", phase="baseline"), sort="baseline")
    assert "1 requests, TTFT p50 0.020 s" in shown(alone)["soak: baseline"]


def test_a_look_after_a_request_to_be_refused_is_no_traffic() -> None:
    rows = [*(of(n) for n in range(10, 60)), of(70, workload="look", intended_at=1, sent_at=1)]
    assert shown(phased(*rows))["TTFT"] == shown(phased(*rows[:-1]))["TTFT"]


def test_the_first_byte_and_the_first_word_that_is_no_thought_stand_apart() -> None:
    thinks = [of(n, byte_at=n * S + 5 * MS, content_at=n * S + 60 * MS) for n in range(10, 20)]
    told = shown(phased(*thinks))["soak: open"]
    assert "TTFB p50 0.005 s p99 0.005 s" in told
    assert "TTFO p50 0.060 s p99 0.060 s" in told
    (line,) = (line for line in table.table(phased(*thinks)) if line.phase == "open")
    assert line.ttfo_p50 is not None
    assert line.ttfo_p50.value == 0.06
    speaks = [of(n, content_at=n * S + 20 * MS) for n in range(10, 20)]
    assert "TTFO" not in shown(phased(*speaks))["soak: open"], "nobody thought"
    assert "TTFB" not in shown(phased(*speaks))["soak: open"], "an older record does not tell"


def test_a_pace_by_chunks_is_told_as_an_estimate_and_only_where_no_tokens_are() -> None:
    dumb = [of(n, tokens=None, deltas=9) for n in range(10, 20)]
    told = shown(phased(*dumb))["soak: open"]
    assert "TPOT by chunks (estimated) p50 0.010 s" in told
    assert "TPOT p50" not in told
    (line,) = (line for line in table.table(phased(*dumb)) if line.phase == "open")
    assert (line.estimated, line.tpot_p50 and line.tpot_p50.value) == (True, 0.01)
    assert "estimated" not in shown(phased(of(11)))["soak: open"]


def test_the_table_tells_by_phase_and_workload_what_the_lines_do() -> None:
    rows = [
        *(of(n, intended_at=n * S - 2 * S, cached=3, prompt_tokens=12, drafted=8, accepted=6) for n in range(12, 30)),
        *(of(n, "sse_error", workload="agent", tokens=None, deltas=4) for n in range(30, 33)),
        of(33, "busy", status=503, first_at=0, last_at=0, tokens=None, deltas=0),
        of(34, "left", tokens=None, deltas=2),
    ]
    run = phased(*rows, dropped=2, facts={"slo": "ttft=2.5s"}, unfinished=("x",), unfinished_at=(20 * S,))
    lines = {(line.phase, line.workload): line for line in table.table(run)}
    whole, chats, agents = lines["open", ""], lines["open", "chat"], lines["open", "agent"]
    assert (whole.requests, whole.lost, whole.busy, whole.left, whole.dropped, whole.unfinished) == (23, 3, 1, 1, 2, 1)
    assert (whole.disowned, whole.wasted, agents.disowned, chats.disowned) == (3, 12, 3, 0)
    assert (chats.cached, chats.prompted, chats.accepted, chats.drafted) == (54, 216, 108, 144)
    assert chats.ttft_p50 is not None
    assert chats.sent_p99 is not None
    assert (chats.ttft_p50.value, chats.sent_p99.value, chats.sent_p99.beyond) == (2.02, 0.02, True)
    assert whole.goodput == 18 / 50
    assert lines["closed", ""].requests == 0
