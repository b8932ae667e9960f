"""A real server is stopped in the middle of a real soak: one stop, its time, its signal, and no invented cause."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import pytest

from seatrial.records import LoadRow, Sample
from seatrial.run.directory import RunDir
from tests.e2e.driving import processes_of, start
from tests.ending import ending
from tests.monitor.beats import beats, between
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.real]

MS = 1_000_000
ENOUGH = 100
"""Cases that are judged when a suite is killed: some, and by far not all."""


def _soak_until(path, act):
    """A soak of the embedded server; once four rows stand, ``act(pid)``; its exit code, output and verdict."""
    with start(path, "suites/soak", "--soak=25s") as process:
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stdout), daemon=True)
        reader.start()
        try:
            page = path / "endpoints" / "embedded.json"
            until(page.is_file, "the endpoint's page", 60)

            def rows():
                return sum(isinstance(line, LoadRow) for line in RunDir(path).lines("load/*.jsonl"))

            until(lambda: rows() >= 4, "four requests", 60)
            pid = json.loads(page.read_text())["pid"]
            act(pid)
            process.wait(120)
        finally:
            process.kill()
        reader.join(10)
    assert (path / "verdict.json").is_file(), "".join(said)
    return process.returncode, "".join(said), json.loads((path / "verdict.json").read_text())


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL], ids=["segv", "kill"])
def test_a_killed_server_is_one_stop_with_its_signal(number, tmp_path):
    struck: list[int] = []

    def strike(pid):
        struck.append(time.monotonic_ns())
        os.kill(pid, number)

    code, out, verdict = _soak_until(tmp_path / "run", strike)
    assert code == 1, out
    (stop,) = verdict["stops"]
    assert stop["family"] == "STOPPED"
    assert stop["signal"] == number
    assert stop["cause"].startswith("UNKNOWN")
    assert stop["alive_at"] <= stop["dead_at"]
    looks = beats(RunDir(tmp_path / "run").lines("watch/samples.jsonl"))
    assert struck[0] <= stop["pidfd_at"]
    assert between(looks, min(stop["alive_at"], struck[0]), max(stop["pidfd_at"], stop["dead_at"])) <= 1
    assert stop["suspects"]
    assert "oom_kill +0" in " ".join(stop["excluded"])
    assert "SILENT STOP" in out
    assert processes_of(tmp_path / "run") == []


def test_a_frozen_server_is_one_stop_with_its_length(tmp_path):
    times: list[int] = []

    def stands():
        samples = RunDir(tmp_path / "run").lines("watch/samples.jsonl")
        return [x for x in samples if isinstance(x, Sample) and x.state == "T" and x.parent is None]

    def freeze(pid):
        os.kill(pid, signal.SIGSTOP)
        times.append(time.monotonic_ns())
        until(lambda: len(stands()) >= 8, "eight looks at a process that stands still", 30)
        os.kill(pid, signal.SIGCONT)
        times.append(time.monotonic_ns())

    code, out, verdict = _soak_until(tmp_path / "run", freeze)
    assert code == 1, out
    (stop,) = verdict["stops"]
    assert stop["family"] == "FROZEN"
    looks = beats(RunDir(tmp_path / "run").lines("watch/samples.jsonl"))
    for told, was in zip((stop["alive_at"], stop["until"]), times, strict=True):
        assert between(looks, min(told, was), max(told, was)) <= 2


def test_a_killed_suite_leaves_no_process_and_a_record_that_can_be_judged(tmp_path):
    from tests.e2e.driving import command  # beside the others

    path = tmp_path / "run"
    with ending(start(path, "suites/conformance", "-n2")) as process:
        threading.Thread(target=process.stdout.read, daemon=True).start()
        planned = path / "planned.jsonl"
        until(planned.is_file, "the plan", 90)
        n = len(planned.read_text().splitlines())

        def judged():
            return sum(f.read_text().count('"judgement"') for f in path.glob("writers/*/judgements.jsonl"))

        until(lambda: judged() >= ENOUGH, "some of the cases", 240)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    until(lambda: not processes_of(path), "everything ended", 5)
    again = command("judge", str(path), "--write")
    assert again.returncode == 10, again.stdout + again.stderr
    run = RunDir.open(path)
    lines = list(run.lines())
    assert run.unread.unknown == 0
    done = {line.case for line in lines if type(line).__name__ == "Judgement"}
    assert f"NOT_EXECUTED {n - len(done)}" in again.stdout
