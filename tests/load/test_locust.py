"""Locust as a real process against the golden server: what its rows count is what the server did."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from seatrial.checks.areas.soak import answers, counters, lasting, validity
from seatrial.checks.running import run as run_rule
from seatrial.records import Expect, SoakRun
from tests.golden.server import Golden
from tests.load.children import PATIENCE_S, ROOT, locust, rows, soak_of
from tests.waiting import until

FAULTS = {
    "no-terminator": "no_terminator",
    "cut": "truncated",
    "reset": "reset",
    "stall": "stall",
    "error-in-200": "sse_error",
    "empty": "empty",
    "server-error": "http_5xx",
}


def clean(run: SoakRun, *, cut_short: bool = False) -> None:
    """Nothing was cut, and the server counted what the users received; a load cut short proves no endurance."""
    assert {row.outcome for row in run.rows} == {"ok"}
    assert not run.unfinished
    assert [phase.what for phase in run.phases] == ["start", "phase", "drain", "end"]
    assert [c.phase for c in run.counters] == ["before", "after"]
    for rule in (
        answers.streams_terminate,
        answers.requests_are_answered,
        counters.requests_agree_with_the_server,
        counters.tokens_agree_with_the_server,
    ):
        told, crashed = run_rule(rule, run, Expect())
        assert crashed == ""
        findings = [each for each in told if each.expected != validity.KEPT]  # this machine may be busy
        enduring = rule in {answers.streams_terminate, answers.requests_are_answered}
        assert [finding.kind for finding in findings] == ["no-evidence"] * (cut_short and enduring)


def test_alone_its_rows_count_what_the_server_did(tmp_path: Path) -> None:
    with Golden(["no_terminator:0.2"], token_ms=1) as golden:
        with locust(golden.url.removesuffix("/v1"), tmp_path / "run", "-t", "4s") as child:
            text, _ = child.communicate(timeout=PATIENCE_S)
        truth = golden.truth()
    run = soak_of(tmp_path / "run")
    counts = Counter(row.outcome for row in run.rows)
    assert truth["fired"]["no-terminator"] > 0
    assert counts == {
        "ok": truth["chats"] - truth["fired"]["no-terminator"],
        "no_terminator": truth["fired"]["no-terminator"],
    }
    assert f"{truth['chats']} requests: " in text
    assert child.returncode == 1, text  # Locust's own habit: something failed


@pytest.mark.parametrize("users", ["1", "6"])
def test_a_sound_server_is_counted_to_the_token(tmp_path: Path, users: str) -> None:
    with Golden(token_ms=2) as golden:
        with locust(golden.url, tmp_path / "run", "-t", "3s", "-u", users) as child:
            text, _ = child.communicate(timeout=PATIENCE_S)
        truth = golden.truth()
    assert child.returncode == 0, text
    run = soak_of(tmp_path / "run")
    clean(run)
    assert len(run.rows) == truth["chats"] > 3
    assert sum(row.tokens or 0 for row in run.rows) == truth["tokens"]
    assert all(row.sent_at < row.first_at <= row.last_at <= row.ended_at and row.deltas > 1 for row in run.rows)
    assert run.phases[0].facts["users"] == users
    assert not any(row.findings for row in run.rows)
    assert [(span.name, span.sort, span.until) for span in run.spans] == [("closed", "closed", run.phases[2].at)]
    assert {(row.phase, row.workload, row.cap, row.canary) for row in run.rows} == {("closed", "chat", 48, False)}
    assert sum(row.cached or 0 for row in run.rows) == truth["cached_tokens"]


def test_every_fault_is_counted_under_its_word(tmp_path: Path) -> None:
    with Golden([f"{name}:0.06" for name in FAULTS], token_ms=1) as golden:
        with locust(golden.url, tmp_path / "run", "-t", "6s", "-u", "8", SEATRIAL_IDLE_S="0.7") as child:
            text, _ = child.communicate(timeout=PATIENCE_S)
        truth = golden.truth()
    run = soak_of(tmp_path / "run")
    counts = Counter(row.outcome for row in run.rows)
    assert len(run.rows) == truth["chats"], text
    assert {"no_terminator", "truncated", "sse_error", "http_5xx"} <= set(counts)
    alone = {word: truth["fired"].get(name, 0) for name, word in FAULTS.items()}
    assert sum(counts.values()) - counts["ok"] <= sum(alone.values())  # two faults may meet in one stream
    assert set(counts) <= {"ok", *FAULTS.values()}
    assert all(counts[word] <= fired for word, fired in alone.items())
    assert 'OutcomeError("truncated")' in text.replace("'", '"')
    assert "load1-" not in text.partition("Error report")[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_cuts_no_stream(tmp_path: Path, number: signal.Signals) -> None:
    run = tmp_path / "run"
    with Golden(token_ms=15) as golden:
        with locust(golden.url, run, "-t", "10m") as child:
            until(lambda: len(rows(run)) >= 4 and golden.truth()["in_flight"] >= 2, "its requests", PATIENCE_S)
            child.send_signal(number)
            text, _ = child.communicate(timeout=PATIENCE_S)
        truth = golden.truth()
    found = soak_of(run)
    clean(found, cut_short=True)
    assert child.returncode == 0, text
    assert sum(row.draining for row in found.rows) >= 2
    assert len(found.rows) == truth["chats"]
    if number == signal.SIGINT:
        assert "streams, at most 60 s (Ctrl-C again: cut them)" in text


def test_a_second_interrupt_cuts_and_says_whose_doing_it_was(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with Golden(["stall"]) as golden, locust(golden.url, run, "-t", "10m") as child:
        until(lambda: golden.truth()["chats"] >= 4, "its requests", PATIENCE_S)
        child.send_signal(signal.SIGINT)
        assert child.stdout is not None
        while "draining" not in child.stdout.readline():
            assert child.poll() is None
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE_S)
    found = soak_of(run)
    assert child.returncode == 5
    assert [row.outcome for row in found.rows] == ["cancelled"] * 4
    assert all(row.deltas for row in found.rows)
    assert found.phases[-1].facts["how"] == "cut"
    assert not found.unfinished


SLIPPING = """
from itertools import count
from load import locustfile, pool
from load.locustfile import *
from seatrial.wire.transports.outcomes import classify

