"""Locks on an endpoint, with real processes."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from seatrial.given.errors import ConfigError
from seatrial.servers import locks
from tests.waiting import until

from .conftest import WAIT_S

URL = "http://127.0.0.1:8080/v1"

HOLDER = """
import signal, sys
from seatrial.servers import locks
with getattr(locks, sys.argv[1])(sys.argv[2], timeout_s=20):
    print("held", flush=True)
    signal.pause()
"""


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    """Locks of this test alone, here and in its children."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@contextlib.contextmanager
def process(mode, url=URL):
    """A process that takes the lock; it is told to be killed at the end."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, mode, url], stdout=subprocess.PIPE, text=True) as holder:
        try:
            yield holder
        finally:
            holder.kill()


def held(holder):
    return holder.stdout.readline() == "held\n"


def free(mode, url=URL):
    """Whether the lock can be had at once."""
    try:
        with getattr(locks, mode)(url, timeout_s=0):
            return True
    except locks.LockTimeout:
        return False


def test_sharers_share_and_one_alone_is_alone():
    with process("shared") as holder:
        assert held(holder)
        assert free("shared")
        assert not free("exclusive")
    assert free("exclusive")
    with process("exclusive") as holder:
        assert held(holder)
        assert not free("shared")
        assert not free("exclusive")
        assert free("exclusive", "http://127.0.0.1:8081/v1")


def test_the_key_is_host_and_port_whatever_the_path():
    with process("exclusive", "http://LOCALHOST:8080/other/v1") as holder:
        assert held(holder)
        assert not free("shared", "http://127.0.0.1:8080/v1")
        assert not free("shared", "http://[::1]:8080/v1")
        assert free("shared", "http://[::2]:8080/v1")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_death_frees_it(number):
    with process("exclusive") as holder:
        assert held(holder)
        holder.send_signal(number)
        with locks.exclusive(URL, timeout_s=5):
            pass


def test_one_who_waits_alone_is_not_starved_by_sharers():
    with process("shared") as first:
        assert held(first)
        with process("exclusive") as waiter:
            # The waiter holds the turnstile: later sharers stay out.
            until(lambda: not free("shared"), "the waiter waits", WAIT_S)
            first.kill()
            assert held(waiter)


def test_threads_are_kept_apart_too():
    inside, most = 0, 0

    def enter():
        nonlocal inside, most
        with locks.exclusive(URL, timeout_s=20):
            inside += 1
            most = max(most, inside)
            time.sleep(0)
            inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 1


def test_a_time_out_is_one_line_and_in_time():
    with process("exclusive") as holder:
        assert held(holder)
        begun = time.monotonic()
        late = pytest.raises(locks.LockTimeout, match=r"^another process holds 127\.0\.0\.1-8080: wait")
        with late, locks.shared(URL, timeout_s=0.2):
            raise AssertionError
        assert 0.2 <= time.monotonic() - begun < 2


def test_a_time_out_in_the_room_gives_the_turnstile_back():
    with process("shared") as holder:
        assert held(holder)
        assert not free("exclusive")
        assert free("shared")


def test_a_folder_of_others_is_not_used(tmp_path):
    folder = tmp_path / f"seatrial-{os.getuid()}"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(ConfigError, match="is not a folder of yours alone"):
        locks.folder()
    folder.rmdir()
    folder.symlink_to("/tmp")
    with pytest.raises(ConfigError, match="is not a folder of yours alone"):
        locks.folder()
