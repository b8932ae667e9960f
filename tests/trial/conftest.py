"""A trial in a run directory of its own."""

from __future__ import annotations

import pytest

from seatrial.given.options import Options
from seatrial.records import RunInfo
from seatrial.run.directory import RunDir
from seatrial.trial.trial import Trial


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    RunDir.create(tmp_path / "run", info)
    made = Trial(Options(timeout_s=1.0), tmp_path / "run")
    yield made
    made.writer.close()
