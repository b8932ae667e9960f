"""Children as incarnations of their own, and what else may stand behind a port."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from functools import partial

import pytest

from seatrial.monitor.process import fingerprint, proc
from seatrial.monitor.process.owners import Finder
from seatrial.monitor.process.tree import Tree
from seatrial.records import Event
from seatrial.wire.masking.mask import Mask
from seatrial.wire.sockdiag import SockDiag
from tests.monitor.beats import beats, between
from tests.monitor.processes import let_go
from tests.waiting import until

MS = 1_000_000

OTHER = """
import http.server, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    def server_bind(self):
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            self.socket.setsockopt(socket.SOL_SOCKET, option, 1)
        self.socket.bind((sys.argv[1], int(sys.argv[2])))
        self.server_port = self.socket.getsockname()[1]
server = Server((sys.argv[1], int(sys.argv[2])), Handler)
print(server.server_port, flush=True)
server.serve_forever(poll_interval=0.05)
"""


class Other:
    """A server that shares its port with whoever else is willing to."""

    def __init__(self, address: str, port: int = 0) -> None:
        command = [sys.executable, "-c", OTHER, address, str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.pid, self.port = self.process.pid, int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def other():
    made: list[Other] = []

    def start(address: str = "127.0.0.1", port: int = 0) -> Other:
        made.append(Other(address, port))
        return made[-1]

    yield start
    for each in made:
        each.close()


FORKS = """
import os, sys
if not os.fork():
    sys.stdin.read(1)
    os.execv("/bin/sleep", ["sleep", "600"])
print(flush=True)
os.wait()
"""
"""A parent whose child becomes another program when it is told to."""


@pytest.fixture
def forked():
    """The parent, and the pid of its child, which still looks like it."""
    parent = subprocess.Popen([sys.executable, "-c", FORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    parent.stdout.readline()
    (child,) = proc.children(parent.pid)
    yield parent, child
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    parent.kill()
    parent.communicate()


def become(parent: subprocess.Popen[bytes], child: int) -> None:
    assert parent.stdin is not None
    parent.stdin.write(b"x")
    parent.stdin.flush()
    until(lambda: fingerprint.take(child, 0, 0).get("arguments") == "sleep 600", "the child is another program")


def test_a_child_is_taken_up_as_what_it_becomes(forked, monkeypatch):
    """However long it takes the child to become it, and the recorder to come back to what it read."""
    parent, child = forked
    said: list[Event] = []
    tree = Tree("a", Mask(), say=said.append, follow=lambda _: None)
    assert tree.adopt(parent.pid, None, 1)
    monkeypatch.setattr(proc.Process, "age_ns", lambda self: 900 * MS)
    assert not tree.adopt(child, parent.pid, 2)
    take = fingerprint.take

    def torn(pid: int, *more: int) -> dict[str, str]:
        """Its program is read before it becomes another, its arguments after."""
        old = take(pid, *more)
        if old["arguments"] != "sleep 600":
            become(parent, child)
        return take(pid, *more) | {"exe": old["exe"]}

    monkeypatch.setattr(fingerprint, "take", torn)
    assert not tree.adopt(child, parent.pid, 3)
    assert tree.adopt(child, parent.pid, 4)
    facts = {event.pid: event.facts for event in said}
    assert facts[child]["arguments"] == "sleep 600"
    assert facts[child]["exe"] == os.path.realpath("/bin/sleep")
    let_go(tree)


def test_a_child_that_stays_as_its_parent_is_taken_up(forked):
    parent, child = forked
    tree = Tree("a", Mask(), say=lambda _: None, follow=lambda _: None)
    assert tree.adopt(parent.pid, None, 1)
    until(lambda: tree.adopt(child, parent.pid, 2), "it is old enough to stay as it is")
    let_go(tree)


def lived(found: Event) -> bool:
    """Whether a process is old enough for its end to be that of a runner."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - found.started_ticks / 100 > 1.2


