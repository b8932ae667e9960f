"""A soak as CSV: what is in the rows stands in the sheets, and a spreadsheet calculates nothing of it."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.cli.app import run_command
from seatrial.cli.sheets import files_of
from seatrial.records import SECOND, Clock, Crew, CrewWord, Dropped, Fact, LoadRow, Phase, Record, SoakRun
from seatrial.report.soak import sheets
from seatrial.report.words.plain import Wall
from tests.report.sample import NAME, Trial
from tests.report.soak.nights import WALL0, lines, row


def read(*more, **changed) -> dict[str, list[dict[str, str]]]:
    record = Record([*lines(**changed), *more])
    made = sheets.sheets(SoakRun.of(NAME, record), Wall(record))
    return {name: list(csv.DictReader(io.StringIO(content.decode(), newline=""))) for name, content in made}


def test_a_row_a_request_and_a_row_for_what_was_never_sent():
    requests = read()["requests"]
    assert len(requests) == 303 + 3
    first = requests[0]
    assert (first["id"], first["phase"], first["workload"], first["outcome"]) == ("load1-1", "closed", "chat", "ok")
    assert first["meant_utc"] == "2026-11-24T21:00:00.000Z"
    assert (first["ttft_from_meant_s"], first["tpot_s"], first["gap_longest_s"]) == ("0.2", "0.01", "0.03")
    assert first["cached_tokens"] == first["drafted_tokens"] == ""
    assert [line["outcome"] for line in requests[-3:]] == ["dropped"] * 3
    assert {line["sent_s"] for line in requests[-3:]} == {""}


def test_a_row_a_minute_with_what_the_recorder_saw():
    minutes = read()["minutes"]
    assert [line["minute"] for line in minutes] == ["0", "1", "2", "3", "4", "5"]
    assert [line["phase"] for line in minutes[:3]] == ["closed", "closed", "open"]
    second = minutes[1]
    assert (second["requests_sent"], second["answered"], second["lost"], second["dropped"]) == ("60", "60", "0", "0")
    assert (second["ttft_from_meant_p50_s"], second["ttft_from_meant_p99_s"]) == ("0.2", "10.2")
    assert (second["memory_bytes"], second["open_files"], second["threads"]) == ("1000000000", "20", "8")
    assert (second["gpu_busy_percent"], second["gpu_power_w"], second["log_lines_per_s"]) == ("44", "200", "3")
    third = minutes[2]
    assert (third["dropped"], third["lost"], third["ttft_p99_is_beyond"]) == ("3", "3", "1")


def test_a_canary_that_found_no_place_is_no_request_of_its_minute():
    late = Dropped(t=1, w="load1", n=9_000, endpoint=NAME, intended_at=read_at(150), phase="open", workload="canary")
    assert [line["dropped"] for line in read(late)["minutes"]] == [line["dropped"] for line in read()["minutes"]]


def test_tokens_that_no_server_told_are_no_nought():
    record = [msgspec.structs.replace(line, tokens=None) if isinstance(line, LoadRow) else line for line in lines()]
    made = dict(sheets.sheets(SoakRun.of(NAME, Record(record)), Wall(record)))
    told = {name: list(csv.DictReader(io.StringIO(made[name].decode(), newline=""))) for name in made}
    assert {line["answer_tokens"] for line in told["phases"]} == {""}
    assert {line["answer_tokens"] for line in told["minutes"] if line["requests_sent"] != "0"} == {""}


def test_the_wall_clock_of_a_worker_elsewhere_labels_nothing():
    start, hour = read_at(0), 3600 * SECOND
    joined = Crew(t=start, w="load1", n=9_000, endpoint=NAME, worker="load1w1", what=CrewWord.JOINED, at=start,
                  facts={Fact.WRITES: "elsewhere"})  # fmt: skip
    theirs = [
        Clock(t=start + n * SECOND, w="load1w1", n=n + 1, wall_ns=WALL0 + hour + n * SECOND, boot_ns=0, raw_ns=0)
        for n in range(300)
    ]
    told = [line["meant_utc"] for line in read()["requests"]]
    assert [line["meant_utc"] for line in read(joined, *theirs)["requests"]] == told


def read_at(seconds: int) -> int:
    """A time of the record, so long after the load began."""
    return next(line.at for line in lines() if isinstance(line, Phase)) + seconds * SECOND


def test_a_row_a_phase_and_workload():
    phases = read()["phases"]
    assert [(line["phase"], line["workload"]) for line in phases] == [
        ("closed", ""), ("closed", "agent"), ("closed", "chat"), ("open", ""),
    ]  # fmt: skip
    assert (phases[3]["disowned_requests"], phases[3]["disowned_tokens"], phases[3]["dropped"]) == ("3", "15", "3")


FORMULAS = ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1", " =1", "＝1+1", "|calc", "%0A=1"]


@pytest.mark.parametrize("said", FORMULAS)
def test_no_cell_is_a_formula(said):
    found = read(row(5000, 1, detail=said, finish_reason=said, workload=said, phase="closed"))
    texts = [text for rows in found.values() for line in rows for text in line.values() if text]
    assert any(said.strip() in text for text in texts) or said[0] in "\t\r"
    for text in texts:
        assert not text.lstrip().startswith(("=", "@", "＝", "|", "%")), text
        if text.startswith(("+", "-")):
            float(text)


@given(st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_a_text_stays_one_cell_and_no_formula(said):
    shown = sheets.text(said)
    out = io.StringIO()
    csv.writer(out).writerow([shown, 1])
    (cells,) = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert cells == [shown, "1"]
    assert shown.isprintable()
    assert not shown.lstrip().startswith(("=", "+", "-", "@"))


def test_names_bear_their_units():
    for names in (sheets.REQUESTS, sheets.MINUTES, sheets.PHASES):
        for name in names:
            timed = any(word in name for word in ("ttf", "tpot", "e2e", "gap", "length"))
            assert not timed or "_is_" in name or name.endswith("_s"), name


def recorded(tmp_path):
    trial = Trial(tmp_path / "run")
    trial.watch(30)
    trial.soak(0, 30, 12)
    return trial.write()


def test_the_command_writes_three_sheets_an_endpoint(tmp_path, capsys):
    run = recorded(tmp_path)
    assert run_command(["csv", str(run.path)]) == 0
    written = sorted(path.name for path in (run.path / "csv").iterdir())
    assert written == ["8080-minutes.csv", "8080-phases.csv", "8080-requests.csv"]
    assert "8080-requests.csv (12 rows)" in capsys.readouterr().out
    assert run_command(["csv", str(run.path), "--out", str(tmp_path / "elsewhere" / "deep")]) == 0
    assert len(list((tmp_path / "elsewhere" / "deep").iterdir())) == 3


def test_no_endpoint_writes_over_the_sheets_of_another():
    assert files_of(["a.b", "a_b", "a:b", "8080", "/", "ü"]) == [
        "a_b",
        "a_b.2",
        "a_b.3",
        "8080",
        "endpoint5",
        "endpoint6",
    ]


def test_wrong_usage_is_one_line_and_leaves_nothing(tmp_path, capsys):
    quiet = Trial(tmp_path / "quiet")
    quiet.watch(3)
    run = quiet.write()
    assert run_command(["csv", str(run.path), "--out", str(tmp_path / "out")]) == 4
    assert capsys.readouterr().err == "ERROR: no soak is recorded in this run; pytest suites/soak makes one\n"
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("")
    assert run_command(["csv", str(recorded(tmp_path).path), "--out", str(tmp_path / "file" / "x")]) == 4
    assert capsys.readouterr().err.startswith("ERROR: cannot make ")
