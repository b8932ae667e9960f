"""The recorder: ``python -m seatrial.monitor.recorder RUN``. It observes and writes, and judges nothing.

The keeper sends commands as JSON lines on standard input::

    {"watch": NAME, "host": HOST, "port": PORT, "base": URL, "pid": PID or null, "generation": N}
    {"planned_stop": NAME}
    {"seal": true}

It ends after ``seal``, or at the end of its input, having written Event ``seal``; nothing else ends it, neither the
death of what it watches nor a signal a terminal sends. One loop waits for commands, for pidfds and for the next
second; /health and NVML are asked in threads, so that nothing a server or driver does delays the heartbeat.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from seatrial.monitor.ends import Ends
from seatrial.monitor.gpu import Gpus
from seatrial.monitor.prober import Prober
from seatrial.monitor.proc import HostOom
from seatrial.monitor.sockets import SockDiag
from seatrial.monitor.target import Target, Watched
from seatrial.records import Clock, Event, Line, Probe
from seatrial.rundir import RunDir, RunDirError, Writer, read_clocks

SECOND = 1_000_000_000
QUICK_NS = 20_000_000
"""Between looks for a successor after a main process has ended, during ``QUICK_FOR_NS``."""
QUICK_FOR_NS = 3 * SECOND
PASS_NS = 50_000_000
"""Between passes of the loop: each in which a pidfd is silent proves that its process had not ended."""
DYING_NS = 150_000_000
"""A large process takes up to this long from the signal to its end: seen within it, it may have been dying already."""
PENDING_NS = 5_000_000
"""Between looks at ends that have been seen and not yet been explained."""


class Watch(msgspec.Struct):
    """A command of the keeper; which fields are set says which."""

    watch: str = ""
    host: str = ""
    port: int = 0
    base: str = ""
    pid: int | None = None
    generation: int = 0
    planned_stop: str = ""
    seal: bool = False


class Recorder:
    """The loop. ``commands`` is a file descriptor to read them from; ``run`` returns when the record is sealed."""

    def __init__(self, writer: Writer, commands: int, nvml: Any = None) -> None:
        self._writer, self._commands = writer, commands
        self._targets: dict[str, Target] = {}
        self._following: dict[int, tuple[Target, Watched]] = {}
        self._ends = Ends(self._say)
        self._host_oom = HostOom()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.epoll()
        self._input = b""
        self._open = True
        self._failed = False
        self._quick_until = 0
        self._passes: deque[int] = deque(maxlen=8)
        self._sockets = _sock_diag()
        self._gpus = Gpus(self._sample, lambda text: self._event("trouble", "gpu", text), nvml)

    def run(self) -> None:
        os.set_blocking(self._commands, False)
        self._poll.register(self._commands, select.EPOLLIN)
        self._poll.register(self._wake, select.EPOLLIN)
        due = time.monotonic_ns()
        while self._open:
            now = time.monotonic_ns()
            if now >= due:
                self._tick(now)
                due += SECOND * max(1, (time.monotonic_ns() - due) // SECOND + 1)
            patience = self._patience(due)
            self._passes.append(time.monotonic_ns())
            for handle, events in self._poll.poll(patience):
                self._woken(handle, events, time.monotonic_ns())
            now = time.monotonic_ns()
            self._ends.settle(now)
            if now < self._quick_until:
                self._seek_successors(now)
        self._ends.settle(time.monotonic_ns() + SECOND)
        self._event("seal", "")
        self._close()

    def _patience(self, due: int) -> float:
        """Seconds until something must be done unasked."""
        now = time.monotonic_ns()
        until = min(due, now + PASS_NS) if self._following else due
        if now < self._quick_until:
            until = min(until, now + QUICK_NS)
        if self._ends.pending:
            until = min(until, now + PENDING_NS)
        return max(0.0, (until - now) / 1e9)

    def _tick(self, now: int) -> None:
        self._write("samples.jsonl", read_clocks())
        listeners = self._listeners()
        for target in self._targets.values():
            if target.held is not None:  # /health has not answered for a whole second
                self._close_probe(target)
            target.held = target.look(listeners, now)
            self._check_unfollowed(target, now)
            for sample in target.samples():
                self._write("samples.jsonl", sample)
            if target.stopped or not target.prober.ask():
                self._close_probe(target)
        self._gpus.ask()

    def _woken(self, handle: int, events: int, now: int) -> None:
        if handle == self._commands:
            self._read_commands(now)
        elif handle == self._wake:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            for target in self._targets.values():
                if target.held is not None and target.prober.answer is not None:
                    self._close_probe(target)
        elif handle in self._following:
            target, watched = self._following[handle]
            if not watched.ended_at:
                self._ended(target, watched, now)
            if events & select.EPOLLHUP:
                self._poll.unregister(handle)
                del self._following[handle]
                self._ends.reaped(watched, handle)

    def _ended(self, target: Target, watched: Watched, now: int) -> None:
        """The first sign of a death: note the time, then learn the status when the kernel tells it."""
        watched.ended_at = now
        main = target.main is watched
        if watched.pidfd is not None:
            self._poll.modify(watched.pidfd, 0)  # from here on it wakes us only when the process has been reaped
        alive_at = max((t for t in list(self._passes)[:-1] if t <= now - DYING_NS), default=0)
        self._ends.add(target, watched, now, self._host_oom.read(), alive_at if watched.pidfd is not None else 0)
        target.ended(watched)
        if main and self._sockets is not None:
            self._quick_until = now + QUICK_FOR_NS

    def _check_unfollowed(self, target: Target, now: int) -> None:
        """Processes without a pidfd: their end shows only in that they are gone."""
        for watched in list(target.watched.values()):
            if watched.pidfd is None and not watched.ended_at and not watched.process.lives():
                self._ended(target, watched, now)

    def _follow(self, target: Target, watched: Watched) -> None:
        if watched.pidfd is not None:
            self._following[watched.pidfd] = (target, watched)
            self._poll.register(watched.pidfd, select.EPOLLIN)

    def _seek_successors(self, now: int) -> None:
        listeners = self._listeners()
        bereft = [t for t in self._targets.values() if t.main is None and t.prober.local]
        if listeners is None or not [t for t in bereft if not t.look_for_successor(listeners, now)]:
            self._quick_until = 0

    def _close_probe(self, target: Target) -> None:
        """Write what this second's look found, with what /health said, or that it said nothing in time."""
        held, answer = target.held, target.prober.take()
        target.held = None
        if held is None:
            return
        told: dict[str, Any] = {"error": "not asked: the process is stopped" if target.stopped else "deadline"}
        if answer is not None:
            told = {"health": answer.status, "health_ns": answer.took_ns, "error": answer.error}
        told["oom_host"] = self._host_oom.read() if target.prober.local else None
        told["oom_cgroup"] = target.main.process.oom_kills() if target.main is not None else None
        self._write("samples.jsonl", msgspec.structs.replace(held, **told))

    def _read_commands(self, now: int) -> None:
        try:
            data = os.read(self._commands, 64 * 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._open = False
            return
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            try:
                self._obey(msgspec.json.decode(line, type=Watch), now)
            except (msgspec.MsgspecError, ValueError, OSError) as error:
                self._event("trouble", "", f"a command of the keeper was not understood: {error}")

    def _obey(self, command: Watch, now: int) -> None:
        if command.seal:
            self._open = False
        elif command.planned_stop:
            self._event("planned-stop", command.planned_stop)
        elif command.watch:
            self._begin(command, now)

    def _begin(self, command: Watch, now: int) -> None:
        target = self._targets.get(command.watch)
        if target is None or target.port != command.port:
            if target is not None:
                target.prober.close()
            fresh = Target(
                command.watch,
                command.port,
                Prober(command.host, command.base, self._wake),
                say=self._say,
                follow=self._follow,
            )
            if target is not None:
                fresh.watched = target.watched
            target = self._targets[command.watch] = fresh
        target.generation = command.generation
        if command.pid is not None:
            target.named(command.pid, now)

    def _listeners(self) -> Any:
        if self._sockets is None:
            return None
        try:
            return self._sockets.listeners()
        except OSError:
            return None

    def _say(self, event: Event) -> None:
        if not event.at:
            event = msgspec.structs.replace(event, at=time.monotonic_ns())
        self._write("events.jsonl", event)

    def _event(self, what: str, name: str, text: str = "") -> None:
        self._say(Event(what=what, name=name, at=0, text=text))

    def _sample(self, line: Line) -> None:
        self._write("samples.jsonl", line)

    def _write(self, file: str, line: Clock | Line | Probe) -> None:
        """Append a line. A full disk is said once, on standard error; the watch goes on, with a gap in its record."""
        try:
            self._writer.write(file, line)
        except RunDirError as error:
            if not self._failed:
                self._failed = True
                print(f"seatrial recorder: {error}", file=sys.stderr)

    def _close(self) -> None:
        for target in self._targets.values():
            target.prober.close()
        self._gpus.close()
        self._writer.close()


def _sock_diag() -> SockDiag | None:
    try:
        return SockDiag()
    except OSError:
        return None


def main() -> int:
    """Record into the run directory named on the command line until sealed."""
    if len(sys.argv) != 2:
        print("usage: python -m seatrial.monitor.recorder RUN", file=sys.stderr)
        return 4
    sys.setswitchinterval(0.001)  # no thread may keep the loop from a pidfd for long
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        rundir = RunDir.open(Path(sys.argv[1]))
        Recorder(rundir.watch_writer("recorder"), sys.stdin.fileno()).run()
    except RunDirError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
