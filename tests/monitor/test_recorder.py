"""What the recorder sees of real processes that end, freeze, go deaf and come back."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import statistics
import urllib.request

import pytest

from seatrial.kinds.llama_cpp import may_sleep
from seatrial.monitor.process.tree import Tree
from seatrial.wire.masking.mask import Mask
from tests.monitor.beats import beats, between, mid_second, pace
from tests.waiting import until

MS = 1_000_000


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_by_a_signal_is_told_with_its_signal(serve, recording, number):
    server = serve()
    recording.watch(server).healthy()
    server.send(number)
    server.ended_at()
    (event,) = until(lambda: recording.events("exit"), "the exit")
    assert event.status is not None
    assert event.status & 0x7F == number
    assert event.source in ("pidfd-info", "zombie")
    assert (event.pid, event.parent) == (server.pid, 0)
    (stop,) = recording.seal()
    assert (stop.family, stop.signal, stop.pid) == ("STOPPED", number, server.pid)
    assert stop.cause.startswith("UNKNOWN")
    assert stop.dead_at == event.at
    assert any("OOM" in text for text in stop.excluded)


def test_ends_are_told_by_the_pidfd_and_not_found_by_the_next_look(serve, recording):
    """Most of seven: on a machine that does other work, one may wait for its turn to run.

    Each by its own name: a port that one of them has left may be another test's by now, whose server is then found.
    """
    looks = []
    for n in range(1, 8):
        server, name = serve(), f"a{n}"
        recording.watch(server, name=name, pid=server.pid)
        until(lambda of=name: recording.events("found", of), "the process")
        mid_second(lambda: beats(recording.lines())[-1])
        server.send(signal.SIGKILL)
        ended_at = server.ended_at()
        event = until(lambda of=name: recording.events("exit", of), "the exit")[0]
        looks.append(between(beats(recording.lines()), ended_at, event.at))
    assert statistics.median(looks) == 0


def test_an_exit_code_is_told(serve, recording):
    server = serve()
    recording.watch(server).healthy()
    with contextlib.suppress(OSError):
        urllib.request.urlopen(f"{server.url}/exit/3", timeout=5)
    server.ended_at()
    (event,) = until(lambda: recording.events("exit"), "the exit")
    assert event.status == 3 << 8
    (stop,) = recording.seal()
    assert (stop.kind, stop.code) == ("exit", 3)


def test_an_end_that_no_parent_reaps_is_read_from_the_zombie(serve, recording):
    server = serve()
    recording.watch(server).healthy()
    server.send(signal.SIGKILL)
    server.ended_at(reap=False)
    (event,) = until(lambda: recording.events("exit"), "the exit")
    assert (event.status, event.source) == (9, "zombie")


def test_a_server_named_by_its_pid_is_watched_before_it_listens(serve, recording):
    server = serve()
    recording.watch(server, pid=server.pid, generation=4)
    (event,) = until(lambda: recording.events("found"), "the process")
    assert (event.pid, event.generation, event.parent) == (server.pid, 4, 0)
    recording.healthy()
    assert len(recording.events("found")) == 1


def test_a_stopped_server_is_in_state_t_is_not_asked_and_delays_nothing(serve, recording):
    server = serve()
    recording.watch(server).healthy()
    server.send(signal.SIGSTOP)
    until(lambda: sum(s.state == "T" for s in recording.samples()) >= 4, "four samples in state T")
    server.send(signal.SIGCONT)
    until(lambda: recording.samples()[-1].state != "T" and recording.probes()[-1].health == 200, "it runs again")
    lines = recording.lines()
    assert pace(beats(lines)) < 1.5
    frozen = [p for p in recording.probes() if p.health is None and p.listens]
    assert {p.error for p in frozen} <= {"deadline", "not asked: the process is stopped"}
    queues = [p.queue for p in frozen]  # /health and the scheduler may have been asked as it was stopped
    assert queues
    assert all(queue is not None and queue <= 2 for queue in queues), queues
    (stop,) = recording.seal()
    assert stop.family == "FROZEN"
    assert stop.until is not None


def test_connections_that_wait_in_the_listen_queue_are_counted(serve, recording):
    server = serve()
    recording.watch(server).healthy()
    server.send(signal.SIGSTOP)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
        until(lambda: (recording.probes()[-1].queue or 0) >= 3, "three in the queue")
    server.send(signal.SIGCONT)


def test_a_listener_closed_under_a_living_process_is_deaf(serve, recording):
    server = serve()
    recording.watch(server).healthy()
    server.send(signal.SIGUSR1)
    until(lambda: [p.listens for p in recording.probes()[-3:]] == [False] * 3, "three looks without a socket")
    assert recording.samples()[-1].pid == server.pid
    assert recording.probes()[-1].error == "refused"
    (stop,) = recording.seal()
    assert (stop.family, stop.signal) == ("DEAF", None)


def test_a_successor_is_found_within_100_ms_and_makes_a_restart(serve, recording):
    server = serve()
    recording.watch(server).healthy()
    server.send(signal.SIGKILL)
    ended_at = server.ended_at()
    successor = serve(server.port)
    (_, found) = until(lambda: len(recording.events("found")) == 2 and recording.events("found"), "the successor")
    assert found.pid == successor.pid
    assert found.at > ended_at
    well = until(lambda: [p for p in recording.probes() if p.t > found.at and p.health == 200], "the successor answers")
    (stop,) = recording.seal()
    assert (stop.family, stop.signal, stop.pid) == ("RESTARTED", 9, server.pid)
    assert stop.successor == found.incarnation
    assert stop.until == well[0].t


def test_a_planned_restart_is_no_stop(serve, recording):
    server = serve()
    recording.watch(server, pid=server.pid).healthy()
    recording.command(planned_stop="a")
    until(lambda: recording.events("planned-stop"), "the announcement")
    server.send(signal.SIGTERM)
    server.ended_at()
    successor = serve()
    recording.watch(successor, pid=successor.pid, generation=1)
    until(lambda: len(recording.events("found")) == 2 and recording.events("exit"), "the successor")
    until(lambda: recording.probes()[-1].owner == successor.pid, "the successor's socket")
    assert recording.seal() == ()


def test_a_child_is_an_incarnation_of_its_own(serve, recording):
    server = serve()
    recording.watch(server).healthy()
    child = int(urllib.request.urlopen(f"{server.url}/child", timeout=5).read())
    until(lambda: any(s.pid == child for s in recording.samples()), "the child")
    os.kill(child, signal.SIGKILL)
    (event,) = until(lambda: recording.events("exit"), "the child's end")
    assert (event.pid, event.parent, event.status) == (child, server.pid, 9)
    assert recording.seal() == ()


def test_two_servers_are_told_apart(serve, recording):
    one, two = serve(), serve()
    recording.watch(one, name="one").watch(two, name="two")
    until(lambda: {s.name for s in recording.samples()} == {"one", "two"}, "both")
    two.send(signal.SIGKILL)
    two.ended_at()
    until(lambda: recording.events("exit"), "the exit")
    (stop,) = recording.seal()
    assert stop.name == "two"


def test_arguments_are_shown_without_secrets(serve, recording):
    server = serve(0, "--api-key", "sk-hidden", "--auth-token=sk-too", "--ctx", "8192")
    recording.watch(server)
    (event,) = until(lambda: recording.events("found"), "the process")
    assert "sk-" not in str(event.facts)
    assert event.facts["arguments"].endswith("--api-key * --auth-token=* --ctx 8192")
    assert event.facts["exe"].startswith("/")


def test_a_long_command_line_is_cut_where_it_is_shown_and_not_where_it_is_asked_whether_it_sleeps(serve):
    server = serve(0, "--chat-template", "{{ x }} " * 300, "--sleep-idle-seconds", "300")
    said = []
    tree = Tree("a", Mask(), say=said.append, follow=lambda _: None)
    assert tree.adopt(server.pid, None, 0)
    assert len(said[0].facts["arguments"]) == 2000
    assert not may_sleep(said[0].facts["arguments"])
    assert may_sleep(tree.main.process.arguments)
    os.close(tree.main.pidfd)
    tree.drop(tree.main)


def test_the_end_of_an_idle_server_is_bounded_by_its_silent_pidfd(serve, recording):
    server = serve()
    recording.watch(server).healthy()
    mid_second(lambda: recording.probes()[-1].t)
    last_look = recording.probes()[-1].t
    sent_at = server.send(signal.SIGKILL)
    server.ended_at()
    until(lambda: recording.events("exit"), "the exit")
    (stop,) = recording.seal()
    assert stop.alive_at < sent_at <= stop.dead_at
    assert stop.alive_at > last_look, "its pidfd was silent later than the last look"
    assert stop.proof.startswith("its process ran (")