def test_a_runner_replaced_under_its_living_parent_is_found_before_children_are_looked_for(serve, recording):
    server = serve()
    recording.watch(server).healthy()
    urllib.request.urlopen(f"{server.url}/runner", timeout=5).read()
    first = until(lambda: [e for e in recording.events("found") if e.parent == server.pid], "the runner")[0]
    until(lambda: any(s.pid == first.pid and s.state == "S" for s in recording.samples()), "it has lived a while")
    until(partial(lived, first), "a second of life")
    os.kill(first.pid, signal.SIGKILL)
    (ended,) = until(lambda: recording.events("exit"), "its end")
    second = until(lambda: [e for e in recording.events("found") if e.parent == server.pid][1:], "the next runner")[0]
    assert (ended.pid, ended.parent, ended.status) == (first.pid, server.pid, 9)
    assert second.pid != first.pid
    assert second.facts["arguments"] == first.facts["arguments"]
    assert second.at > ended.at
    assert between(beats(recording.lines()), ended.at, second.at) <= 1  # they are looked for every five seconds
    assert proc.exists(server.pid)
    assert len([e for e in recording.events("found") if not e.parent]) == 1


def test_a_child_that_is_not_yet_its_own_program_is_not_taken_for_one(serve, recording):
    """Forked and about to become another program, it would be told with its parent's name."""
    code = (
        "import os, sys, time\n"
        "print(flush=True)\n"
        "while True:\n"
        "    pid = os.fork()\n"
        "    if not pid:\n"
        "        time.sleep(0.05)\n"
        "        os.execvp('sleep', ['sleep', '600'])\n"
        "    os.waitpid(pid, 0)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        recording.watch_pid(process.pid)
        for count in (1, 2, 3):
            found = until(lambda n=count: (x := recording.events("found")[1:]) and len(x) == n and x[-1], "a child")
            assert found.facts["arguments"] == "sleep 600"
            until(
                lambda x=found: time.clock_gettime(time.CLOCK_BOOTTIME) - x.started_ticks / 100 > 1.2,
                "a second of life",
            )
            os.kill(found.pid, signal.SIGKILL)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # with it the child that it has forked by now
        process.wait()
        process.stdout.close()


def test_a_program_that_takes_the_port_is_told_with_its_fingerprint(serve, recording, other):
    server = serve()
    recording.watch(server).healthy()
    server.send(signal.SIGKILL)
    server.ended_at()
    impostor = other("127.0.0.1", server.port)
    _, found = until(lambda: len(recording.events("found")) == 2 and recording.events("found"), "the other program")
    assert (found.pid, found.parent) == (impostor.pid, 0)
    until(lambda: recording.probes()[-1].owner == impostor.pid, "its socket")
    probe = recording.probes()[-1]
    assert found.facts["socket"] == str(probe.inode)
    assert found.facts["address"] == f"127.0.0.1:{server.port}"
    assert found.facts["parent"] == str(os.getpid())
    assert {"exe", "arguments", "session", "signals ignored", "signals caught", "limit of open files"} <= {*found.facts}


def test_a_port_shared_by_two_processes_is_said_once_with_both(recording, other):
    one = other()
    two = other("127.0.0.1", one.port)
    recording.watch(one)
    both = sorted([one.pid, two.pid])
    until(lambda: len(recording.probes()) >= 3 and sorted(recording.probes()[-1].owners) == both, "the owners")
    said = until(lambda: [text for text in recording.troubles() if "share port" in text], "the trouble")
    assert len(said) == 1
    assert f"{one.pid} (" in said[0]
    assert f"{two.pid} (" in said[0]
    assert said[0].startswith(f"2 sockets share port {one.port} (127.0.0.1): ")


def test_ipv4_and_ipv6_listeners_of_one_port_are_both_named(recording, other):
    six = other("::")
    four = other("127.0.0.1", six.port)
    recording.watch(four)
    until(lambda: recording.probes() and recording.probes()[-1].owner == four.pid, "the most exact one")
    both = sorted([four.pid, six.pid])
    until(lambda: sorted(recording.probes()[-1].owners) == both, "both owners")


def test_when_one_of_two_owners_ends_the_other_is_found(recording, other):
    one = other()
    two = other("127.0.0.1", one.port)
    recording.watch(one)
    first = until(lambda: recording.events("found"), "an owner")[0]
    gone, left = (one, two) if first.pid == one.pid else (two, one)
    gone.process.kill()
    gone.process.wait()
    until(lambda: recording.events("exit"), "its end")
    until(lambda: recording.probes() and recording.probes()[-1].owner == left.pid, "the other")
    assert recording.events("found")[-1].pid == left.pid
    assert recording.probes()[-1].owners == ()


def test_connections_that_are_left_are_counted_while_nobody_listens(serve, recording):
    server = serve()
    recording.watch(server).healthy()
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=5),
        socket.create_connection(("127.0.0.1", server.port), timeout=5),
    ):
        assert {p.established for p in recording.probes()} == {None}
        diag = SockDiag()
        until(lambda: not [x for x in diag.listeners() if x.port == server.port and x.queue], "both are accepted")
        diag.close()
        server.send(signal.SIGUSR1)
        until(lambda: recording.probes()[-1].established == 2, "two connections without a listener")
    assert recording.probes()[-1].listens is False
    until(lambda: recording.probes()[-1].established == 0, "none is left")


