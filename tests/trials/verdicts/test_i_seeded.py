"""I: damaged run directories by the hundred, seeded: none hangs, none ends in a traceback, none gives a false word."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.trials.tried import ROOT, Tried, hold
from tests.trials.verdicts.damages import DAMAGES, SECRET, Foreign
from tests.trials.verdicts.judged import Whole, complaints, damaged, run_all, wholes
from tests.trials.verdicts.recorded import WAIVED, suite, unsigned, watch

BROKEN = ("max-tokens-ignored", "n-ignored")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wholes")
    (folder / "waive.toml").write_text(WAIVED)
    (folder / "secret").write_text(SECRET * 1000)
    return folder


@pytest.fixture(scope="module")
def honest(folder: Path) -> Path:
    """Everything holds: READY."""
    return suite(folder / "honest")


@pytest.fixture(scope="module")
def broken(folder: Path) -> Path:
    """Some cases fail, some are waived."""
    return suite(folder / "broken", f"--waive={folder / 'waive.toml'}", faults=BROKEN)


@pytest.fixture(scope="module")
def many(folder: Path, honest: Path, broken: Path) -> list[tuple[Path, bool]]:
    """Whole runs of each sort, and whether any change shows; the last are signed again, or of older versions."""
    soak = ("suites/soak", "--soak=5s")
    waived = suite(folder / "waived", f"--waive={folder / 'waive.toml'}", faults=("n-ignored",))
    soaked = suite(folder / "soaked", selected=(*soak,))
    lost = suite(folder / "lost", faults=("cut:0.5",), selected=soak)
    killed, quiet = watch(folder / "killed", kill=True), watch(folder / "quiet", kill=False)
    old = [unsigned(path, folder / f"old-{path.name}") for path in (broken, killed, soaked)]
    first = shutil.copytree(ROOT / "tests" / "data" / "run-v1", folder / "run-v1")
    signed = [(path, True) for path in (honest, broken, waived, soaked, lost, killed, quiet)]
    return [*signed, *((path, False) for path in (broken, soaked, killed, *old, first))]


def received(run: Path) -> str:
    """The id of an exchange of a whole run whose bytes are kept; empty where it keeps none."""
    for path in sorted(run.glob("writers/*/exchanges.jsonl")):
        for line in map(json.loads, path.read_text().splitlines()):
            if line["kind"] == "received":
                return str(line["id"])
    return ""


def _held(tried: Tried, tmp_path: Path, runs: list[Whole], foreign: Foreign, *, n: int, seed: int) -> None:
    said: list[str] = []
    by: set[str] = set()
    for start in range(0, n, 120):  # not more copies at a time than a disk likes
        copies = damaged(tmp_path / "copies", runs, foreign, range(start, min(start + 120, n)), seed)
        answers = run_all(tried, tmp_path, runs[0].path, [["judge", str(each.path), "--write"] for each in copies])
        for each, answer in zip(copies, answers, strict=True):
            each.read(answer)
        said += complaints(copies)
        by.update(*(each.by for each in copies))
        shutil.rmtree(tmp_path / "copies")
    assert by == set(DAMAGES), f"these damaged nothing: {set(DAMAGES) - by}"
    hold(not said, f"of {n} damaged run directories none is misread", f"{len(said)} are: {'; '.join(said)}")


def test_eighty_damaged_run_directories(tried: Tried, tmp_path: Path, folder: Path, honest: Path, broken: Path):
    """The quick part of the next: with sums, signed again after the damage, and without."""
    old = unsigned(broken, tmp_path / "old")
    runs = wholes(tried, tmp_path, [(honest, True), (broken, True), (broken, False), (old, False)])
    _held(tried, tmp_path, runs, Foreign(broken, folder / "secret"), n=80, seed=1)


@pytest.mark.long
def test_twelve_hundred_damaged_run_directories(
    tried: Tried, tmp_path: Path, folder: Path, many: list[tuple[Path, bool]]
):
    runs = wholes(tried, tmp_path, many)
    _held(tried, tmp_path, runs, Foreign(runs[1].path, folder / "secret"), n=1200, seed=2)


@pytest.mark.long
def test_show_report_and_waive_of_damaged_run_directories(
    tried: Tried, tmp_path: Path, folder: Path, many: list[tuple[Path, bool]]
):
    """The other readers: an exchange, the report, a waiver."""
    runs = wholes(tried, tmp_path, many)
    ids = {run.path: received(run.path) for run in runs}
    assert all(ids[run.path] for run in runs[:2]), "a run of cases keeps exchanges"
    whole = [["show", str(path), name] for path, name in ids.items() if name]
    for job, (code, out, _) in zip(whole, run_all(tried, tmp_path, runs[0].path, whole), strict=True):
        hold(code == 0 and out.startswith(job[2]), "an exchange of a whole run is shown", f"exit {code}: {out[-500:]}")
    copies = damaged(tmp_path / "copies", runs, Foreign(runs[1].path, folder / "secret"), range(120), seed=3)
    commands = (
        lambda each: ["show", str(each.path), ids[each.whole.path] or "main-7"],
        lambda each: ["report", str(each.path)],
        lambda each: [
            "waive",
            str(each.path),
            "params/n-gives-n-choices",
            "--why=x",
            "--until=2099-01-01",
            f"--file={each.path}.toml",
        ],
    )
    jobs = [command(each) for each in copies for command in commands]
    said = []
    for job, (code, out, late) in zip(jobs, run_all(tried, tmp_path, runs[0].path, jobs), strict=True):
        fine = code in {0, 4} and not late and (code == 0 or (out.count("ERROR: ") == 1 and "fell over" not in out))
        if not fine or SECRET in out or "Traceback" in out or "\x1b" in out:
            said.append(f"{job[0]} {copies[jobs.index(job) // 3].what}: exit {code}, {out[-500:]}")
    hold(not said, "no other reader falls over a damaged run directory", f"{len(said)} do: {'; '.join(said)}")
