"""``seatrial watch`` of what has no port: a command that it starts, and a process named by its pid."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.waiting import until

from .watching import judged, lives


def test_a_command_that_fails_is_one_line_with_its_status_and_its_output_passes(watch):
    watching = watch("--json", "--", "sh", "-c", "echo said; echo complained >&2; exit 3")
    code, out, err = watching.wait()
    (line,) = map(json.loads, out.splitlines())
    assert code == 1
    assert (line["name"], line["verdict"], line["code"], line["signal"]) == ("command", "STOPPED", 3, None)
    assert line["source"] == "waitid"
    assert {"said", "complained"} <= set(err.splitlines())  # beside JSON nothing else is on stdout
    assert judged(watching.record)[0] == 1


def test_a_command_that_does_its_work_is_no_stop(watch):
    watching = watch("--", "sh", "-c", "echo said")
    code, out, _ = watching.wait()
    assert code == 0
    lines = out.splitlines()
    assert "said" in lines
    assert lines[-1].endswith("no stop; exit 0")
    assert judged(watching.record)[0] == 0


def test_the_end_of_the_watch_ends_the_command_and_what_it_left_behind(watch, tmp_path):
    script = f"setsid sleep 601 & echo $! > {tmp_path}/pids; sleep 602 & echo $! >> {tmp_path}/pids; wait"
    watching = watch("--json", "--", "sh", "-c", script)
    pids = until(lambda: _pids(tmp_path / "pids"), "both are started")
    assert all(map(lives, pids))
    code, out, _ = watching.end()
    assert (code, out) == (0, "")  # its end was ours
    assert not any(map(lives, pids))


def _pids(path):
    found = path.read_text().split() if path.exists() else []
    return [int(pid) for pid in found] if len(found) == 2 else []


def test_a_command_that_cannot_be_run_is_wrong_usage_and_leaves_nothing(watch, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF nothing")
    broken.chmod(0o755)
    code, out, err = watch("--", str(broken), record=None).wait()
    assert (code, out) == (4, "")
    assert err.startswith(f"ERROR: {broken} cannot be started: ")
    broken.unlink()
    assert not any(tmp_path.iterdir())


@pytest.fixture
def sleeper(opened):
    class Sleeper:
        def __init__(self):
            self.process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])

        def close(self):
            self.process.kill()
            self.process.wait()

    return opened(Sleeper()).process


def test_a_process_without_a_port_that_is_killed_ends_the_watch(watch, sleeper):
    watching = watch("--json", f"--pid=train={sleeper.pid}")
    until(lambda: any(line["kind"] == "sample" for line in watching.recorded()), "it is sampled")
    os.kill(sleeper.pid, signal.SIGKILL)
    sleeper.wait()
    code, out, _ = watching.wait()
    (line,) = map(json.loads, out.splitlines())
    assert code == 1
    assert (line["name"], line["verdict"], line["signal"], line["pid"]) == ("train", "STOPPED", "SIGKILL", sleeper.pid)


def test_a_pid_that_is_gone_is_said_and_nothing_is_proven(watch, sleeper):
    sleeper.kill()
    sleeper.wait()
    code, out, err = watch("--json", f"--pid=gone={sleeper.pid}").wait()
    assert (code, out) == (10, "")
    assert f"gone: there is no process {sleeper.pid}" in err
