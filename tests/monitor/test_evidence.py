"""The parts that read the machine: sockets, processes, pidfds."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from ipaddress import ip_address
from pathlib import Path

import pytest

from seatrial.monitor.ladder import prober
from seatrial.monitor.ladder.questions import below
from seatrial.monitor.process import pidfd, proc, sockets
from seatrial.monitor.process.owners import Finder
from seatrial.monitor.target import open_target
from seatrial.records.targets import Watch
from tests.waiting import until


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "print(flush=True)\nimport signal\nsignal.pause()"],
                               stdout=subprocess.PIPE)  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"),
                                                 (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")])  # fmt: skip
def test_a_listen_socket_is_found_with_queue_and_owner(family, address):
    with socket.create_server((address, 0), family=family, backlog=7) as server:
        port = server.getsockname()[1]
        diag = sockets.SockDiag()
        (found,) = [x for x in diag.listeners() if x.port == port]
        assert found.address == ip_address(address)
        assert (found.queue, found.backlog, found.uid) == (0, 7, os.getuid())
        assert found.inode == os.fstat(server.fileno()).st_ino
        assert sockets.owner_of(found.inode) == (os.getpid(), "")
        assert found.serves([ip_address("127.0.0.1"), ip_address("::1")])
        local = "127.0.0.1" if family == socket.AF_INET else "::1"
        with socket.create_connection((local, port), timeout=5):
            assert [x.queue for x in diag.listeners() if x.port == port] == [1]
        diag.close()


def test_a_connected_socket_is_no_listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            diag = sockets.SockDiag()
            assert len([x for x in diag.listeners() if x.port == port]) == 1
            diag.close()
    assert not [x for x in sockets.SockDiag().listeners() if x.port == port]


def test_a_socket_that_nobody_holds_has_no_owner_and_a_reason():
    owner, why = sockets.owner_of(2**31)
    assert owner is None
    assert why


def test_identity_stays_and_figures_are_read(sleeper):
    until(lambda: proc.Process(sleeper.pid).look().state == "S", "it sleeps")
    one, two = proc.Process(sleeper.pid), proc.Process(sleeper.pid)
    assert one.incarnation == two.incarnation
    assert one.incarnation.endswith(f"-{sleeper.pid}-{one.started_ticks}")
    reading = one.look()
    assert reading is not None
    assert reading.state == "S"
    assert reading.threads == 1
    assert (reading.memory or 0) > 10**6
    assert (reading.cpu_ns or 0) > 10**6
    assert (reading.fds or 0) >= 3
    assert (reading.io or 0) > 1000
    assert (reading.size or 0) > (reading.memory or 0)
    assert reading.switches is None  # not known yet whether it rests
    assert (one.look().switches or 0) > 0
    assert one.look(closely=False).switches is None


def test_a_process_that_works_has_no_switches_counted():
    process = subprocess.Popen([sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        found = proc.Process(process.pid)
        first = found.look()
        second = until(lambda: (x := found.look()) and x.cpu_ns > first.cpu_ns and x, "CPU time")
        assert second.switches is None
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_name_with_brackets_and_spaces_does_not_shift_the_fields():
    code = (
        "import ctypes; ctypes.CDLL(None).prctl(15, b') S 1 (x y)'); print(flush=True); import signal; signal.pause()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        found = proc.Process(process.pid)
        assert found.parent == os.getpid()
        assert found.look().threads == 1
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_process_that_is_gone_gives_nothing_and_never_its_successor(sleeper):
    found = proc.Process(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert found.look() is None
    assert not found.lives()
    with pytest.raises(proc.Gone):
        proc.Process(sleeper.pid)


def test_children_of_every_thread_are_listed():
    code = (
        "import subprocess, sys, threading\n"
        "def run():\n"
        "    print(subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']).pid, flush=True)\n"
        "    threading.Event().wait()\n"
        "threading.Thread(target=run).start()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        assert proc.descendants(process.pid) == [(child, process.pid)]
        assert (process.pid, os.getpid()) in proc.descendants(os.getpid())
    finally:
        os.kill(child, signal.SIGKILL)
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_the_status_is_told_by_the_zombie_before_and_by_the_pidfd_after(sleeper, number):
    handle, why = pidfd.open_pidfd(sleeper.pid)
    assert handle is not None, why
    stat = os.open(f"/proc/{sleeper.pid}/stat", os.O_RDONLY)
    assert pidfd.status_from_zombie(stat)[0] is None
    os.kill(sleeper.pid, number)
    assert select.select([handle], [], [], 10)[0]
    assert pidfd.status_from_info(handle)[0] is None
    status, _ = pidfd.status_from_zombie(stat)
    assert status is not None
    assert status & 0x7F == number
    sleeper.wait()
    assert pidfd.status_from_zombie(stat)[0] is None
    told, why = pidfd.status_from_info(handle)
    assert told == status or "6.15" in why
    os.close(handle)
    os.close(stat)


def test_a_pid_that_is_gone_has_no_pidfd_and_a_reason():
    assert pidfd.open_pidfd(2**22 - 1)[0] is None


def test_a_cgroup_whose_name_is_no_text_is_read(monkeypatch, tmp_path):
    folder = tmp_path / os.fsdecode(b"a\xff")
    folder.mkdir()
    (folder / "memory.events").write_text("oom 4\noom_kill 3\n")
    monkeypatch.setattr(proc, "_CGROUP", tmp_path)
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"0::/a\xff\n" if path.name == "cgroup" else real(path))
    assert proc.Process(os.getpid()).oom_kills() == 3


@pytest.mark.parametrize(("base", "url"), [
    ("http://h:8080", "http://h:8080/health"), ("http://h:8080/", "http://h:8080/health"),
    ("http://h/prefix", "http://h/prefix/health"), ("https://u:p@h", "https://h/health"),
])  # fmt: skip
def test_health_stands_below_the_root(base, url):
    assert below(base, "/health") == url


def test_a_name_that_resolves_late_has_its_processes_taken_up_then(monkeypatch, serve):
    server, tries, resolve = serve(), [], socket.getaddrinfo

    def late(host, *more, flags=0, **named):
        if host != "late.test":
            return resolve(host, *more, flags=flags, **named)
        if not flags:
            tries.append(threading.current_thread().name)
        if flags or len(tries) < 4:
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return resolve("127.0.0.1", *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", late)
    monkeypatch.setattr(prober, "RESOLVE_S", 0.0)
    wake = os.eventfd(0)
    finder, listening = Finder(wake), sockets.Listening()
    command = Watch(name="a", host="late.test", port=server.port, base=f"http://late.test:{server.port}")
    target = open_target(command, finder, wake, say=lambda _: None, follow=lambda *_: None)
    assert "its name is not resolved" in target.look(listening.look(), 1).why

    def taken_up():
        target.prober.ask()
        return target.look(listening.look(), 1).listens and target.main

    assert until(taken_up, "the process behind the name").process.pid == server.pid
    assert threading.main_thread().name not in tries, "no name is looked up in the loop"
    target.close()
    finder.close()
    os.close(wake)


def test_where_the_kernel_refuses_to_name_sockets_the_watch_goes_on(monkeypatch):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    listening = sockets.Listening()
    assert listening.look() is not None
    monkeypatch.setattr(sockets.SockDiag, "_dump", refused)
    assert listening.look() is None
    monkeypatch.setattr(sockets.SockDiag, "__init__", refused)
    assert sockets.Listening().look() is None
    wake = os.eventfd(0)
    finder = Finder(wake)
    said = []
    target = open_target(
        Watch(name="a", host="127.0.0.1", port=1, base="http://127.0.0.1:1"), finder, wake, say=said.append,
        follow=lambda *_: None,
    )  # fmt: skip
    assert target.look(None, 1).why == "sockets unobservable: sock_diag is refused"
    assert target.look(None, 2).why == ""
    target.close()
    finder.close()
    os.close(wake)
