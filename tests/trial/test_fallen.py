"""The server under a load stops: the load ends where that was asked for, and goes on where it was not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.given.address import host_port, root
from seatrial.given.soak import AfterStop
from seatrial.records import Endpoint, RunInfo
from seatrial.records.targets import Watched
from seatrial.run.directory import RunDir
from seatrial.servers.keeping import Keeping
from seatrial.trial.soaking.fallen import Fallen
from tests.e2e.driving import ROOT
from tests.ending import ending
from tests.waiting import until


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A golden server in a process of its own, and its URL."""
    command = [sys.executable, "-m", "tests.golden", "--port", "0"]
    with ending(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)) as process:
        assert process.stdout is not None
        yield process, until(process.stdout.readline, "the golden server's URL", 20).strip()


def test_a_stop_is_seen_once_and_ends_the_load_where_that_was_asked_for(served, tmp_path: Path) -> None:
    process, url = served
    info = RunInfo(id="r", started="", started_ns=0, boot_id="", arguments=(), versions={}, seed=0)
    run = RunDir.create(tmp_path / "run", info)
    page = Endpoint(name="gold", url=url, kind="generic", model="m", models=("m",))
    run.write_endpoint(page)
    host, port = host_port(url)
    watched = Watched(name="gold", host=host, port=port, base=root(url), api=url)
    with (
        Keeping.start(run, [watched]),
        Fallen(run, page, AfterStop.ABORT) as ends,
        Fallen(run, page, AfterStop.CONTINUE) as goes_on,
    ):
        beats = run.path / "watch" / "samples.jsonl"
        until(lambda: beats.exists() and str(process.pid) in beats.read_text(), "a look at the process")
        assert ends.abort() == ""
        process.kill()
        why = until(ends.abort, "the stop")
        assert why == f"the server stopped, STOPPED by signal 9; pid {process.pid}, and --after-stop=abort"
        assert ends.abort() == ""
        assert goes_on.abort() == ""
