"""What is kept of a job's nights, and what is removed of them."""

from __future__ import annotations

import json
import signal

import msgspec

from seatrial.nightly import keeping, state
from tests.nightly.acted import GONE, READY, Acted


def test_old_nights_go_once_the_new_one_is_sealed_and_what_is_pointed_at_stays(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, more='keep = 2\nwaive = "w.toml"', hook=None)
    (tmp_path / "w.toml").write_text("")
    job.night(e=READY)
    (first,) = job.runs
    (tmp_path / "w.toml").write_text(f'[[waive]]\ncase = "a/x"\nwho = "k"\nwhy = "as in {first}"\nuntil = 2030-01-01\n')
    (job.directory / "runs" / "20200101T000000Z-aaaa").mkdir()  # not of this job
    for _ in range(3):
        job.night(e=READY)
    assert len(job.runs) == 4
    assert {"20200101T000000Z-aaaa", first} < set(job.runs)
    assert {path.stem for path in (job.directory / "logs").iterdir()} == {*job.runs} - {"20200101T000000Z-aaaa"}
    (tmp_path / "w.toml").write_text("")
    job.night(e=READY)
    assert first not in job.runs
    assert (job.directory / "runs" / "latest").resolve().name == job.kept.nights[-1].runs["e"]


def test_nights_that_came_to_nothing_push_no_good_one_out(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, more="keep = 2", hook=None)
    for step in (READY, READY, GONE, {"signal": signal.SIGKILL}, GONE):
        job.night(e=step)
    assert len(job.runs) == 3
    assert [len(night.runs) for night in job.kept.nights] == [1] * 5


def test_what_a_run_that_goes_on_points_at_stays(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, more="keep = 1", hook=None)
    job.night(e=READY)
    (first,) = job.runs
    other = job.directory / "runs" / "20300101T000000Z-bbbb"
    (other / "watch").mkdir(parents=True)
    (other / "run.json").write_text(json.dumps({"id": other.name, "started": "x", "arguments": [f"--rerun={first}"]}))
    job.night(e=READY)
    assert first in job.runs
    (other / "verdict.json").write_text("{}")  # it has ended
    job.night(e=READY)
    assert first not in job.runs


def test_only_a_folder_that_is_that_run_is_removed(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, more="keep = 1", hook=None)
    job.night(e=READY)
    (first,) = job.runs
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (job.directory / "runs" / first).rename(job.directory / "moved")
    (job.directory / "runs" / first).symlink_to(precious)
    job.night(e=READY)
    assert (precious / "file").exists()
    assert f"{first} is left alone: no folder of ours stands there" in job.latest.notices
    second = next(name for name in job.runs if name != first)
    (job.directory / "runs" / second / "run.json").write_text('{"id": "another"}')
    job.night(e=READY)
    assert second in job.runs
    forged = msgspec.structs.replace(job.kept.nights[0], runs={"e": "../../precious"})
    state.write(job.directory, msgspec.structs.replace(job.kept, nights=(forged, *job.kept.nights)))
    job.night(e=READY)
    assert (precious / "file").exists()


def test_a_removal_that_was_cut_is_finished_and_no_half_run_is_read(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, hook=None)
    job.night(e=READY)
    half = job.directory / "runs" / f"{keeping.GOING}{job.runs[0]}"
    half.mkdir()
    (half / "run.json").touch()
    job.night(e=READY)
    assert not half.exists()
