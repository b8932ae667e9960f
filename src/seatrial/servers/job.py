"""A command that a watch was given: started and ended by the keeper, so that it cannot outlive the watch."""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable

from seatrial.records import Fact, Happening
from seatrial.servers.child import Leader
from seatrial.servers.orders import Command

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # of linux/prctl.h


class Job(Leader):
    """The command's process, in a group of its own. It has no input, and its output goes where the watch's goes.

    It is killed should its parent die. What it starts becomes a child of ours when its own parent ends, so that
    :meth:`end_all` finds it.

    Args:
        command: its descriptors are closed here: the command alone holds them then, and their end is its end.
        loop: its keys hold a callable of no arguments.
        event: writes an event, as the keeper's does.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, command: Command, loop: selectors.BaseSelector, event: Callable[..., None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            process = subprocess.Popen(
                command.argv,
                stdin=subprocess.DEVNULL,
                stdout=command.out,
                stderr=command.err,
                process_group=0,
                preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),  # noqa: PLW1509 - one thread
            )
        finally:
            for handle in {command.out, command.err}:
                os.close(handle)
        super().__init__(process)
        self._name, self._loop, self._event = command.name, loop, event
        event(
            Happening.START,
            name=command.name,
            pid=self.pid,
            at=self.started_at,
            facts={} if command.serves else {Fact.JOB: "yes"},
        )
        loop.register(self.pidfd, selectors.EVENT_READ, self._ended)

    def _ended(self) -> None:
        signalled_at = time.monotonic_ns()
        self._loop.unregister(self.pidfd)
        how = self.reap(signalled_at)
        self._event(
            Happening.EXIT, name=self._name, pid=self.pid, at=how.at, signalled_at=how.signalled_at, status=how.status,
            source="waitid", text=str(how),
        )  # fmt: skip

    def end_all(self, announce: Callable[[str, str], None], grace_s: float, spared: int) -> None:
        """End the command, if it still runs, and whatever it has left behind.

        Args:
            announce: told before, with why and its name, that its end is ours.
            grace_s: seconds between TERM and KILL.
            spared: pid of the child of ours that is not of the command.
        """
        if self.alive and not self.wait(0):
            announce("the watch ended", self._name)
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGCONT)
            if not self.wait(grace_s):
                self.signal(signal.SIGKILL)
                self.wait(10)
        if self.alive:
            self._ended()
        import psutil  # at the end only: it would cost a start 30 ms

        for left in psutil.Process().children(recursive=True):
            if left.pid != spared:
                with contextlib.suppress(psutil.Error):
                    left.kill()
