"""``--tools`` as an operator uses it: forty tools of which none, one or two have a keyword that the server refuses."""

from __future__ import annotations

import json

import pytest

from seatrial.checks.autopsy.search import FIRST, FURTHER
from seatrial.records import Received
from seatrial.run.directory import RunDir
from tests import toolset
from tests.e2e.driving import command, suite
from tests.golden.server import Golden
from tests.toolset import LONG, PATTERN

pytestmark = pytest.mark.e2e

FAULTS = ("tool-pattern-refused", "tool-long-text-refused")
AT = "parameters.properties.places.items.properties.at"
CASE = "tools/own-tools-are-accepted[own-tools]"


@pytest.mark.parametrize(
    ("odd", "most", "named"),
    [
        ({}, 1, []),
        ({"task_17": PATTERN}, FIRST, [f"tool 17 of 40, task_17: {AT}, pattern"]),
        (
            {"task_17": PATTERN, "task_31": LONG},
            FIRST + FURTHER,
            [f"tool 17 of 40, task_17: {AT}, pattern", f"tool 31 of 40, task_31: {AT}, maxLength"],
        ),
    ],
    ids=["none", "one", "two"],
)
def test_a_bad_keyword_among_forty_tools_is_named(odd, most, named, tmp_path):
    file, path = tmp_path / "tools.json", tmp_path / "run"
    file.write_text(json.dumps(toolset.forty(**odd)))
    with Golden(faults=FAULTS) as golden:
        ran = suite(path, "suites/conformance", f"--endpoint=g={golden.url}", f"--tools={file}", "--case", CASE)
    sent = [line for line in RunDir.open(path).lines("writers/*/exchanges.jsonl") if isinstance(line, Received)]
    offers = [line for line in sent if line.scenario == "tools_given/own-tools"]
    assert ran.code == (1 if named else 0), ran.out
    assert 1 <= len(offers) <= most
    assert f"40 tools of {file}: one request where all are taken, else up to 20" in ran.out
    assert all(place in ran.out for place in named)
    outcome = ran.verdict["outcomes"][f"{CASE}@g"]
    assert outcome == ("FAIL" if named else "PASS")
    judged = command("judge", str(path))
    assert judged.returncode == ran.code, judged.stdout
    assert json.loads((path / "verdict.json").read_text())["outcomes"][f"{CASE}@g"] == outcome


def test_without_tools_the_cases_are_not_tested_and_the_reason_is_said(tmp_path):
    with Golden() as golden:
        every = suite(tmp_path / "run", "suites/conformance", f"--endpoint=g={golden.url}", "--dry-run")
        alone = suite(tmp_path / "run", "suites/conformance", f"--endpoint=g={golden.url}", "--case", CASE)
    assert every.code == 0
    assert "your own client's tools (--tools names none" in every.out
    assert alone.code == 4
    assert "--tools names none: a file of them, or a client that is known" in alone.out
