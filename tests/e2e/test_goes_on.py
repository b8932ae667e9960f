"""A conformance run that is cut by Ctrl-C goes on where it was, in one verdict."""

from __future__ import annotations

import os
import signal

import pytest

from seatrial.records import Judgement
from seatrial.run.directory import RunDir
from seatrial.run.writer import RunDirError
from tests.e2e.driving import start, suite
from tests.golden.server import Golden
from tests.waiting import until

pytestmark = pytest.mark.e2e

CASES = ("suites/conformance/test_sse.py", "--case=sse/role-is-sent-once")
"""Each stream once, judged by two rules: whether it was answered, and this one."""


def judged(path):
    """The cases that a run has judged so far; none before it has begun."""
    try:
        return {line.case for line in RunDir(path).lines("writers/*/judgements.jsonl") if isinstance(line, Judgement)}
    except RunDirError:
        return set()


def test_a_run_that_was_cut_goes_on_and_asks_nothing_twice(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    with Golden(["role-in-every-chunk"], token_ms=20) as golden:
        endpoint = f"--endpoint=golden={golden.url}"
        with start(first, *CASES, endpoint) as process:
            until(lambda: len(judged(first)) >= 3, "three cases that are judged", 60)
            os.kill(process.pid, signal.SIGINT)
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 2, said
        before = judged(first)
        ran = suite(second, *CASES, endpoint, "--resume=first", "-n", "2")
    assert ran.code == 1, ran.out
    assert f"{len(before)} further cases are joined from run first, not asked again" in ran.out
    assert set(ran.verdict["joined"]["first"]) == before
    assert set(ran.verdict["outcomes"]) == judged(second)
    assert set(ran.verdict["outcomes"]) > before