numbers = count(1)

def slips(s):
    if next(numbers) == 3:
        raise KeyError("sk-what-a-server-sent")
    return classify(s)

pool.classify = slips
"""


def test_an_error_of_ours_is_no_cut_of_ours_and_no_fault_of_the_servers(tmp_path: Path) -> None:
    run, ours = tmp_path / "run", tmp_path / "slipping.py"
    ours.write_text(SLIPPING)
    with Golden() as golden, locust(golden.url, run, "-f", str(ours), "-t", "10m", PYTHONPATH=str(ROOT)) as child:
        until(lambda: len(rows(run)) >= 8, "its requests", PATIENCE_S)
        child.send_signal(signal.SIGTERM)
        text, _ = child.communicate(timeout=PATIENCE_S)
    found = soak_of(run)
    assert Counter(row.outcome for row in found.rows) == {"ok": len(found.rows) - 1, "our_error": 1}, text
    whys = [why for why in validity.invalid(found, Expect()) if "error of ours" in why]
    (why,) = whys
    assert "1 of" in why
    assert why.endswith("(KeyError in slipping.py, line 11)"), why
    told, _ = run_rule(answers.requests_are_answered, found, Expect(settings={"stopped": []}))
    assert {finding.kind for finding in told} == {"no-evidence"}
    assert not found.unfinished


def test_it_ends_when_its_starter_is_gone(tmp_path: Path) -> None:
    ours, lifeline = os.pipe()
    run = tmp_path / "run"
    end = {"SEATRIAL_LIFELINE": str(ours)}
    with Golden(["stall"]) as golden, locust(golden.url, run, "-t", "10m", pass_fds=(ours,), **end) as child:
        os.close(ours)
        until(lambda: golden.truth()["chats"] >= 4, "its requests", PATIENCE_S)
        os.close(lifeline)
        assert child.wait(5) == 5
    assert Counter(row.outcome for row in soak_of(run).rows) == {"cancelled": 4}


def test_a_server_that_is_not_there_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with Golden() as golden:
        url = golden.url
    with locust(url, tmp_path / "run", "-t", "3s") as child:
        text, _ = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 4
    assert [line for line in text.splitlines() if line.startswith("ERROR")] == [text.splitlines()[-1]]
    assert "refused" in text
    assert not (tmp_path / "run").exists()


def test_a_load_whose_pace_cannot_be_kept_to_any_more_ends_and_says_so(tmp_path: Path) -> None:
    run, pace = tmp_path / "run", tmp_path / "folder" / "pace"
    pace.parent.mkdir()
    told = {"SEATRIAL_MAX_RPS": "20", "SEATRIAL_PACE": str(pace)}
    with Golden() as golden, locust(golden.url, run, "-t", "10m", **told) as child:
        until(lambda: golden.truth()["chats"] >= 4, "its requests", PATIENCE_S)
        shutil.rmtree(pace.parent)
        text, _ = child.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in text
    assert [phase.what for phase in soak_of(run).phases][-2:] == ["drain", "end"]
    assert "No such file or directory" in lasting.ended_by(soak_of(run))


def test_what_a_variable_holds_is_told_on_one_line(tmp_path: Path) -> None:
    with locust("http://127.0.0.1:1", tmp_path / "run", "-t", "3s", SEATRIAL_RPS="1\n\x1b[2J2") as child:
        text, _ = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 4
    assert text.splitlines()[-1] == r"ERROR: SEATRIAL_RPS=1\n\x1b[2J2 is no number"


def test_the_key_is_in_no_file(tmp_path: Path) -> None:
    key = "sk-golden-0123456789"
    with Golden(["echo_key"], key=key) as golden:
        with locust(golden.url, tmp_path / "run", "-t", "2s", SEATRIAL_KEY_ENV="K", K=key) as child:
            text, _ = child.communicate(timeout=PATIENCE_S)
        assert golden.truth()["chats"] > 0, text
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert any(path.name == "bytes.bin" for path in files)
    assert not [path for path in files if key.encode() in path.read_bytes()]
    assert key not in text


PHASES = """
[[phase]]
sort = "closed"
length = "3s"
users = 2

