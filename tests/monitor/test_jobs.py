"""Processes attached by their pid: a job without a port, and pids that are no process of ours to watch."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from seatrial.monitor.process import fingerprint, proc
from tests.monitor.beats import beats, between
from tests.monitor.processes import Recording
from tests.waiting import until

GIB = 1 << 30


@pytest.fixture
def job():
    """A job that reads, computes and rests in turn, as a long run of llama-cli does."""
    code = (
        "import os, sys, time\nprint(flush=True)\nwhile True:\n"
        "    open(sys.executable, 'rb').read(65536)\n    sum(range(20000))\n    time.sleep(0.01)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_job_without_a_port_is_watched_by_its_cpu_time_and_bytes(recording, job):
    recording.watch_pid(job.pid)
    until(lambda: len(recording.samples()) >= 3 and len(recording.probes()) >= 3, "three looks")
    first, *_, last = recording.samples()
    assert (first.pid, first.name, first.parent) == (job.pid, "job", None)
    assert last.cpu_ns > first.cpu_ns
    assert last.io > first.io + 65536
    assert last.size > last.memory > 0
    probes = recording.probes()
    assert {(p.listens, p.health, p.error, p.owner) for p in probes} == {(None, None, "", None)}
    assert "without a port" in probes[0].why
    assert not any(p.why for p in probes[1:])
    assert all(p.oom_host is not None for p in probes)
    (found,) = recording.events("found")
    assert (found.pid, found.parent) == (job.pid, 0)
    assert found.facts["exe"]


def test_the_end_of_a_job_is_told_with_its_status_and_no_successor_is_sought(recording, job):
    recording.watch_pid(job.pid)
    until(recording.samples, "a sample")
    job.send_signal(signal.SIGTERM)
    job.wait()
    (event,) = until(lambda: recording.events("exit"), "the end")
    assert (event.pid, event.parent, event.status) == (job.pid, 0, int(signal.SIGTERM))
    count = len(recording.probes())
    until(lambda: len(recording.probes()) >= count + 2, "the heartbeat goes on")
    recording.seal()


def test_a_limit_of_its_address_space_set_after_we_attached_is_seen(recording, job):
    recording.watch_pid(job.pid)
    until(recording.samples, "a sample")
    assert recording.samples()[-1].size_limit is None
    resource.prlimit(job.pid, resource.RLIMIT_AS, (3 * GIB, resource.RLIM_INFINITY))
    until(lambda: recording.samples()[-1].size_limit == 3 * GIB, "the limit")
    resource.prlimit(job.pid, resource.RLIMIT_AS, (2 * GIB, resource.RLIM_INFINITY))
    job.kill()
    (event,) = until(lambda: recording.events("exit"), "the end")
    assert event.facts["size limit"] == str(2 * GIB)  # nobody had looked in between: its zombie tells


def test_a_pid_that_nobody_has_is_said_once_and_the_watch_of_others_goes_on(serve, recording):
    server = serve()
    recording.watch_pid(2**22 - 1, name="gone").watch(server).healthy()
    said = [e.text for e in recording.events("trouble") if e.name == "gone"]
    assert said == [f"no process {2**22 - 1}: nobody has this pid"]
    assert {s.name for s in recording.samples()} == {"a"}


def test_a_zombie_is_said_to_be_one(recording):
    process = subprocess.Popen([sys.executable, "-c", ""])
    handle = os.pidfd_open(process.pid)
    until(lambda: proc.exists(process.pid) is False, "its end")
    recording.watch_pid(process.pid)
    (text,) = until(recording.troubles, "the trouble")
    assert "zombie" in text
    assert str(process.pid) in text
    process.wait()
    os.close(handle)


def test_a_thread_is_said_to_be_one(recording):
    tid: list[int] = []
    over = threading.Event()
    thread = threading.Thread(target=lambda: (tid.append(threading.get_native_id()), over.wait()))
    thread.start()
    until(lambda: tid, "its id")
    recording.watch_pid(tid[0])
    (text,) = until(recording.troubles, "the trouble")
    over.set()
    thread.join()
    assert text == f"{tid[0]} is a thread of process {os.getpid()}: name that one"


def test_a_thread_of_the_kernel_is_said_to_be_one():
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    assert fingerprint.unfit(os.getpid(), fields) == ""
    fields[6] = str(int(fields[6]) | 0x00200000).encode()
    assert "a thread of the kernel" in fingerprint.unfit(os.getpid(), fields)


def drop_capabilities() -> None:
    """Of root; another user has none. Without them pid 1, which has them all, may not be traced."""
    libc = ctypes.CDLL(None)
    for number in range(64):
        libc.prctl(24, number, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.fixture
def foreign(tmp_path):
    """A recorder that may not trace pid 1."""
    made = Recording(tmp_path)
    yield made.start(before=drop_capabilities)
    made.close()


def test_of_another_users_process_is_said_once_what_cannot_be_read(foreign):
    foreign.watch_pid(1, name="init")
    sample = until(lambda: [s for s in foreign.samples() if s.pid == 1][2:], "three samples")[0]
    assert sample.state is not None
    assert sample.cpu_ns is not None
    assert sample.io is None
    (text,) = [text for text in foreign.troubles() if "beside its main one" not in text]  # it may have many children
    assert text.startswith("of processes of user 0 this user may not read: bytes read and written, ")
    assert "program" in text


def test_a_hidden_process_and_a_missing_proc_are_told_apart(monkeypatch):
    assert "hidepid" in fingerprint.absent(os.getpid())  # it lives, and its folder is said to be missing
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert fingerprint.absent(os.getpid()).endswith("there is no /proc here")


def test_threads_are_written_at_once_when_a_process_is_stopped_and_every_ten_seconds(recording):
    code = (
        "import threading\n"
        "for n in range(70): threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "print(flush=True)\nthreading.Event().wait()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        recording.watch_pid(process.pid)
        until(recording.samples, "a sample")
        at = time.monotonic_ns()
        process.send_signal(signal.SIGSTOP)
        line = until(lambda: [x for x in recording.threads() if x.threads[0][2] == "T"], "its threads")[0]
        assert between(beats(recording.lines()), at, line.t) <= 4  # else they are read every ten seconds
        assert (line.pid, line.total, len(line.threads)) == (process.pid, 71, 64)
        assert line.threads[0][0] == process.pid
        assert {row[2] for row in line.threads} == {"T"}
        assert all(row[1] and row[3] is not None for row in line.threads)
        assert any(row[4] for row in line.threads)  # where in the kernel it waits
        until(lambda: len(recording.threads()) >= 2, "the next look, ten seconds later at most")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
