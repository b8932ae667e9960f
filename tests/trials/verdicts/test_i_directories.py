"""I: no record is misread. Damage to a run directory is told, and gives no READY, no FAIL, no hang and no traceback."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.trials.tried import Said, Tried, hold
from tests.trials.verdicts.damages import SECRET
from tests.trials.verdicts.recorded import WAIVED, resigned, suite, unsigned

OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on which everything holds."""
    return suite(tmp_path_factory.mktemp("honest") / "honest")


@pytest.fixture(scope="module")
def waived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which something is waived, and everything else holds."""
    folder = tmp_path_factory.mktemp("waived")
    (folder / "waive.toml").write_text(WAIVED)
    return suite(folder / "waived", f"--waive={folder / 'waive.toml'}", faults=("n-ignored",))


@pytest.fixture
def copy(honest: Path, tmp_path: Path) -> Path:
    return shutil.copytree(honest, tmp_path / "run")


@pytest.fixture
def copies(honest: Path, waived: Path, tmp_path: Path) -> dict[str, Path]:
    """Of both runs, by name."""
    return {run.name: shutil.copytree(run, tmp_path / run.name) for run in (honest, waived)}


def _exchange_of(run: Path) -> str:
    found = re.search(r'"id":"([^"]+)"', next(run.glob("writers/*/exchanges.jsonl")).read_text())
    assert found
    return found[1]


def _change(path: Path, pattern: str, put: str, count: int = 0) -> None:
    text, n = re.subn(pattern, lambda hit: hit.expand(r"\g<1>") + put, path.read_text(), count=count)
    assert n, f"{path.name} holds nothing to change"
    path.write_text(text)


READY = re.compile(r"^gold +READY", re.MULTILINE)


def _told(said: Said, code: int, what: str, must: str) -> None:
    """What is damaged is told, and the run is READY only where nothing hangs on it."""
    fine = said.code == code and bool(READY.search(said.out)) == (code == 0) and "Traceback" not in said.out
    hold(fine and what in " ".join(said.out.split()), f"{must}, exit {code}", f"exit {said.code}: {said.out}")


def _store(run: Path) -> Path:
    return next(path for path in run.glob("writers/*/bytes.bin") if path.stat().st_size)


def _judged(tried: Tried, run: Path) -> Said:
    return tried.seatrial("judge", str(run), path=run, timeout_s=40)


@pytest.mark.parametrize("left", [None, 0.5])
def test_bytes_that_are_lost_are_no_fail(tried: Tried, copy: Path, left: float | None):
    """bytes.bin is gone, or half of it: a case without its answer is INCONCLUSIVE."""
    store = _store(copy)
    if left is None:
        store.unlink()
    else:
        os.truncate(store, int(store.stat().st_size * left))
    said = _judged(tried, copy)
    must = "what hangs on lost bytes is INCONCLUSIVE, and it is told"
    hold("FAIL 0 " in said.out and said.code == 10 and "damaged" in said.out, must, said.block)


def test_a_changed_byte_is_no_fail(tried: Tried, copy: Path):
    """The answers say ``chat.completion``; a bad disk says otherwise."""
    store = _store(copy)
    store.write_bytes(store.read_bytes().replace(b'"object"', b'"objekt"'))
    said = _judged(tried, copy)
    must = "what hangs on changed bytes is INCONCLUSIVE, and it is told"
    hold("FAIL 0 " in said.out and said.code == 10 and "damaged" in said.out, must, said.block)


def test_without_a_plan_nothing_is_ready(tried: Tried, copy: Path):
    """No plan, and half of the judgements: what is left all holds."""
    (copy / "planned.jsonl").unlink()
    path = next(copy.glob("writers/*/judgements.jsonl"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))
    said = _judged(tried, copy)
    hold(
        said.code == 10 and "the plan is missing" in said.out,
        "without a plan it is NOT PROVEN, with the reason",
        said.out,
    )


@pytest.mark.parametrize("name", ["judgements.jsonl", "exchanges.jsonl"])
def test_a_folder_in_place_of_a_file_is_told(tried: Tried, copy: Path, name: str):
    path = next(copy.glob(f"writers/*/{name}"))
    path.unlink()
    path.mkdir()
    said = _judged(tried, copy)
    hold(said.code == 10 and "is a folder" in said.out, "a folder in place of a file is told, exit 10", said.out)


def _begun(run: Path, sums: str) -> Path:
    """The run whose content is to be changed: one of an older version, or one that is given its sums afterwards."""
    return run if sums == "signed again" else unsigned(run, run.with_name("unsigned"))


SPAN = (r'("response":)\[\d+,\d+\]', "[0,9223372036854775807]")
ABSURD = {
    "a span of petabytes": SPAN,
    "a time that no clock shows": (r'("t":)\d+', "9" * 400),
    "a time of the end of the world": (r'("ended_at":)\d+', "1" + "0" * 30),
}


@pytest.mark.parametrize("sums", ["signed again", "without"])
@pytest.mark.parametrize("what", list(ABSURD))
def test_absurd_values_are_told(tried: Tried, copy: Path, what: str, sums: str):
    """Nobody checks a sum that is not there, and one that somebody made anew agrees."""
    run = _begun(copy, sums)
    _change(next(run.glob("writers/*/exchanges.jsonl")), *ABSURD[what])
    resigned(run)
    _told(_judged(tried, run), 10, "damaged", "absurd values are told")


def test_a_date_that_is_none_is_told_where_it_counts(tried: Tried, copies: dict[str, Path]):
    """Whether a waiver is out of date hangs on the day of the run."""
    run = _begun(copies["waived"], "without")
    _change(run / "run.json", r'("started": )"[^"]*"', '"yesterday"')
    _told(_judged(tried, run), 10, "what is waived cannot be known", "a date that is none is told")


FILES = [
    ("honest", "planned.jsonl", 10),
    ("honest", "watch/samples.jsonl", 10),
    ("honest", "waivers.toml", 0),
    ("waived", "waivers.toml", 10),
]


@pytest.mark.parametrize(("run", "file", "code"), FILES)
def test_a_pipe_is_waited_for_by_nobody(tried: Tried, copies: dict[str, Path], run: str, file: str, code: int):
    """Nobody writes to a pipe in place of a file. Waivers of a run in which nothing would be waived decide nothing."""
    (copies[run] / file).unlink(missing_ok=True)
    os.mkfifo(copies[run] / file)
    _told(_judged(tried, copies[run]), code, "is a pipe", "a pipe is told, and not read")


@pytest.mark.parametrize(("options", "code", "told"), [((), 0, "is a symbolic link"), (("--raw",), 4, "is damaged")])
def test_a_link_leads_to_no_file_outside(
    tried: Tried, copy: Path, tmp_path: Path, options: tuple[str, ...], code: int, told: str
):
    """bytes.bin is a link to somebody's file: ``seatrial show`` would print it."""
    outside = tmp_path / "outside"
    outside.write_text(SECRET * 10_000)
    exchange = _exchange_of(copy)
    whole = tried.seatrial("show", str(copy), exchange, *options, path=copy)
    assert whole.code == 0, whole.out
    store = _store(copy)
    store.unlink()
    store.symlink_to(outside)
    said = tried.seatrial("show", str(copy), exchange, *options, path=copy)
    hold(SECRET not in said.out and "Traceback" not in said.out, "no file outside of the run is shown", said.out)
    hold(said.code == code and told in said.out, f"the link is told, exit {code}", f"exit {said.code}: {said.out}")


