"""What the tests of the servers share: a run directory, the embedded model, and waiting on a condition."""

import json
import os
from pathlib import Path

import pytest

from seatrial.records import Event, RunInfo
from seatrial.run.directory import RunDir
from seatrial.servers.embedded import model_file
from seatrial.servers.orders import EmbeddedSpec

RECORDER = "tests.servers.recorder"
WAIT_S = 10.0


def lives(pid):
    """Whether a process runs: a zombie is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Told:
    """What a run's folder says: events of the keeper, and what the stand-in recorder was told."""

    def __init__(self, run):
        self.run = run

    def events(self, what=None):
        lines = (x for x in self.run.lines("watch/keeper/events.jsonl") if isinstance(x, Event))
        return [x for x in lines if what in (None, x.what)]

    def recorder(self, key):
        path = self.run.path / "told.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [told for line in lines if key in (told := json.loads(line))]


@pytest.fixture
def run(tmp_path):
    info = RunInfo(
        id="r", started="2026-11-25T00:00:00Z", started_ns=0, boot_id="", arguments=(), versions={}, seed=0
    )  # fmt: skip
    return RunDir.create(tmp_path / "run", info)


@pytest.fixture
def told(run):
    return Told(run)


@pytest.fixture(scope="session")
def spec():
    return EmbeddedSpec(model=str(model_file()), slots=2, context=1024)


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch):
    """The stand-in recorder is found from the root of the checkout."""
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", root + os.pathsep + os.environ.get("PYTHONPATH", ""))
