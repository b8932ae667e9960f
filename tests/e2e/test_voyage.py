"""The README's first command, shortened, on the real embedded server; and what is to be read off it afterwards."""

from __future__ import annotations

import json
import shutil

import pytest

from seatrial.run import sums
from tests.e2e.driving import command, processes_of, suite

pytestmark = [pytest.mark.e2e, pytest.mark.real, pytest.mark.early]

ALWAYS = {"models/probes-name-one-model", "identity/no-known-bad-build"}
"""What the budget does not buy: it is judged on whatever is asked, or on the build."""

TALK = {"loops/answers-do-not-loop", "stops/answers-end-by-themselves", "markers/no-template-marker-leaks"}
"""What the demo does well where the machine is fast enough to ask it."""


SHORTER = (
    "--hazard=heavy", "--deselect=suites/conformance/test_concurrency", "--budget=2m", "--soak=20s",
)  # fmt: skip
"""Without what waits long on a machine that does other work: crowds, and requests of megabytes."""


@pytest.fixture(scope="module")
def voyage(tmp_path_factory):
    path = tmp_path_factory.mktemp("voyage") / "run"
    return suite(path, "suites/", "-n2", *SHORTER, timeout_s=1800)


def test_the_demo_is_ready_and_says_why(voyage):
    assert voyage.code == 0, voyage.out
    for said in ("READY", "silent stops: 0", "not tested", "report.html", "PASS", "WAIVED"):
        assert said in voyage.out


def test_each_suite_has_run_and_ordinary_talk_passes(voyage):
    planned = [json.loads(line) for line in (voyage.path / "planned.jsonl").read_text().splitlines()]
    outcomes = voyage.verdict["outcomes"]
    assert {line["suite"] for line in planned} == {"conformance", "behaviour", "soak"}
    assert {line["case"] for line in planned} <= set(outcomes)
    further = {case for case in outcomes if case not in {line["case"] for line in planned}}
    assert {case.partition("[")[2] for case in further} <= {"answers]@embedded"}, (
        "probes, in what others left of the time"
    )
    behaviour = {line["rule"]: outcomes[line["case"]] for line in planned if line["suite"] == "behaviour"}
    behaviour |= {case.partition("[")[0]: outcomes[case] for case in further}
    assert behaviour.keys() > ALWAYS
    well = ALWAYS | (behaviour.keys() & TALK)
    assert {rule: behaviour[rule] for rule in well} == dict.fromkeys(well, "PASS")
    assert {behaviour[rule] for rule in behaviour.keys() - well} <= {"PASS", "ADVISORY", "WAIVED"}


def test_nothing_of_the_run_is_left(voyage):
    assert processes_of(voyage.path) == []


def test_judging_again_gives_the_same_outcomes(voyage):
    again = command("judge", str(voyage.path))
    assert again.returncode == 0, again.stdout + again.stderr
    assert voyage.verdict["outcomes"]


@pytest.fixture
def changed(voyage, tmp_path):
    """A copy of the run in which the server gave another reason to finish."""
    copy = tmp_path / "run"
    shutil.copytree(voyage.path, copy, symlinks=True)
    for path in copy.glob("writers/*/bytes.bin"):
        path.write_bytes(path.read_bytes().replace(b'"finish_reason":"stop"', b'"finish_reason":"stpp"'))
    return copy


def sum_up(run):
    """Give the changed bytes their sums, as if the server had answered so."""
    begin = sums.start(json.loads((run / "run.json").read_text())["id"])
    for path in run.glob("writers/*/exchanges.jsonl"):
        stored = (path.parent / "bytes.bin").read_bytes()
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        for line in lines:
            line.pop("crc")
            if line["kind"] == "received":
                spans = (stored[at : at + length] for at, length in (line["request"], line["response"]))
                line["sums"] = [sums.of_bytes(span, begin) for span in spans]
        path.write_bytes(b"".join(sums.signed(json.dumps(line).encode(), begin) + b"\n" for line in lines))


def test_a_byte_changed_in_the_recording_is_found(changed):
    again = command("judge", str(changed))
    assert again.returncode == 10, again.stdout + again.stderr
    assert "its bytes were changed" in again.stdout
    assert "NOT PROVEN" in again.stdout


def test_what_is_judged_are_the_bytes(changed):
    sum_up(changed)
    again = command("judge", str(changed))
    assert again.returncode == 1, again.stdout + again.stderr
    assert "stpp" in again.stdout
    assert "chat/finish-reason-is-known" in again.stdout
