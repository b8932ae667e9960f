"""A soak whose run was killed before its rules were asked is judged on the rows that stand."""

from __future__ import annotations

from pathlib import Path

from seatrial.judging.run import JudgedRun, judge
from seatrial.records import SECOND, Endpoint, LoadRow, Outcome, Phase, Planned, RunInfo, Stage
from seatrial.run.directory import RunDir

ENDPOINT = Endpoint(name="8080", url="http://h/v1", kind="generic", model="m", models=("m",))
TERMINATE, AGREE = "soak/streams-terminate", "soak/streams-name-one-model"


def killed(path: Path, *outcomes: str, end: bool = True, begun: bool = True) -> JudgedRun:
    """A soak of a minute of which ten seconds were recorded, and no judgement."""
    info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    run = RunDir.create(path / "run", info)
    run.write_endpoint(ENDPOINT)
    run.write_planned(
        [
            Planned(case=f"{rule}[closed]@8080", endpoint="8080", rule=rule, scenario="closed", suite="soak")
            for rule in (TERMINATE, AGREE)
        ]
    )
    writer = run.load_writer("load1")
    if begun:
        writer.write("rows.jsonl", Phase(endpoint="8080", what=Stage.START, at=1, facts={"seconds": "60"}))
        for n, outcome in enumerate(outcomes):
            at = (n + 1) * SECOND
            writer.write(
                "rows.jsonl",
                LoadRow(
                    id=f"load1-{n}", endpoint="8080", outcome=outcome, intended_at=at, sent_at=at,
                    ended_at=at + 1, first_at=at + 1, status=200, named=("m",),
                ),
            )  # fmt: skip
        if end:
            facts = {"how": "lost", "why": "the load generator was killed by SIGKILL"}
            writer.write("rows.jsonl", Phase(endpoint="8080", what=Stage.END, at=10 * SECOND, facts=facts))
    writer.close()
    return judge(run)


def words(judged: JudgedRun) -> dict[str, Outcome]:
    return {case.rule: case.outcome for case in judged.cases}


def test_what_no_row_proves_is_inconclusive_and_says_which_ending_it_was(tmp_path: Path) -> None:
    judged = killed(tmp_path, "ok", "ok")
    assert words(judged) == {TERMINATE: Outcome.INCONCLUSIVE, AGREE: Outcome.PASS}
    (case,) = [case for case in judged.cases if case.rule == TERMINATE]
    assert case.why == "the load: ran 10 s of 60 s: the load generator was killed by SIGKILL"
    assert case.figures["ran"] == "10 s of 60 s (the load generator was killed by SIGKILL)"
    assert judged.verdict.exit == 10


def test_a_fail_that_a_row_proves_stands(tmp_path: Path) -> None:
    judged = killed(tmp_path, "ok", "truncated")
    assert words(judged)[TERMINATE] is Outcome.FAIL
    assert judged.verdict.exit == 1


def test_without_an_end_it_ran_for_an_unknown_time(tmp_path: Path) -> None:
    judged = killed(tmp_path, "ok", end=False)
    assert words(judged)[TERMINATE] is Outcome.INCONCLUSIVE
    assert "ran for an unknown part of 60 s" in judged.cases[0].why


def test_a_soak_that_never_began_was_not_executed(tmp_path: Path) -> None:
    assert set(words(killed(tmp_path, begun=False)).values()) == {Outcome.NOT_EXECUTED}
