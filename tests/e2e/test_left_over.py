"""What the planned probes leave of the budget goes to those that had no room in it, and to no word beyond it."""

from __future__ import annotations

import json

import pytest

from seatrial.records import Judgement, Planned
from seatrial.run.directory import RunDir
from tests.e2e.driving import command, suite
from tests.golden.server import Golden

pytestmark = pytest.mark.e2e


def test_time_that_is_left_is_used_and_what_had_none_is_not_tested(tmp_path):
    path = tmp_path / "run"
    with Golden(token_ms=10) as golden:
        ran = suite(path, "suites/behaviour", f"--endpoint=golden={golden.url}", "--budget=12s")
    assert ran.code == 0, ran.out
    run = RunDir(path)
    planned = {line.case for line in run.lines("planned.jsonl") if isinstance(line, Planned)}
    judged = {line.case for line in run.lines("writers/*/judgements.jsonl") if isinstance(line, Judgement)}
    assert planned < judged == set(ran.verdict["outcomes"])
    untested = json.dumps(ran.verdict["not_tested"])
    assert [case for case in judged if f"({case.partition('[')[0]})" in untested] == []
    assert "--budget=" in untested, "a budget of seconds has no room for all of them"
    assert f"{len(judged)} passed" in ran.out
    assert "what its probes leave of the time is for" in ran.out
    again = command("judge", str(path))
    assert f"PASS {len(judged)} " in again.stdout
    assert again.returncode == 0
