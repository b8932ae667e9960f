"""I: no record is misread. Damage to a run directory is told, and gives no READY, no FAIL, no hang and no traceback."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.trials.tried import Said, Tried, hold
from tests.trials.verdicts.damages import SECRET
from tests.trials.verdicts.recorded import suite

OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on which everything holds."""
    return suite(tmp_path_factory.mktemp("honest") / "honest")


@pytest.fixture
def copy(honest: Path, tmp_path: Path) -> Path:
    return shutil.copytree(honest, tmp_path / "run")


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


def test_absurd_values_are_told(tried: Tried, copy: Path):
    """A number that no clock shows, a span of petabytes, a date that is none."""
    path = next(copy.glob("writers/*/exchanges.jsonl"))
    text = re.sub(r'"response":\[\d+,\d+\]', '"response":[0,9223372036854775807]', path.read_text())
    path.write_text(re.sub(r'"t":\d+', f'"t":{"9" * 400}', text, count=1))
    page = copy / "run.json"
    page.write_text(re.sub(r'"started": "[^"]*"', '"started": "yesterday"', page.read_text()))
    said = _judged(tried, copy)
    held = said.code == 10 and "Traceback" not in said.out and "damaged" in said.out
    hold(held, "absurd values are told, exit 10", said.out)


@pytest.mark.parametrize("file", ["planned.jsonl", "watch/samples.jsonl", "waivers.toml"])
def test_a_pipe_is_waited_for_by_nobody(tried: Tried, copy: Path, file: str):
    """Nobody writes to a pipe in place of a file."""
    (copy / file).unlink(missing_ok=True)
    os.mkfifo(copy / file)
    said = _judged(tried, copy)
    hold("is a pipe" in said.out and said.code in {0, 10}, "a pipe is told, and not read", said.out)


def test_a_link_leads_to_no_file_outside(tried: Tried, copy: Path, tmp_path: Path):
    """bytes.bin is a link to somebody's file: ``seatrial show`` would print it."""
    outside = tmp_path / "outside"
    outside.write_text(SECRET * 10_000)
    store = _store(copy)
    store.unlink()
    store.symlink_to(outside)
    exchange = re.search(r'"id":"([^"]+)"', next(copy.glob("writers/*/exchanges.jsonl")).read_text())
    assert exchange
    said = tried.seatrial("show", str(copy), exchange[1], path=copy)
    hold(SECRET not in said.out and "Traceback" not in said.out, "no file outside of the run is shown", said.out)


def test_names_drive_no_terminal(tried: Tried, copy: Path):
    """An endpoint whose name clears the screen, and turns the text around."""
    for path in (*copy.glob("endpoints/*.json"), *copy.glob("**/*.jsonl")):
        path.write_text(path.read_text().replace('"gold"', r'"\u001b[2J\u202egold"'))
    said = _judged(tried, copy)
    hold(not OBEYED.search(said.out.replace("\n", "")), "no character that a terminal obeys is printed", repr(said.out))


@pytest.mark.parametrize("file", ["waivers.toml", "endpoints/gold.json"])
def test_only_without_run_json_it_is_wrong_usage(tried: Tried, copy: Path, file: str):
    """Exit 4 says that there is no run. Anything else that is damaged leaves one."""
    (copy / file).write_bytes(b"\xff[[")
    said = _judged(tried, copy)
    hold(said.code in {0, 10} and "damaged" in said.out, f"a damaged {file} is told, no wrong usage", said.out)


def test_a_run_without_run_json_is_one_line(tried: Tried, copy: Path):
    """run.json nested ten thousand times: no run, in one line."""
    (copy / "run.json").write_text('{"options":' * 100_000)
    said = _judged(tried, copy)
    hold(said.code == 4 and said.out.count("\n") == 1, "no run.json is exit 4 and one line", said.out)
