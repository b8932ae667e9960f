"""A run directory of version 1 stays readable for good: the same record gives the same verdict."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from seatrial.judging.run import judge
from seatrial.records import Outcome
from seatrial.run.directory import RunDir

RUN = Path(__file__).parents[1] / "data" / "run-v1"


def test_the_recorded_run_gives_the_verdict_it_gave():
    judged = judge(RunDir.open(RUN))
    stored = json.loads((RUN / "verdict.json").read_text())
    again = json.loads(msgspec.json.encode(judged.verdict))
    assert again["outcomes"] == stored["outcomes"]
    assert again["exit"] == stored["exit"] == 1
    assert [word["verdict"] for word in again["endpoints"].values()] == ["NOT READY"]


def test_its_findings_name_what_the_bytes_hold():
    judged = judge(RunDir.open(RUN))
    failed = [case for case in judged.cases if case.outcome is Outcome.FAIL]
    assert {case.rule for case in failed} == {"sse/role-is-sent-once"}
    for case in failed:
        assert case.exchanges
        for name in case.exchanges.values():
            exchange = judged.exchange(name)
            assert exchange is not None
            assert exchange.body.count(b'"role":"assistant"') > 1