[[phase]]
sort = "open"
length = "4s"
rps = 8

[[phase]]
sort = "rest"
length = "1s"
"""

TRAFFIC = """
invalid_every = "2s"

[[part]]
kind = "chat"
weight = 4

[[part]]
kind = "agent"
system = 100
turns = 3

[[part]]
kind = "structured"

[[part]]
kind = "embeddings"

[[part]]
kind = "cancel"
answer = [64, 64]
"""


def test_phases_and_mixed_traffic_are_what_the_server_saw(tmp_path: Path) -> None:
    (tmp_path / "phases.toml").write_text(PHASES)
    (tmp_path / "traffic.toml").write_text(TRAFFIC)
    told = {"SEATRIAL_PHASES": str(tmp_path / "phases.toml"), "SEATRIAL_WORKLOAD": str(tmp_path / "traffic.toml")}
    with Golden(token_ms=4) as golden:
        with locust(golden.url, tmp_path / "run", SEATRIAL_CANARY_S="1", **told) as child:
            text, _ = child.communicate(timeout=3 * PATIENCE_S)
        truth = golden.truth()
    assert child.returncode == 0, text
    run = soak_of(tmp_path / "run")
    kinds = Counter((row.workload, row.outcome) for row in run.rows)
    assert {"ok", "left", "declined"} >= {outcome for _, outcome in kinds}
    assert {"chat", "agent", "structured", "embeddings", "canary", "invalid", "look"} <= {kind for kind, _ in kinds}
    looks = kinds["look", "ok"] + sum(line.workload == "look" for line in run.dropped)  # the end may come before it
    assert looks == kinds["invalid", "declined"] > 0
    assert all(row.canary == (row.workload == "canary") for row in run.rows)

    assert (
        len(run.rows) - sum(row.workload == "embeddings" for row in run.rows)
        <= truth["chats"] + kinds["invalid", "declined"]
    )
    assert truth["embedded"] > 0
    left = [row for row in run.rows if row.outcome == "left"]
    known = sum(row.tokens or 0 for row in run.rows)
    assert known <= truth["tokens"] <= known + sum(row.cap for row in left)
    for rule in (counters.requests_agree_with_the_server, counters.tokens_agree_with_the_server):
        assert run_rule(rule, run, Expect()) == ((), "")

    _, opened, rest = run.spans
    assert [span.sort for span in run.spans] == ["closed", "open", "rest"]
    assert opened.facts["rps"] == "8"
    assert [phase.name for phase in run.phases if phase.what == "measured"] == ["closed"]
    due = sorted(row.intended_at for row in run.rows if row.phase == "open" and not row.canary)
    assert len(due) + len(run.dropped) > 10
    assert all(opened.since <= at <= opened.since + 4_100_000_000 for at in due)
    assert all(row.sent_at >= row.intended_at for row in run.rows)
    assert not [row for row in run.rows if row.phase == "rest"]
    assert all(row.ended_at <= rest.since for row in run.rows)
