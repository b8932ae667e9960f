"""How a watch ends: in order, at once, killed, or because nobody reads; nothing that it started is left."""

import contextlib
import os
import resource
import signal
from pathlib import Path

import pytest

from tests.waiting import until

from .watching import judged, lives


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(watch, server, number):
    watching = watch(f"--endpoint=a={server.url}").healthy("a")
    pids = watching.children()
    code, out, _ = watching.end(number)
    assert code == 0
    assert out.startswith(f"watching a  {server.url}/v1")
    assert out.splitlines()[-1].startswith("watched for ")
    assert not any(map(lives, pids))


def test_without_a_record_nothing_is_left_on_disk(watch, server, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    watching = watch(f"--endpoint=a={server.url}", record=None)
    watching.children()
    assert any(tmp_path.iterdir())
    watching.end(signal.SIGTERM)
    assert not any(tmp_path.iterdir())


def test_a_second_interrupt_ends_it_at_once_and_the_keeper_ends_the_rest(watch, server):
    watching = watch(f"--endpoint=a={server.url}").healthy("a")
    pids = watching.children()
    keeper = pids[0]
    os.kill(keeper, signal.SIGSTOP)
    pipes = _pipes(watching.process.pid)
    watching.process.send_signal(signal.SIGINT)
    until(lambda: _pipes(watching.process.pid) < pipes, "it has told the keeper to end, and waits for it")
    watching.process.send_signal(signal.SIGINT)
    code, _, _ = watching.wait()
    assert lives(keeper), "it stands still, and nobody waits for it"
    os.kill(keeper, signal.SIGCONT)
    until(lambda: not any(map(lives, pids)), "keeper and recorder end by themselves")
    assert code == 0


def _pipes(pid):
    """How many pipes a process holds. A file may be closed between the look at the folder and the look at it."""
    found = 0
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += str(path.readlink()).startswith("pipe:")
    return found


def test_killed_it_leaves_no_process_and_no_folder(watch, server, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    watching = watch(f"--endpoint=a={server.url}", "--", "sleep", "600", record=None)
    pids = watching.children()
    until(lambda: len(watching.children()) == 3, "keeper, recorder and command")
    pids = watching.children()
    watching.process.kill()
    until(lambda: not any(map(lives, pids)), "keeper, recorder and command end")
    until(lambda: not [path for path in tmp_path.rglob("*") if path.is_file()], "the record is gone")


def test_it_ends_when_nobody_reads_its_lines(watch, server):
    watching = watch("--json", f"--endpoint=a={server.url}").healthy("a")
    watching.process.stdout.close()
    assert watching.process.wait(15) == 0
    assert b"Traceback" not in watching.process.stderr.read()
    watching.process.stderr.close()
    watching.process.stdout = watching.process.stderr = None


def test_a_disk_that_is_full_is_said_and_nothing_is_proven(watch, server):
    watching = watch(f"--endpoint=a={server.url}").healthy("a")
    _, recorder = watching.children()
    size = (watching.record / "watch" / "samples.jsonl").stat().st_size
    resource.prlimit(recorder, resource.RLIMIT_FSIZE, (size, size))
    said = until(lambda: _said(watching), "it says that nothing is recorded")
    assert "nothing is recorded any more" in said
    code, out, _ = watching.end()
    assert code == 10
    assert "unobserved for" in out


def _said(watching):
    """The next line on stderr that is about the record."""
    line = watching.process.stderr.readline().decode()
    return line if "recorded" in line else ""


def test_the_end_of_the_recorder_is_the_end_of_the_watch(watch, server):
    watching = watch("--json", f"--endpoint=a={server.url}").healthy("a")
    _, recorder = watching.children()
    os.kill(recorder, signal.SIGKILL)
    code, out, err = watching.wait()
    assert code == 10
    assert "the recorder ended" in err
    assert '"kind":"unobserved"' in out
    code, text = judged(watching.record)
    assert code == 10
    assert "the recorder ended" in text
