"""Two workers of one load, as real processes on this host: the small version of ``python -m tests.fleet``."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from seatrial.checks.areas.soak import lasting
from seatrial.records import Clock, CrewWord, LoadPulse, Received, Sent
from seatrial.run.directory import RunDir
from seatrial.wire.listening import free_port
from tests.fleet import agreeing
from tests.fleet.relay import relay
from tests.fleet.scene import LOCUST, PATIENCE_S, ROOT, fleet, plan
from tests.golden.server import Golden

KEY = "sk-golden-0123456789"
RATE = 20.0


def test_workers_elsewhere_send_one_schedule_ship_what_they_wrote_and_never_a_key(tmp_path: Path) -> None:
    key = {"SEATRIAL_KEY_ENV": "K", "K": KEY}
    with Golden(["echo_key:0.3"], key=KEY, token_ms=2) as golden:
        with (
            fleet(tmp_path / "run", golden.url, free_port(), plan(tmp_path, 2, 4, RATE)) as made,
            relay(made.port) as seen,
        ):
            made.master("--master", "--expect-workers", "2", **key)
            made.worker(port=seen.port, **key)
            made.worker(port=seen.port, **key)
            codes = made.ended()
        truth = golden.truth()
    run = made.soak()
    assert codes[1:] == [0, 0], made.said
    assert all(ours == theirs for ours, theirs in agreeing.counted(run, truth).values()), agreeing.counted(run, truth)
    assert agreeing.missing(run) == ()
    assert not agreeing.accused(run)
    assert min(agreeing.by_worker(run).values()) > 10

    allowed = agreeing.errors(run)  # one clock for all here, and so the offsets are next to nothing
    assert set(allowed) == {"load1w1", "load1w2"}
    assert all(abs(line.offset_ns) <= line.error_ns for line in run.crew if line.what == CrewWord.ALIGNED)
    assert not agreeing.apart(agreeing.delays(made.run, run, truth), allowed)
    times = agreeing.due(run, "open")
    wanted = agreeing.schedule(0, "open", RATE, 4)[: len(times)]
    assert max(abs(a - b) for a, b in zip(times, wanted, strict=False)) < 2 * max(allowed.values()) / 1e9 + 1e-6
    assert agreeing.poisson_p(times, RATE) > 0.01

    shipped = bytes(seen.there)
    assert len(shipped) > 10_000
    assert b"SEATRIAL" not in shipped
    for hidden in (KEY.encode(), base64.b64encode(KEY.encode()).rstrip(b"="), KEY.encode().hex().encode()):
        assert hidden not in shipped + bytes(seen.back)
    for number in (1, 2):
        _same(made.run, tmp_path / f"run-worker{number}")


def _same(master: Path, own: Path) -> None:
    """What a worker wrote in its own folder stands in the master's: each line, and each byte."""
    lines = list(RunDir(own).in_time())
    (name,) = {line.w for line in lines}
    there = {line.n: line for line in RunDir(master).in_time() if line.w == name}
    assert {line.n: type(line) for line in lines} == {n: type(line) for n, line in there.items()}
    assert {type(line) for line in lines} >= {Clock, LoadPulse, Sent, Received}
    (mine,), (theirs,) = (list(path.glob(f"writers/{name}-*/bytes.bin")) for path in (own, master))
    assert mine.read_bytes() == theirs.read_bytes()


def test_a_worker_that_is_killed_makes_the_load_invalid_and_its_gap_is_named(tmp_path: Path) -> None:
    told, run_path = plan(tmp_path, 1, 5, RATE), tmp_path / "run"
    with Golden(token_ms=3) as golden, fleet(run_path, golden.url, free_port(), told) as made:
        made.master("--processes", "2")
        pid = made.kill("load1w2")
        codes = made.ended()
    run = made.soak()
    assert codes == [5], made.said
    last = max(line.n for line in RunDir(made.run).in_time() if line.w == "load1w2")
    gone = agreeing.missing(run)
    assert f"worker load1w2: all lines from number {last + 1} on are missing" in gone
    assert any(text.startswith("worker load1w2 went away after ") for text in gone)
    assert set(agreeing.verdicts(run).values()) == {("no-evidence",)}
    assert {line.worker for line in run.crew if line.what == CrewWord.DONE} == {"load1w1"}
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_master_whose_last_worker_goes_away_ends_and_says_so(tmp_path: Path) -> None:
    told = plan(tmp_path, 1, 600, RATE)
    with Golden(token_ms=3) as golden, fleet(tmp_path / "run", golden.url, free_port(), told) as made:
        made.master("--processes", "1")
        made.kill("load1w1")
        assert made.ended() == [5], made.said
    run = made.soak()
    assert lasting.ended_by(run) == "all of its workers went away"
    assert any(text.startswith("worker load1w1 went away after ") for text in agreeing.missing(run))


OTHER = (
    "import sys, seatrial; seatrial.__version__ = '0.0.9'; sys.argv[0] = 'locust'; from locust.main import main; main()"
)


def test_a_worker_of_another_version_is_refused_in_one_line(tmp_path: Path) -> None:
    with Golden(token_ms=1) as golden, fleet(tmp_path / "run", golden.url, free_port()) as made:
        made.master("--master", "--expect-workers", "2", "-t", "5s")
        command = [sys.executable, "-c", OTHER, *made.joining(None)[1:]]
        env = {**os.environ, "SEATRIAL_RUN": str(tmp_path / "other")}
        other = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        made.processes[0].terminate()
        made.ended()
    said = [line for line in other.stderr.splitlines() if line.startswith("ERROR")]
    assert other.returncode == 4, other.stderr
    assert len(said) == 1
    assert "it is Seatrial 0.0.9/" in said[0]
    assert "install the same version on both" in said[0]
    assert "Traceback" not in other.stderr
    assert not (tmp_path / "other").exists()
    assert "refused a worker of " in made.said[0]


def test_ctrl_c_ends_a_master_whose_workers_do_not_come_and_the_one_that_came(tmp_path: Path) -> None:
    with Golden(token_ms=1) as golden, fleet(tmp_path / "run", golden.url, free_port()) as made:
        made.master("--master", "--expect-workers", "2", "-t", "5s")
        made.worker()
        made.joined("load1w1")
        made.processes[0].send_signal(signal.SIGINT)
        assert made.ended() == [5, 0], made.said
    assert "no load was sent: its workers were not all there yet" in made.said[0]
    assert not any("Traceback" in said for said in made.said)
    assert not list(tmp_path.rglob("*.spare"))


def test_a_port_in_use_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        for how in (["--processes", "2"], ["--master"]):
            command = [LOCUST, "-f", "load/locustfile.py", "--headless", *how, "--host", "http://127.0.0.1:1"]
            done = subprocess.run(
                [*command, "--master-bind-port", str(port)],
                cwd=ROOT,
                env={**os.environ, "SEATRIAL_RUN": str(tmp_path / "run")},
                capture_output=True,
                text=True,
                timeout=PATIENCE_S,
                check=False,
            )
            assert done.returncode == 4, done.stderr
            errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            assert errors == [f"ERROR: --master-bind-port={port}: port {port} is in use: name another"]
            assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