NAMED = {"signed again": r"\x1b[2J\u202egold", "without": r"\x1b[2J\u202esoak"}
"""What stands in the output: names that cannot be printed are in no line of an older version, but texts are."""


@pytest.mark.parametrize("sums", list(NAMED))
def test_names_drive_no_terminal(tried: Tried, copy: Path, sums: str):
    """An endpoint and a suite whose names clear the screen, and turn the text around."""
    run = _begun(copy, sums)
    for path in (*run.glob("endpoints/*.json"), run / "planned.jsonl", *run.glob("writers/*/*.jsonl")):
        _change(path, r'([@"])gold(?=")', r"\u001b[2J\u202egold")
    _change(next(run.glob("writers/*/judgements.jsonl")), r'("what":")soak', r"\u001b[2J\u202esoak")
    resigned(run)
    said = _judged(tried, run)
    hold(not OBEYED.search(said.out.replace("\n", "")), "no character that a terminal obeys is printed", repr(said.out))
    _told(said, 10, NAMED[sums], "a name is printed with its escapes to be read")


@pytest.mark.parametrize(
    ("run", "file", "code"),
    [("honest", "waivers.toml", 0), ("waived", "waivers.toml", 10), ("honest", "endpoints/gold.json", 10)],
)
def test_only_without_run_json_it_is_wrong_usage(tried: Tried, copies: dict[str, Path], run: str, file: str, code: int):
    """Exit 4 says that there is no run. Anything else that is damaged leaves one."""
    (copies[run] / file).write_bytes(b"\xff[[")
    _told(_judged(tried, copies[run]), code, "damaged", f"a damaged {file} is told, no wrong usage")


def test_a_run_without_run_json_is_one_line(tried: Tried, copy: Path):
    """run.json nested ten thousand times: no run, in one line."""
    (copy / "run.json").write_text('{"options":' * 100_000)
    said = _judged(tried, copy)
    hold(said.code == 4 and said.out.count("\n") == 1, "no run.json is exit 4 and one line", said.out)
