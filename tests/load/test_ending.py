"""What ends a load is written down, once, and what is under way then is written too."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from load.ending import OUTSIDE, LoadEnd
from load.record import RowWriter, row_of
from seatrial.checks.areas.soak.lasting import OVER
from seatrial.records import LoadRow, RunInfo
from seatrial.run.directory import RunDir
from seatrial.run.writer import RunDirError
from seatrial.wire.transports.load import Stream


def begun(path: Path, seconds: float | None = 60.0) -> tuple[LoadEnd, list[str]]:
    end, told = LoadEnd(path / "spare"), []
    end.begin(seconds, lambda: told.append("leave"))
    return end, told


def test_by_its_time_nothing_is_said(tmp_path: Path) -> None:
    end, _ = begun(tmp_path, 0.5)
    assert end.facts() == {}
    assert begun(tmp_path, None)[0].facts() == {}


def test_before_its_time_it_was_told_to(tmp_path: Path) -> None:
    assert begun(tmp_path)[0].facts() == {"why": OUTSIDE}


def test_phases_that_are_over_are_no_early_end(tmp_path: Path) -> None:
    end, told = begun(tmp_path)
    end.early()
    assert (told, end.facts()) == (["leave"], {"how": OVER})


def test_the_first_reason_is_the_reason(tmp_path: Path) -> None:
    end, told = begun(tmp_path)
    end.broken(ValueError("no such phase"))
    end.because("Ctrl-C")
    assert told == ["leave"]
    assert end.facts() == {"why": "the load generator failed: ValueError: no such phase"}


def test_a_full_disk_frees_what_was_held_back_and_ends_the_load(tmp_path: Path) -> None:
    end, told = begun(tmp_path)
    full = RunDirError("cannot write")
    full.__cause__ = OSError(28, os.strerror(28))
    assert [end.unwritable(full), end.unwritable(full)] == [True, False]
    assert told == ["leave"]
    assert end.facts() == {"why": "the record could not be written on: No space left on device"}
    assert not list(tmp_path.iterdir())


def test_a_row_for_which_there_is_no_room_is_written_once_there_is(tmp_path: Path) -> None:
    info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    run = RunDir.create(tmp_path / "run", info)
    recorder = RowWriter(run.load_writer("load1"), "8080", seed=1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    told = []

    def freed(error: RunDirError) -> bool:
        told.append(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        return True

    recorder.unwritable = freed
    name = recorder.begin()
    s = Stream(sent_at=1, ended_at=2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        recorder.end(row_of(name, "8080", "ok", s, intended_at=1), s)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(told) == 1
    assert [line.id for line in run.in_time() if isinstance(line, LoadRow)] == [name]
    assert recorder.in_flight == 0
