"""Who belongs to whom at one port: workers of a master are one server, an old one beside a new one is another."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seatrial.monitor.process import kin
from tests.waiting import until

WAITS = "import sys; sys.stdin.read()"
FORKS = (
    "import os, sys\n"
    "for _ in 'ab':\n"
    "    pid = os.fork()\n"
    "    if not pid: sys.stdin.read(); os._exit(0)\n"
    "    print(pid, flush=True)\n"
    "sys.stdin.read()"
)
STARTS = (
    "import subprocess, sys\n"
    "for code in sys.argv[1:]:\n"
    "    print(subprocess.Popen([sys.executable, '-c', code]).pid, flush=True)\n"
    "sys.stdin.read()"
)
Start = Callable[..., list[int]]


@pytest.fixture(name="start")
def _start() -> Iterator[Start]:
    """Start a program, which says so many pids."""
    with contextlib.ExitStack() as stack:

        def begin(code: str, *arguments: str, says: int = 0) -> list[int]:
            process = subprocess.Popen(
                [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                start_new_session=True,
            )  # fmt: skip
            stack.callback(process.wait)
            stack.callback(os.killpg, process.pid, signal.SIGKILL)
            assert process.stdout is not None
            stack.callback(process.stdout.close)
            pids = [process.pid, *(int(process.stdout.readline()) for _ in range(says))]
            until(lambda: all(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids), "their arguments are there")
            return pids

        yield begin


def test_workers_that_a_master_has_forked_are_one_server_also_beside_it(start: Start):
    master, one, two = start(FORKS, says=2)
    assert kin.related(one, two)
    assert kin.related(master, two)
    assert kin.strangers(one, [one, two, master]) == ()


@pytest.mark.parametrize("second", [WAITS, f"# with other arguments\n{WAITS}"])
def test_what_a_launcher_starts_at_one_time_is_a_fleet(start: Start, second):
    launcher, one, two = start(STARTS, WAITS, second, says=2)
    assert kin.related(one, two)
    assert kin.related(one, launcher)


def test_a_server_that_was_there_long_before_is_another(start: Start, monkeypatch):
    _, one, two = start(STARTS, WAITS, WAITS, says=2)
    monkeypatch.setattr(kin, "TOGETHER_TICKS", -1)
    assert not kin.related(one, two)
    assert kin.strangers(one, [one, two, two]) == (two,)


def test_a_worker_that_is_spawned_late_is_none(start: Start, monkeypatch):
    spawned = f"{WAITS}  # multiprocessing.spawn"
    _, one, two = start(STARTS, spawned, f"{spawned} 2", says=2)
    monkeypatch.setattr(kin, "TOGETHER_TICKS", -1)
    assert kin.related(one, two)


def test_two_families_are_two_servers(start: Start):
    _, one, _ = start(FORKS, says=2)
    _, other, _ = start(f"# another\n{FORKS}", says=2)
    assert not kin.related(one, other)


def test_two_programs_of_one_parent_are_two_servers(start: Start):
    shell = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    _, one, two = start(f"{STARTS.partition('sys.stdin')[0]}{shell}\nsys.stdin.read()", WAITS, says=2)
    assert not kin.related(one, two)


def test_who_cannot_be_seen_is_no_stranger(start: Start):
    (one,) = start(WAITS)
    assert kin.related(one, 2**22)
    assert kin.related(2**22, one)
