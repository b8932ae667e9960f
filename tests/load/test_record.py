"""What a load keeps, reads and sends: rows and bytes, counters, settings, prompts."""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec
import pytest

from load import counters, inspection
from load.counters import Totals, quiet, totals
from load.engine.lives import followed
from load.record import KEPT_PER_OUTCOME, RowWriter, row_of
from seatrial.checks.areas.soak import parts
from seatrial.checks.areas.soak.figures import figures
from seatrial.kinds import prometheus
from seatrial.records import (
    LEFT,
    Endpoint,
    Expect,
    LoadRow,
    Phase,
    Received,
    Record,
    RunInfo,
    Sent,
    SoakRun,
    Stage,
)
from seatrial.run.directory import RunDir
from seatrial.run.writer import Writer
from seatrial.wire.decoding.errors import ERRORS
from seatrial.wire.masking.mask import Unseen
from seatrial.wire.transports.load import ShortAnswer, Stream
from seatrial.wire.transports.outcomes import OF_ERRORS, OUTCOMES


def a_run(path: Path) -> RunDir:
    return RunDir.create(
        path / "run",
        RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0),
    )


def fill(run: RunDir, words: list[str], *, unfinished: int = 0) -> None:
    writer = run.load_writer("load1")
    recorder = RowWriter(writer, "8080", seed=1)
    for word in words:
        name = recorder.begin()
        s = Stream(
            sent_at=1, ended_at=2, sent=Unseen(b"ask"), came=Unseen(b"answer " + name.encode()), frames=((2, 7),)
        )
        recorder.end(row_of(name, "8080", word, s, intended_at=1), s)
    for _ in range(unfinished):
        recorder.begin()
    writer.close()


def test_a_line_before_and_a_row_after_each_request(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    fill(run, ["ok", "stall"], unfinished=1)
    read = SoakRun.of("8080", run.in_time())
    sent = [line for line in run.lines("writers/*/exchanges.jsonl") if isinstance(line, Sent)]
    assert [row.outcome for row in read.rows] == ["ok", "stall"]
    assert len(sent) == 3
    assert all(line.load for line in sent)
    assert read.unfinished == (f"load1-{sent[2].n}",)
    assert SoakRun.of("other", run.in_time()).rows == ()


def test_failures_keep_their_bytes_and_sound_streams_a_thinning_sample(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    fill(run, ["ok"] * 1000 + ["truncated"] * (KEPT_PER_OUTCOME + 50) + ["refused", "cancelled", "busy"])
    lines = list(run.in_time())
    words = {line.id: line.outcome for line in lines if isinstance(line, LoadRow)}
    kept = [line for line in lines if isinstance(line, Received)]
    assert sum(words[line.id] == "truncated" for line in kept) == KEPT_PER_OUTCOME
    assert 120 < sum(words[line.id] == "ok" for line in kept) < 300
    assert {words[line.id] for line in kept} == {"truncated", "ok"}
    assert all(run.bytes_of(line.w, line.response) == b"answer " + line.id.encode() for line in kept)


def test_past_the_budget_rows_go_on_and_the_end_says_how_many_answers_were_not_kept(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    writer = Writer(tmp_path / "run" / "writers" / "load1-1", "load1", budget=50, begin=run.begin)
    recorder = RowWriter(writer, "8080", seed=1)
    for _ in range(5):
        name = recorder.begin()
        s = Stream(sent_at=1, ended_at=2, sent=Unseen(b"ask"), came=Unseen(b"x" * 20), frames=((2, 20),))
        recorder.end(row_of(name, "8080", "stall", s, intended_at=1), s)
    lines = list(run.in_time())
    assert sum(isinstance(line, LoadRow) for line in lines) == 5
    assert [line.dropped for line in lines if isinstance(line, Received)] == [False, False, True, True, True]
    assert recorder.unkept == 3
    end = Phase(endpoint="8080", what=Stage.END, at=3, facts={"unkept": str(recorder.unkept)})
    read = msgspec.structs.replace(SoakRun.of("8080", Record(lines)), phases=(end,))
    assert figures(read, Expect())["bytes not kept"] == "of 3 answers, past the budget"


def test_every_word_is_of_the_closed_set() -> None:
    assert set(OF_ERRORS) | {"cut", LEFT} == ERRORS  # of a load nobody leaves before the end
    assert set(OF_ERRORS.values()) <= OUTCOMES
    assert set(parts.BEGUN) | parts.NOT_JUDGED | parts.UNHEARD <= OUTCOMES


METRICS = b"""# HELP llamacpp:tokens_predicted_total Number of generation tokens processed.
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total 1234
llamacpp:prompt_tokens_total 77
llamacpp:predicted_tokens_seconds 12.5
llamacpp:requests_processing 1
labelled{a="b c"} 2
labelled{a="d"} 3
broken
nan NaN
"""


def test_llama_cpp_counts_tokens_and_no_requests() -> None:
    assert totals(ShortAnswer(200, METRICS), "/metrics") == Totals(
        "llama.cpp's /metrics", tokens=1234, prompt_read=77, busy=1
    )
    assert prometheus.wholes(METRICS)["labelled"] == 5


def test_a_server_that_counts_its_chats_counts_whole_prompts() -> None:
    found = totals(ShortAnswer(200, METRICS + b"llamacpp:chats_total 9\n"), "/metrics")
    assert found == Totals("/metrics", tokens=1234, prompt_tokens=77, requests=9, busy=1)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (ShortAnswer(501, b""), "/metrics answers 501"),
        (ShortAnswer(0, b"", "refused: no"), "refused: no"),
        (ShortAnswer(200, b"\xff\xfe other 1\n"), "/metrics counts no tokens under a known name"),
    ],
)
def test_no_counters_say_why(answer: ShortAnswer, why: str) -> None:
    assert totals(answer, "/metrics") == Totals(why)


def test_a_counter_is_read_until_it_is_quiet() -> None:
    readings = iter([Totals("s", 1, busy=1), Totals("s", 5, busy=1), Totals("s", 5, busy=0), Totals("s", 5, busy=0)])
    assert quiet(lambda: next(readings), lambda _: None) == Totals("s", 5, busy=0)


def test_a_counter_that_never_rests_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "LONGEST_S", 0.05)
    moving = itertools.count()
    assert "still moving" in quiet(lambda: Totals("s", next(moving)), lambda _: None).source


