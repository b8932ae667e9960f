"""More processes than a second writes samples of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil

from seatrial.monitor.process.tree import Tree
from seatrial.records import Event
from seatrial.wire.masking.mask import Mask
from tests.monitor.processes import let_go
from tests.waiting import until


def test_of_many_processes_the_busiest_and_some_in_turn_are_looked_at():
    said: list[Event] = []
    many = [subprocess.Popen(["sleep", "600"]) for _ in range(60)]
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    tree = Tree("a", Mask(), say=said.append, follow=lambda _: None)
    try:
        tree.adopt(os.getpid(), None, 1)
        for child in (*many, busy):
            assert until(lambda pid=child.pid: tree.adopt(pid, os.getpid(), 1), "it is taken up")
        first = {line.pid for line in tree.samples(closely=False)}
        ours = {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
        assert first == tree.shown == ours >= {busy.pid, *(child.pid for child in many)}
        looks = []
        for _ in range(20):
            used = tree.watched[busy.pid].process.cpu_ns()
            until(lambda before=used: tree.watched[busy.pid].process.cpu_ns() > before, "it works on")
            looks.append([line.pid for line in tree.samples(closely=False)])
        assert {len(look) for look in looks} == {17}
        assert all(os.getpid() in look and len(set(look)) == len(look) for look in looks)
        assert sum(busy.pid in look for look in looks) >= 19
        assert set().union(*looks) == first
        assert sum("more than 16 processes" in event.text for event in said) == 1
    finally:
        let_go(tree)
        for child in (*many, busy):
            child.kill()
            child.wait()


def test_one_of_many_that_is_stopped_is_so_until_a_look_shows_otherwise():
    many = [subprocess.Popen(["sleep", "600"]) for _ in range(30)]
    tree = Tree("a", Mask(), say=lambda _: None, follow=lambda _: None)
    one = many[7].pid

    def look():
        seen = {line.pid: line.state for line in tree.samples(closely=False)}
        return seen, one in tree.stopped

    try:
        tree.adopt(os.getpid(), None, 1)
        for child in many:
            assert until(lambda pid=child.pid: tree.adopt(pid, os.getpid(), 1), "it is taken up")
        many[7].send_signal(signal.SIGSTOP)
        until(lambda: look()[1], "it is seen as stopped")
        looks = [look() for _ in range(20)]
        assert all(stopped for _, stopped in looks)
        assert any(one not in seen for seen, _ in looks)
        many[7].send_signal(signal.SIGCONT)
        until(lambda: look()[0].get(one) == "S", "it is looked at again")
        assert one not in tree.stopped
        many[7].send_signal(signal.SIGSTOP)
        until(lambda: look()[1], "it is seen as stopped")
        tree.watched[one].ended_at = 1
        assert not look()[1], "it has ended"
    finally:
        let_go(tree)
        for child in many:
            child.kill()
            child.wait()