def test_the_kernel_counts_the_connections_of_one_port():
    diag = SockDiag()
    with contextlib.ExitStack() as stack:
        one, two = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2))
        for _ in range(2):
            stack.enter_context(socket.create_connection(one.getsockname()))
        assert diag.established(one.getsockname()[1]) == 2
        assert diag.established(two.getsockname()[1]) == 0
    diag.close()


def test_a_named_process_whose_child_listens_stays_the_main_one(recording):
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', sys.argv[1], '127.0.0.1', '0'], stdout=subprocess.PIPE)\n"
        "print(child.pid, child.stdout.readline().decode().strip(), flush=True)\nchild.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, OTHER], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child, port = map(int, parent.stdout.readline().split())
    try:
        recording.command(name="a", host="127.0.0.1", port=port, base=f"http://127.0.0.1:{port}", pid=parent.pid)
        until(lambda: recording.probes() and recording.probes()[-1].owner == child, "the owner")
        until(lambda: {s.pid: s.parent for s in recording.samples()} == {parent.pid: None, child: parent.pid}, "both")
        assert [(e.pid, e.parent) for e in recording.events("found")] == [(parent.pid, 0), (child, parent.pid)]
        assert not recording.events("replaced")
        assert not [text for text in recording.troubles() if "port" in text]
    finally:
        os.kill(child, signal.SIGKILL)
        parent.wait()
        parent.stdout.close()


def test_a_named_process_that_does_not_own_the_port_is_said(serve, recording, other):
    owner, named = serve(), other()
    recording.watch(owner, pid=named.pid)
    until(lambda: recording.probes() and recording.probes()[-1].owner == owner.pid, "the owner")
    (text,) = until(lambda: [text for text in recording.troubles() if "port" in text], "the trouble")
    assert text.startswith(f"port {owner.port} belongs to {owner.pid} (")
    assert f"not to process {named.pid}" in text
    assert [e.pid for e in recording.events("found")] == [named.pid]


def test_a_new_owner_beside_the_old_one_that_lives_is_told_as_replaced(serve, recording, other):
    old = serve()
    recording.watch(old).healthy()
    old.send(signal.SIGUSR1)  # it closes its socket and lives on
    until(lambda: recording.probes()[-1].listens is False, "no socket")
    new = other("127.0.0.1", old.port)
    (event,) = until(lambda: recording.events("replaced"), "the new owner")
    assert (event.pid, event.parent, event.facts["address"]) == (new.pid, 0, f"127.0.0.1:{old.port}")
    count = len(recording.samples())
    until(lambda: {s.pid for s in recording.samples()[count:]} == {old.pid, new.pid}, "both go on being watched")


def test_an_owner_that_cannot_be_named_is_not_sought_each_second():
    wake = os.eventfd(0)
    finder = Finder(wake)
    assert finder.owner(2**31, (), 1) is None
    os.eventfd_read(wake)
    known = finder.owner(2**31, (), 2)
    assert known is not None
    assert known.pid is None
    assert finder.owner(2**31, (), 10**9) is known
    assert finder.owner(2**31, (), 40 * 10**9) is known  # while it is looked for again
    os.eventfd_read(wake)
    assert finder.owner(2**31, (), 40 * 10**9) is not known
    finder.close()
    os.close(wake)