def test_an_inspection_without_rules_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint(name="8080", url="http://h/v1", kind="generic", model="m", models=("m",))
    assert inspection.Inspector(endpoint).rules
    monkeypatch.setattr(inspection.catalogue, "areas", dict)
    with pytest.raises(inspection.NoRulesError, match="no rule reads a soak's streams"):
        inspection.Inspector(endpoint)


@pytest.mark.parametrize(("cost_s", "low", "high"), [(0.05, 400, 400), (0.5, 80, 280), (5.0, 10, 60)])
def test_of_streams_that_take_too_long_to_read_a_seeded_sample_is(cost_s: float, low: int, high: int) -> None:
    """One stream a second; reading each takes this long."""
    endpoint = Endpoint(name="8080", url="http://h/v1", kind="generic", model="m", models=("m",))
    found = []
    for _ in range(2):
        wall, reads = [0.0], itertools.count()
        reader = inspection.Inspector(endpoint, seed=3, clock=lambda w=wall, r=reads: (next(r) * cost_s, w[0]))
        reader.rules = []
        for n in range(400):
            wall[0] += 1
            reader.findings(f"load1-{n}", Stream(sent_at=1, ended_at=2, came=Unseen(b"HTTP/1.1 200 OK\r\n\r\n")))
        found.append((reader.read, reader.told()))
    assert found[0] == found[1]
    assert low <= found[0][0] <= high
    assert found[0][1].endswith(", a seeded sample") == (low < 400)


def test_a_row_says_which_life_of_the_server_answered_it(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    page = Endpoint(name="8080", url="http://127.0.0.1:1/v1", kind="generic", model="m", models=("m",))
    run.write_endpoint(page)
    recorder = RowWriter(run.load_writer("load1"), "8080", 1, followed(run, page))

    def ask(name: str, word: str = "ok", status: int = 200) -> None:
        s = Stream(sent_at=1, ended_at=2, status=status, sent=Unseen(b"ask"), came=Unseen(b"answer"), frames=((2, 6),))
        recorder.end(row_of(name, "8080", word, s, intended_at=1), s)

    ask(recorder.begin())
    cut, unheard, waited = recorder.begin(), recorder.begin(), recorder.begin()
    run.write_endpoint(msgspec.structs.replace(page, generation=1))  # it ended, and was started again
    ask(cut, "truncated")
    ask(unheard, "refused", 0)
    ask(waited)
    ask(recorder.begin())
    lines = list(run.in_time())
    assert [line.generation for line in lines if isinstance(line, LoadRow)] == [0, 0, 0, 1, 1]
    assert [line.generation for line in lines if isinstance(line, Sent)] == [0, 0, 0, 0, 1]
    assert {line.id: line.generation for line in lines if isinstance(line, Received)}[waited] == 1
