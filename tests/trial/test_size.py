"""How large a soak's record becomes is told beforehand, and where there is no room for it, nothing is begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.given.errors import ConfigError
from seatrial.given.soak import CrewAsked, SoakAsked
from seatrial.records import Endpoint
from seatrial.run.writer import LOAD_BYTES
from seatrial.trial.soaking import size
from seatrial.trial.soaking.size import check_room, size_of, told

SLOW = Endpoint(name="e", url="http://h/v1", kind="generic", model="m", models=("m",), slots=8, speed=30.0)


def test_requests_come_from_the_phases_and_their_rates(tmp_path: Path) -> None:
    file = tmp_path / "phases.toml"
    file.write_text(
        '[[phase]]\nsort = "ramp"\nlength = "100s"\nrps = [1, 3]\n'
        '[[phase]]\nsort = "baseline"\nlength = "50s"\n'
        '[[phase]]\nsort = "rest"\nlength = "1h"\n'
    )
    found = size_of(SoakAsked(file=file, seconds=3750, canary_s=375), None)
    assert found.requests == 200 + 50 + 10


def test_closed_users_are_taken_to_be_as_fast_as_was_measured(tmp_path: Path) -> None:
    file = tmp_path / "phases.toml"
    closed = '[[phase]]\nsort = "closed"\nlength = "1000s"\n'
    file.write_text(closed + '[[phase]]\nsort = "open"\nlength = "1000s"\nshare = 0.5\n')
    asked = SoakAsked(file=file, seconds=2000, canary_s=2000)
    slow, fast = size_of(asked, SLOW), size_of(asked, None)
    mean = (16 + 256) / 2  # tokens of an answer of the workload chat
    assert slow.requests == pytest.approx(1500 * 30 / mean, abs=2)
    assert fast.requests == pytest.approx(1500 * 4 * 50 / mean, abs=2)


def test_a_night_takes_rows_by_its_length_and_answers_by_their_budget() -> None:
    hour, night = (size_of(SoakAsked(seconds=seconds), SLOW) for seconds in (3600, 8 * 3600))
    assert 5 * hour.rows < night.rows <= 8 * hour.rows
    assert hour.answers < night.answers <= LOAD_BYTES
    assert night.whole < 100_000_000


def test_each_worker_has_clocks_and_a_sample_of_its_own() -> None:
    alone, four = (size_of(SoakAsked(seconds=3600, crew=CrewAsked(workers=n)), SLOW) for n in (0, 4))
    assert alone.rows == four.rows
    assert alone.watch < four.watch
    assert alone.answers < four.answers <= LOAD_BYTES


def test_the_plan_tells_it_with_its_bounds(tmp_path: Path) -> None:
    line = told(size_of(SoakAsked(seconds=3600), SLOW), tmp_path / "run", logs=True)
    assert line.startswith("record about ")
    assert "answers at most 67 MB, the server's log 67 MB" in line
    assert line.endswith(" are free")


def test_without_room_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = SoakAsked(seconds=3600)
    check_room(asked, 2, tmp_path / "run")
    monkeypatch.setattr(size, "_free", lambda _: 1_000_000)
    with pytest.raises(ConfigError, match=r"takes about \d+ MB, and 1 MB are free in .*name another folder"):
        check_room(asked, 2, tmp_path / "run")


def test_what_is_taken_is_of_the_soak_alone(tmp_path: Path) -> None:
    for name, size_of_it in (
        ("load/load1.jsonl", 8192),
        ("writers/load1-7/bytes.bin", 4096),
        ("writers/main-7/b", 1 << 20),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size_of_it)
    assert size.taken(tmp_path) == 12288
