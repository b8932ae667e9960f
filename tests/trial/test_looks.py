"""What a run waits for before its first case, and at its end where a server was gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns
from typing import Any

import pytest

from seatrial.records import Event, Happening, Line, Probe, RunInfo
from seatrial.run.directory import RunDir
from seatrial.trial.sending import looks


class Playing:
    """Stands in for the keeper: each time somebody asks whether it lives, the recorder has written one line more."""

    def __init__(self, run: RunDir, lines: list[Callable[[], Line]]) -> None:
        self._writer = run.watch_writer("recorder")
        self._lines = iter(lines)
        self.written = 0

    @property
    def alive(self) -> bool:
        line = next(self._lines, None)
        if line is None:
            return False
        found = line()
        self._writer.write("events.jsonl" if isinstance(found, Event) else "samples.jsonl", found)
        self.written += 1
        return True


def missed(name: str = "a") -> Probe:
    return Probe(name=name, listens=False, error="refused")


def answered() -> Probe:
    return Probe(name="a", listens=True, health=200)


def ended() -> Event:
    return Event(what=Happening.EXIT, name="a", at=monotonic_ns(), pid=7, status=9)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    monkeypatch.setattr(looks, "PAUSE_S", 0.0)
    info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    return RunDir.create(tmp_path / "run", info)


def test_the_first_case_waits_until_each_endpoint_was_looked_at(run: RunDir) -> None:
    keeping: Any = Playing(run, [lambda: missed("b"), lambda: missed("b"), answered, answered])
    looks.first(run, keeping, ["a", "b"])
    assert keeping.written == 3


@pytest.mark.parametrize(
    ("lines", "needed"),
    [
        pytest.param([missed, missed, missed, missed], 3, id="three-misses"),
        pytest.param([missed, missed, ended, missed], 3, id="its-end"),
        pytest.param([missed, answered, missed], 2, id="it-is-back"),
        pytest.param([missed, lambda: missed("b"), missed, missed, missed], 4, id="anothers-misses"),
    ],
)
def test_the_end_waits_for_what_became_of_who_was_gone(run: RunDir, lines: Any, needed: int) -> None:
    (run.path / "endpoints").mkdir(exist_ok=True)
    (run.path / "endpoints" / "a.gone").write_text("the server was gone after main-1")
    keeping: Any = Playing(run, lines)
    looks.last(run, keeping)
    assert keeping.written == needed


def test_what_was_seen_before_is_over_by_then(run: RunDir) -> None:
    """A run of which one server ended, came back and is gone again waits for the second end."""
    (run.path / "endpoints").mkdir(exist_ok=True)
    (run.path / "endpoints" / "a.gone").write_text("the server was gone after main-9")
    before = Playing(run, [ended, missed, answered])
    assert all([before.alive, before.alive, before.alive])
    keeping: Any = Playing(run, [missed, missed, missed, missed])
    looks.last(run, keeping)
    assert keeping.written == 3


def test_where_nobody_was_gone_nothing_is_waited_for(run: RunDir) -> None:
    keeping: Any = Playing(run, [missed])
    looks.last(run, keeping)
    assert keeping.written == 0
