"""Ends of processes where the kernel does not say that they have been reaped, as Linux before 6.9."""

from __future__ import annotations

import os
import select
import subprocess
from types import SimpleNamespace

import pytest

from seatrial.monitor.ends import WAIT_NS, Ends
from seatrial.monitor.following import Following
from seatrial.monitor.process import pidfd
from seatrial.monitor.process.tree import Tree
from seatrial.wire.masking.mask import Mask

OLD = (None, "PIDFD_GET_INFO: not known to this kernel")


class Killed:
    """A process that was watched and has been killed. Its pidfd is polled, and its hang-up is not listened to."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["sleep", "600"])
        self.events = []
        self.poll = select.epoll()
        self.following = Following(self.poll)
        target = SimpleNamespace(name="a", main=None)
        target.tree = Tree("a", Mask(), say=lambda _: None, follow=lambda watched: self.following.add(target, watched))
        assert target.tree.adopt(self.process.pid, None, 0)
        self.watched = target.main = target.tree.main
        self.target, self.handle = target, self.watched.pidfd
        self.ends = Ends(self.events.append, self.following.drop)

    def end(self) -> None:
        self.process.kill()
        assert select.select([self.handle], [], [], 15)[0]
        self.ends.add(self.target, self.watched, 1, None, 0)

    def settled(self) -> str:
        """What the event says of its source; its pidfd is neither open nor polled after it."""
        self.ends.settle(WAIT_NS)
        assert not self.events
        self.ends.settle(1 + WAIT_NS)
        assert not self.following
        assert self.watched.pidfd is None
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(self.handle)
        assert not self.target.tree.watched
        assert not self.ends.pending
        (event,) = self.events
        return event.source


@pytest.fixture
def killed():
    made = Killed()
    yield made
    made.process.kill()
    made.process.wait()
    made.poll.close()


@pytest.mark.parametrize("reaped", [False, True])
def test_an_end_that_no_hang_up_follows_leaves_no_pidfd(killed, monkeypatch, reaped):
    monkeypatch.setattr(pidfd, "status_from_info", lambda _: OLD)
    killed.end()
    if reaped:
        killed.process.wait()
    assert killed.settled() == "zombie"
    assert killed.events[0].status == 9


@pytest.mark.parametrize(("reaped", "why"), [(False, "its parent has not reaped it"), (True, OLD[1])])
def test_that_the_parent_has_not_reaped_it_is_said_of_zombies_alone(killed, monkeypatch, reaped, why):
    monkeypatch.setattr(pidfd, "status_from_info", lambda _: OLD)
    killed.watched.process.traceable = False
    killed.end()
    if reaped:
        killed.process.wait()
    assert killed.settled() == f"unobservable: {why}; its zombie may not be read by this user"
