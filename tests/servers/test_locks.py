"""Locks on an endpoint, with real processes."""

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from seatrial.given.errors import ConfigError
from seatrial.servers import holders, locks
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
            os.sched_yield()  # a turn for the others
            inside -= 1

    threads = [threading.Thread(target=lambda: [enter() for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 1


def left(tmp_path):
    return [path.name for path in tmp_path.glob("seatrial-*/*")]


@pytest.mark.parametrize("mode", ["shared", "exclusive"])
def test_whoever_leaves_last_removes_the_files(tmp_path, mode):
    with locks.shared(URL), locks.shared(URL):
        assert "127.0.0.1-8080.room" in left(tmp_path)
    assert left(tmp_path) == []
    with getattr(locks, mode)(URL), pytest.raises(locks.LockTimeout), locks.exclusive(URL, timeout_s=0):
        raise AssertionError
    assert left(tmp_path) == []


def test_a_file_that_was_removed_under_a_waiter_is_no_lock(tmp_path):
    """As where its last holder goes between two looks of the waiter."""
    with process("shared") as first:
        assert held(first)
        with process("exclusive") as waiter:
            until(lambda: not free("shared"), "the waiter waits", WAIT_S)
            (room,) = tmp_path.glob("seatrial-*/*.room")
            room.unlink()
            assert held(waiter)
            assert not free("shared")
            first.kill()
            first.wait(WAIT_S)
            assert not free("shared")
            assert room.exists()


def test_a_file_that_cannot_be_opened_again_gives_no_number_up_twice(monkeypatch):
    opened, real = [], locks._opened

    def once(path):
        if opened:
            raise OSError(errno.EMFILE, "too many")
        opened.append(real(path))
        return opened[0]

    monkeypatch.setattr(locks, "_opened", once)
    monkeypatch.setattr(locks, "_stands", lambda *_: False)
    with pytest.raises(OSError, match="too many"), locks.shared(URL):
        pass
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(opened[0])


def test_a_time_out_is_one_line_and_in_time():
    with process("exclusive") as holder:
        assert held(holder)
        begun = time.monotonic()
        who = rf"^waiting for 127\.0\.0\.1:8080, 0 s so far: process {holder.pid} holds it alone since"
        late = pytest.raises(locks.LockTimeout, match=who)
        with late, locks.shared(URL, timeout_s=0.2):
            raise AssertionError
        assert time.monotonic() - begun >= 0.2
        assert holder.poll() is None, "it is held still"


def test_a_time_out_in_the_room_gives_the_turnstile_back():
    with process("shared") as holder:
        assert held(holder)
        assert not free("exclusive")
        assert free("shared")


def test_who_waits_is_told_at_once_whom_for_and_how_to_end_it():
    said = []
    with process("exclusive") as holder:
        assert held(holder)
        claim = locks.Claim("reports/runs/second", say=said.append)
        with pytest.raises(locks.LockTimeout), locks.exclusive(URL, timeout_s=2.5, claim=claim):
            raise AssertionError
        assert len(said) == 1  # and again after half a minute
        assert f"process {holder.pid} holds it alone since " in said[0]
        assert said[0].endswith(f"kill -INT {holder.pid} ends it")


def test_one_that_is_stopped_is_named_and_not_waited_for_long(monkeypatch):
    """The wait itself is given ten minutes: it ends within the test's deadline for the holder is stopped, or not."""
    monkeypatch.setattr(locks, "STOPPED_S", 1.0)
    said, ended = [], []

    def wait():
        try:
            with locks.shared(URL, timeout_s=600, claim=locks.Claim("r", say=said.append)):
                ended.append("it was had")
        except locks.LockTimeout as error:
            ended.append(str(error))

    with process("exclusive") as holder:
        assert held(holder)
        holder.send_signal(signal.SIGSTOP)
        waiter = threading.Thread(target=wait)
        waiter.start()
        until(lambda: ended, "the stopped holder is given up", WAIT_S)
    waiter.join(WAIT_S)
    (text,) = ended
    assert f"is STOPPED: kill -CONT {holder.pid} lets it go on, kill" in text
    assert "is STOPPED" in said[0]


def test_one_that_waits_to_have_it_alone_is_named_by_those_it_keeps_out():
    with process("shared") as first:
        assert held(first)
        with process("exclusive") as second:
            until(lambda: not free("shared"), "the waiter waits", WAIT_S)
            late = pytest.raises(locks.LockTimeout, match=rf"process {second.pid} waits to have it alone")
            with late, locks.shared(URL, timeout_s=0.2):
                raise AssertionError


def test_a_wait_for_requests_of_ones_own_run_is_not_told():
    said = []
    with locks.shared(URL, claim=locks.Claim("mine")):
        late = pytest.raises(locks.LockTimeout)
        with late, locks.exclusive(URL, timeout_s=1.5, claim=locks.Claim("mine", say=said.append)):
            raise AssertionError
    assert said == []


def test_notes_go_with_the_lock_and_those_of_the_dead_with_the_next_look(tmp_path):
    with locks.shared(URL):
        assert len(list(tmp_path.glob("seatrial-*/*.by-*"))) == 1
    assert list(tmp_path.glob("seatrial-*/*.by-*")) == []
    with process("exclusive") as holder:
        assert held(holder)
    (left,) = tmp_path.glob("seatrial-*/*.by-*")
    assert holders.others(left.parent, "127.0.0.1-8080", alone=True) == []
    assert not left.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1, "how": "naps", "since": ""}'])
def test_a_note_that_says_nothing_costs_nothing(content):
    path = locks.folder() / "127.0.0.1-8080.by-1-0"
    path.write_text(content)
    with path.open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert holders.others(path.parent, "127.0.0.1-8080", alone=True) == []


def test_what_a_note_says_is_shown_harmless():
    said = holders.Holder(1, "alone", "12:00:00\x1b[2J", run="\x1b]0;x\x07\u202e", what="a\nb").words()
    assert said.isprintable()


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
