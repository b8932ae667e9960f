"""A nightly job on a golden server, by the commands: what breaks is told once, and named where people look."""

from __future__ import annotations

import json

import pytest

from tests.nights import Job, golden

pytestmark = pytest.mark.e2e

RULE = "sse/role-is-sent-once"


def test_a_rule_that_breaks_is_told_once_and_named_by_the_history_and_the_first_screen(tmp_path):
    suites = ["suites/conformance/test_sse.py"]
    with golden() as url:
        job = Job(tmp_path, f'name = "g"\nurl = "{url}"', suites, f'arguments = ["--case={RULE}"]')
        job.night()
    with golden("role-in-every-chunk", port=int(url.rpartition(":")[2].partition("/")[0])):
        job.night()
    shown = job.tell()
    assert (shown.exits[1:], shown.hooks) == ([1], [0, 1]), "\n".join(shown.said)
    assert any(line.startswith(f"g: broke {RULE}") for line in shown.worse)
    (line,) = (line for line in shown.history.splitlines() if " NOT READY " in line)
    assert f"broke {RULE}" in line
    assert f"broke {RULE}" in " ".join(shown.first_screen.split())
    past = tmp_path / "nights" / "runs" / "allure-history" / "g.jsonl"
    assert [len(json.loads(night)["testResults"]) > 0 for night in past.read_text().splitlines()] == [True, True]
