"""The recorder: ``python -m seatrial.monitor.recorder RUN``. It observes and writes, and judges nothing.

The keeper sends commands as JSON lines on standard input (:mod:`seatrial.monitor.commands`). It ends after ``seal``,
or at the end of its input, having written Event ``seal``; nothing else ends it, neither the death of what it watches
nor a signal a terminal sends.

One loop waits for commands, for pidfds and for the next second. What may take long is done in threads: /health, NVML,
names of hosts, owners of sockets, the log and other sources. What takes milliseconds is done one piece a pass, with a
look at the pidfds between two: an end is seen within 10 ms, and nothing a server, driver or file system does delays the
heartbeat.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from seatrial.monitor.commands import Commands
from seatrial.monitor.ends import Ends
from seatrial.monitor.following import Following
from seatrial.monitor.gpu.gpu import Gpus
from seatrial.monitor.ladder.ladder import Ladder
from seatrial.monitor.process import sockets, threads
from seatrial.monitor.process.owners import Finder
from seatrial.monitor.process.proc import HostOom
from seatrial.monitor.process.tree import Member
from seatrial.monitor.target import Target, open_target
from seatrial.records import SECOND, Event, Happening, Line, Log
from seatrial.records.targets import Watch
from seatrial.run.clocks import read_clocks
from seatrial.run.directory import RunDir
from seatrial.run.writer import RunDirError, Writer

QUICK_NS = 20_000_000
"""Between looks for a successor after a process has ended, as long as its tree seeks one."""
PASS_NS = 50_000_000
"""Between passes of the loop: each in which a pidfd is silent proves that its process had not ended."""
PENDING_NS = 5_000_000
"""Between looks at ends that have been seen and not yet been explained."""
THREADS_EVERY = 10
"""Seconds between two looks at the threads of a process, unless a rung breaks."""
SOURCES_S = 0.5
"""How long the end of the record waits for sources that are being read."""


class Recorder:
    """The loop. ``commands`` is a file descriptor to read them from; ``run`` returns when the record is sealed."""

    def __init__(self, writer: Writer, commands: int) -> None:
        self._writer = writer
        self._commands = Commands(commands, lambda text: self._event(Happening.TROUBLE, "", text))
        self._targets: dict[str, Target] = {}
        self._ladders: dict[str, Ladder] = {}
        self._host_oom = HostOom()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.epoll()
        self._following = Following(self._poll)
        self._ends = Ends(self._say, self._following.drop)
        self._chores: deque[Callable[[], None]] = deque()
        self._open = True
        self._failed = self._unwritable = False
        self._ticks = 0
        self._sockets = sockets.Listening()
        self._finder = Finder(self._wake)
        self._gpus = Gpus(self._write, self._say)

    def run(self) -> None:
        self._poll.register(self._commands.handle, select.EPOLLIN)
        self._poll.register(self._wake, select.EPOLLIN)
        due = time.monotonic_ns()
        while self._open:
            now = time.monotonic_ns()
            if now >= due:
                self._hear(0)  # the dead before their successors: we may have been stopped meanwhile
                self._tick(now)
                due += SECOND * max(1, (time.monotonic_ns() - due) // SECOND + 1)
            patience = self._patience(due)
            self._following.passed()
            self._hear(patience)
            self._between(time.monotonic_ns())
        for ladder in self._ladders.values():
            ladder.close()
        self._ends.settle(time.monotonic_ns() + SECOND)
        self._last_words()
        self._event(Happening.SEAL, "")
        self._close()

    def _hear(self, seconds: float) -> None:
        for handle, events in self._poll.poll(seconds):
            self._woken(handle, events, time.monotonic_ns())

    def _patience(self, due: int) -> float:
        """Seconds until something must be done unasked."""
        now = time.monotonic_ns()
        until = min(due, now + PASS_NS) if self._following else due
        if any(now < target.tree.seek_until for target in self._targets.values()):
            until = min(until, now + QUICK_NS)
        if self._ends.pending:
            until = min(until, now + PENDING_NS)
        return 0.0 if self._chores else max(0.0, (until - now) / 1e9)

    def _tick(self, now: int) -> None:
        self._ticks += 1
        self._write(read_clocks())
        listeners = self._sockets.look()
        for target in self._targets.values():
            self._close_probe(target)  # where /health has not answered for a whole second
            target.held = target.look(listeners, now)
            self._check_unfollowed(target, now)
            for sample in target.tree.samples(closely=target.troubled):
                self._write(sample)
            if target.stopped_anew():
                self._look_closer(target, now)
            if target.prober is None or target.stopped or not target.prober.ask():
                self._close_probe(target)
            if target.name in self._ladders:
                self._ladders[target.name].tick(now, ask=not target.stopped)
            self._look_at_threads(target, THREADS_EVERY)
            for source in target.sources:
                source.ticked()
        self._gpus.ask()

    def _between(self, now: int) -> None:
        """What is done in each pass of the loop, after the pidfds."""
        self._ends.settle(now)
        seeking = [target for target in self._targets.values() if now < target.tree.seek_until]
        if seeking:
            listeners = self._sockets.look()
            for target in seeking:
                target.seek(listeners, now)
        if self._chores:
            self._chores.popleft()()

    def _woken(self, handle: int, events: int, now: int) -> None:
        followed = self._following.get(handle)
        if handle == self._commands.handle:
            self._read_commands(now)
        elif handle == self._wake:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._wake)
            self._told(now)
        elif followed is not None:
            target, watched = followed
            if not watched.ended_at:
                self._ended(target, watched, now)
            if events & select.EPOLLHUP:
                self._ends.reaped(watched)

    def _told(self, now: int) -> None:
        """A thread has something for us."""
        for target in self._targets.values():
            target.owner_told(now)
            if target.held is not None and target.prober is not None and target.prober.answer is not None:
                self._close_probe(target)
            self._take(target)

    def _ended(self, target: Target, watched: Member, now: int) -> None:
        """The first sign of a death: note the time, then learn the status when the kernel tells it."""
        watched.ended_at = now
        self._following.reaping_only(watched)
        self._ends.add(target, watched, now, self._host_oom.read(), self._following.alive_at(watched, now))
        target.ended(watched, now)
        for source in target.sources:
            source.read(now, late=True)

    def _check_unfollowed(self, target: Target, now: int) -> None:
        """Processes without a pidfd: their end shows only in that they are gone."""
        for watched in list(target.tree.watched.values()):
            if watched.pidfd is None and not watched.ended_at and not watched.process.lives():
                self._ended(target, watched, now)

    def _close_probe(self, target: Target) -> None:
        """Write what this second's look found, with what /health said, or that it said nothing in time."""
        probe = target.complete(time.monotonic_ns(), self._host_oom.read())
        if probe is not None:
            self._write(probe)
            if target.broke(probe):
                self._look_closer(target, time.monotonic_ns())

    def _look_closer(self, target: Target, now: int) -> None:
        """A rung broke: what each thread does, and what the server itself said last."""
        self._look_at_threads(target, 1)
        for source in target.sources:
            source.read(now)

    def _look_at_threads(self, target: Target, every: int) -> None:
        """Have the threads of those processes read whose turn it is: of one ``every``-th of them each second."""
        for watched in target.tree.watched.values():
            shown = watched.process.pid in target.tree.shown
            if shown and not watched.ended_at and (watched.process.pid + self._ticks) % every == 0:
                self._chores.append(partial(self._threads, target, watched))

    def _threads(self, target: Target, watched: Member) -> None:
        if not watched.ended_at:
            line = threads.look(target.name, watched.process.pid, watched.process.incarnation)
            if line is not None:
                self._write(line)

    def _take(self, target: Target) -> None:
        """What the sources of a target have found."""
        for source in target.sources:
            for line in source.take():
                self._write(self._read_by_kind(line))

    def _read_by_kind(self, line: Line) -> Line:
        """A line of a source; one of a log with what its words mean in the mouth of this kind of server."""
        if not isinstance(line, Log):
            return line
        ladder = self._ladders.get(line.name)
        ends = () if ladder is None else ladder.scheduler.met.orderly(line.text)
        read: Line = msgspec.structs.replace(line, ends=ends)
        return read

    def _read_commands(self, now: int) -> None:
        commands = self._commands.read()
        if commands is None:
            self._open = False
        for command in commands or ():
            try:
                self._obey(command, now)
            except (ValueError, OSError) as error:
                self._commands.misunderstood(error)

    def _obey(self, command: Watch, now: int) -> None:
        if command.seal:
            self._open = False
        elif command.planned_stop:
            self._event(Happening.PLANNED_STOP, command.planned_stop)
        elif command.name:
            self._begin(command, now)

    def _begin(self, command: Watch, now: int) -> None:
        target = self._targets.get(command.name)
        if target is None or target.port != command.port:
            fresh = open_target(command, self._finder, self._wake, say=self._say, follow=self._following.add)
            if target is not None:  # it came back at another port: its processes are still its own
                fresh.tree.watched = target.tree.watched
                target.close()
            target = self._targets[command.name] = fresh
            self._climb(command, target)
        target.tree.generation = command.generation
        if command.pid is not None:
            target.name_pid(command.pid, now)

    def _climb(self, command: Watch, target: Target) -> None:
        """The upper rungs, where there is an address to ask."""
        before = self._ladders.pop(target.name, None)
        if before is not None:
            before.close()
        if target.prober is None:
            return
        try:
            self._ladders[target.name] = Ladder(
                target.name, command, target.prober, write=self._of_rung, say=self._say, process=target.process
            )
        except (ValueError, OSError) as error:
            self._event(Happening.TROUBLE, target.name, f"its engine and its answers are not asked for: {error}")

    def _of_rung(self, line: Line) -> None:
        """A line of a rung, in its thread: it tells what looks at a gateway in front of that server cost, too."""
        for target in list(self._targets.values()):
            if target.prober is not None:
                target.prober.price.take(line)
        self._write(line)

    def _say(self, event: Event) -> None:
        if not event.at:
            event = msgspec.structs.replace(event, at=time.monotonic_ns())
        self._write(event)

    def _event(self, what: Happening, name: str, text: str = "") -> None:
        self._say(Event(what=what, name=name, at=0, text=text))

    def _write(self, line: Line) -> None:
        """Append a line to the file of its kind.

        What cannot be written is said once; the watch goes on, with a gap in its record. Of a full disk only standard
        error can tell; a line that is no text is a trouble.
        """
        try:
            self._writer.write("events.jsonl" if isinstance(line, Event) else "samples.jsonl", line)
        except RunDirError as error:
            if not self._failed:
                self._failed = True
                print(f"seatrial recorder: {error}", file=sys.stderr)
        except (ValueError, OverflowError):
            if not self._unwritable:
                self._unwritable = True
                self._event(Happening.TROUBLE, "", f"a line was left out, for it is no text: {type(line).__name__}")

    def _last_words(self) -> None:
        """Sources that are being read are waited for, a moment."""
        end = time.monotonic() + SOURCES_S
        for target in self._targets.values():
            for source in target.sources:
                source.settle(max(0.0, end - time.monotonic()))
            self._take(target)

    def _close(self) -> None:
        for target in self._targets.values():
            target.close()
        self._finder.close()
        self._gpus.close()
        self._writer.close()


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
