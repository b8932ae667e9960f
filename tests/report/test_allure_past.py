"""Allure's own history: kept where a nightly job made a folder for it, once for a run, whatever stands there."""

from __future__ import annotations

import os

import pytest

from seatrial.report.allure import past


@pytest.fixture
def places(tmp_path):
    """A run with such a folder beside it, and Allure's stage."""
    run, stage = tmp_path / "runs" / "r1", tmp_path / "stage"
    for folder in (run, stage, run.parent / past.FOLDER):
        folder.mkdir(parents=True)
    return run, stage


def test_nothing_is_kept_where_no_folder_was_made_for_it(tmp_path):
    assert past.kept(tmp_path, ["e"]) is None
    assert past.staged(None, tmp_path) == {}
    past.keep(None, tmp_path, first=True)
    assert list(tmp_path.iterdir()) == []


def test_what_allure_adds_to_its_copy_is_taken_over_once_for_a_run_and_bounded(places):
    run, stage = places
    file = past.kept(run, ["b", "a/../x"])
    assert file == run.parent / past.FOLDER / "a-..-x+b.jsonl"
    for night in range(past.NIGHTS + 2):
        told = past.staged(file, stage)
        with (stage / past.STAGED).open("a") as lines:
            lines.write(f'{{"night":{night}}}\n')
        past.keep(file, stage, first=True)
    assert told["history"] == str(stage / past.STAGED)
    kept = file.read_text().splitlines()
    assert (len(kept), kept[-1]) == (past.NIGHTS, f'{{"night":{past.NIGHTS + 1}}}')
    (stage / past.STAGED).write_text("again")
    past.keep(file, stage, first=False)
    assert file.read_text().splitlines() == kept


def test_a_history_that_is_no_file_begins_anew_and_stops_no_report(places):
    run, stage = places
    file = past.kept(run, ["e"])
    os.mkfifo(file)
    past.staged(file, stage)
    assert (stage / past.STAGED).read_bytes() == b""
