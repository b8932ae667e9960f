"""A small version of ``python -m tests.detectors --directories``: nights of five hours, whose bins are minutes too."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from seatrial.cli.app import app
from seatrial.detectors.words import Call, Detector
from seatrial.judging.run import judge
from tests.detectors import nights
from tests.detectors.directories import alike, sizes_agree, write
from tests.detectors.nights import Sim

MINUTES = 300
EFFECTS = {effect.name: effect for effect in nights.EFFECTS}


def quiet(*faults: str) -> Sim:
    """A night of few requests, with these faults."""
    sim = Sim(np.random.default_rng(5), MINUTES, phi=0.5)
    sim.work, sim.broken = np.full(MINUTES, 10.0), np.zeros(MINUTES)
    for name in faults:
        EFFECTS[name].put(sim, EFFECTS[name].sizes[-1])
    return sim


def test_a_night_of_faults_is_judged_as_its_series_and_by_the_command_alike(tmp_path: Path) -> None:
    sim = quiet("pace drops at 60 %", "files leaked", "a slot held at rest", "log flooded")
    run = write(tmp_path / "night", sim)
    judged = judge(run)
    found = alike(sim, judged)
    assert found.wrong == ()
    assert set(found.called) == {Detector.DECODE_STEP, Detector.FILES, Detector.REST, Detector.LOG}
    assert judged.run.damage.told() == ()
    said = CliRunner().invoke(app, ["judge", str(run.path), "--write"])
    assert said.exit_code == 1
    again = msgspec.json.decode((run.path / "verdict-rejudged.json").read_bytes())
    assert again["outcomes"] == {name: str(word) for name, word in judged.verdict.outcomes.items()}
    assert f"{found.called[Detector.DECODE_STEP].got}, since 03:00 h of the soak" in " ".join(said.output.split())


def test_a_clean_night_with_phases_a_cache_and_a_warm_up_is_judged_as_its_series(tmp_path: Path) -> None:
    sim = quiet()
    for twin in (nights.cache_does_not_come_to_its_bound, nights.warms_up, nights.phases):
        twin(sim)
    sim.load = np.minimum(sim.load, 9)  # ten requests a minute cannot be more at a time
    found = alike(sim, judge(write(tmp_path / "night", sim)))
    assert found.wrong == ()
    assert {name: each.word for name, each in found.called.items()} == {Detector.MEMORY: Call.BOUNDED}


def test_records_of_another_night_are_told(tmp_path: Path) -> None:
    sim = quiet()
    judged = judge(write(tmp_path / "night", sim))
    sim.decode[100:] *= 0.7
    sim.memory[70] += 2**30
    wrong = alike(sim, judged).wrong
    assert {"decode: other values", "memory: other values"} <= set(wrong)
    assert any(text.startswith("decode step: clear of the records, found of the series") for text in wrong)


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("+256 MB/h (95 %: 249 to 263), 4.3 kB a request", "+257 MB/h (95 %: 249 to 264), 4.2 kB a request", True),
        ("+256 MB/h", "+258 MB/h", False),
        ("+256 MB/h", "+256 an hour", False),
        ("+1.03e+03 MB/h", "+1.02e+03 MB/h", True),
        ("+1.05e+03 MB/h", "+1.02e+03 MB/h", False),
        ("-30 % from one moment on", "-31 % from one moment on", True),
    ],
)
def test_sizes_are_alike_within_one_of_their_last_digit(one: str, other: str, agree: bool) -> None:
    assert sizes_agree(one, other) is agree
