"""I: damaged run directories by the hundred, seeded: none hangs, none ends in a traceback, none gives a false word."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.trials.tried import ROOT, Tried, hold
from tests.trials.verdicts.damages import SECRET, Foreign
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
    """Whole runs of each sort, and whether their lines bear sums: the last two are of older versions."""
    soak = ("suites/soak", "--soak=5s")
    waived = suite(folder / "waived", f"--waive={folder / 'waive.toml'}", faults=("n-ignored",))
    soaked = suite(folder / "soaked", selected=(*soak,))
    lost = suite(folder / "lost", faults=("cut:0.5",), selected=soak)
    killed, quiet = watch(folder / "killed", kill=True), watch(folder / "quiet", kill=False)
    old = [unsigned(path, folder / f"old-{path.name}") for path in (broken, killed, soaked)]
    first = shutil.copytree(ROOT / "tests" / "data" / "run-v1", folder / "run-v1")
    signed = [(path, True) for path in (honest, broken, waived, soaked, lost, killed, quiet)]
    return [*signed, *((path, False) for path in (*old, first))]


def _held(tried: Tried, tmp_path: Path, runs: list[Whole], foreign: Foreign, *, n: int, seed: int) -> None:
    said: list[str] = []
    for start in range(0, n, 120):  # not more copies at a time than a disk likes
        copies = damaged(tmp_path / "copies", runs, foreign, range(start, min(start + 120, n)), seed)
        answers = run_all(tried, tmp_path, runs[0].path, [["judge", str(each.path), "--write"] for each in copies])
        for each, answer in zip(copies, answers, strict=True):
            each.read(answer)
        said += complaints(copies)
        shutil.rmtree(tmp_path / "copies")
    hold(not said, f"of {n} damaged run directories none is misread", f"{len(said)} are: {'; '.join(said)}")


def test_sixty_damaged_run_directories(tried: Tried, tmp_path: Path, folder: Path, honest: Path, broken: Path):
    """The quick part of the next."""
    runs = wholes(tried, tmp_path, [(honest, True), (broken, True)])
    _held(tried, tmp_path, runs, Foreign(broken, folder / "secret"), n=60, seed=1)


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
    copies = damaged(tmp_path / "copies", runs, Foreign(runs[1].path, folder / "secret"), range(120), seed=3)
    commands = (
        lambda path: ["show", path, "main-7"],
        lambda path: ["report", path],
        lambda path: [
            "waive",
            path,
            "params/n-gives-n-choices",
            "--why=x",
            "--until=2099-01-01",
            f"--file={path}.toml",
        ],
    )
    jobs = [command(str(each.path)) for each in copies for command in commands]
    said = []
    for job, (code, out, late) in zip(jobs, run_all(tried, tmp_path, runs[0].path, jobs), strict=True):
        fine = code in {0, 4} and not late and (code == 0 or (out.count("ERROR: ") == 1 and "fell over" not in out))
        if not fine or SECRET in out or "Traceback" in out or "\x1b" in out:
            said.append(f"{job[0]} {copies[jobs.index(job) // 3].what}: exit {code}, {out[-500:]}")
    hold(not said, "no other reader falls over a damaged run directory", f"{len(said)} do: {'; '.join(said)}")
