"""A watch from its first look to its exit status: keeper and recorder at work, their record followed and folded."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from seatrial.records import SECOND, Event, Happening, Line, Stop
from seatrial.run.directory import RunDir
from seatrial.run.follow import Follower
from seatrial.servers.child import tail
from seatrial.servers.keeping import Command, Keeping
from seatrial.servers.recorder_child import AWAKE_S
from seatrial.verdict.canaries import NOT_TESTED
from seatrial.verdict.watched import weight
from seatrial.watching import plan, starting
from seatrial.watching.findings import Findings, News
from seatrial.watching.hook import Hook
from seatrial.watching.settings import COMMAND, WatchSettings
from seatrial.watching.status import StatusFile
from seatrial.watching.telling import Telling, summary, teller
from seatrial.watching.trouble import troubles
from seatrial.watching.view import TargetView, View

POLL_S = 0.2
JOBS_SETTLE_NS = 2 * SECOND
"""After the end of the last job, for the evidence about it that comes with the next look."""
SILENT_NS = 5 * SECOND
"""Without a line of the recorder, something is wrong with it or with the disk."""


class WatchSession:
    """One watch. :meth:`run` returns its exit status; whatever happens, nothing that it started is left.

    Args:
        settings: checked.
        telling: who is told; by default as the settings and the terminal want it.
    """

    def __init__(self, settings: WatchSettings, telling: Telling | None = None) -> None:
        self._settings = settings
        judged_by = f"seatrial judge {settings.record}" if settings.record else ""
        self._tell = telling or teller(json=settings.json, command=bool(settings.command), judged_by=judged_by)
        self._findings = Findings(settings.names, settings.limits)
        self._ended_at: dict[str, int] = {}  # name of a job -> when it ended
        self._view = View([TargetView(name, job=name in settings.jobs) for name in settings.names])
        self._looked: dict[str, starting.Looked] = {}
        self._asked_to_end = 0
        self._since = time.monotonic_ns()
        self._broken = ""  # why nothing more can be observed
        self._deserted = False
        self._status = None if settings.status is None else StatusFile(settings.status, settings)
        self._hook: Hook | None = None

    def run(self) -> int:
        """Watch until the time is up, all jobs are over, or we are told to end.

        Raises:
            RunDirError: the run directory cannot be made.
            ConfigError: the command cannot be started.
        """
        with self._signals(), self._folder() as path, contextlib.ExitStack() as last:
            if self._settings.on_stop:
                self._hook = Hook(self._settings.on_stop, self._settings.access)
                last.callback(self._hook.close, patience_s=0)
            run = starting.create(path, self._settings)
            follower = Follower(run.path / "watch", forget=self._settings.record is None)
            with contextlib.closing(follower):
                keeping = self._start(run)
                try:
                    with keeping:
                        self._begin(run, keeping)
                        self._follow(follower, run, keeping)
                except KeyboardInterrupt:  # the second Ctrl-C, maybe while it was being closed
                    keeping.leave()
                except BrokenPipeError:
                    self._deserted = True
                with contextlib.suppress(KeyboardInterrupt):
                    self._conclude(follower)
        return self._findings.code()

    # the start

    def _start(self, run: RunDir) -> Keeping:
        self._looked = starting.look_at_all(self._settings, lambda: self._asked_to_end > 0)
        pages = {name: found.endpoint for name, found in self._looked.items()}
        starting.write_pages(run, self._settings, pages)
        orders = starting.watched(self._settings, self._looked)
        command = self._command()
        keeping = Keeping.start(run, orders, command=command, temporary=self._settings.record is None)
        for handle in () if command is None else (command.out, command.err):
            os.close(handle)
        return keeping

    def _begin(self, run: RunDir, keeping: Keeping) -> None:
        self._await_recorder(run, keeping)
        self._tell.begin([self._first(name, keeping) for name in self._settings.names])
        if self._unasked and self._settings.json:  # nobody reads its first line and its last
            self._tell.trouble(plan.UNOBSERVED)
        for name, found in self._looked.items():
            if found.trouble:
                self._tell.trouble(f"{name}: {found.trouble}")
        for name, pid in self._settings.pids.items():
            if not Path(f"/proc/{pid}").exists():
                self._tell.trouble(f"{name}: there is no process {pid} (any more)")
                self._ended_at[name] = time.monotonic_ns()

    def _await_recorder(self, run: RunDir, keeping: Keeping) -> None:
        """The watch begins with the recorder's first heartbeat."""
        until = time.monotonic() + AWAKE_S
        beats = run.path / "watch" / "samples.jsonl"
        while not beats.exists() and keeping.alive and not self._asked_to_end and time.monotonic() < until:
            time.sleep(0.02)

    def _first(self, name: str, keeping: Keeping) -> str:
        looked = self._looked.get(name)
        if looked is None:
            pid = keeping.command if name == COMMAND else self._settings.pids[name]
            return f"{name}  process {pid}, without a port"
        page = looked.endpoint
        words = plan.what(page, self._settings, answers=looked.answers)
        self._view.targets[name].note = words if looked.answers else looked.trouble
        return plan.of_endpoint(name, page, self._settings, answers=looked.answers, trouble=looked.trouble)

    @property
    def _unasked(self) -> bool:
        """Whether nothing is asked of any engine, by the operator's choice."""
        return bool(self._settings.endpoints) and not self._settings.canary_s

    def _command(self) -> Command | None:
        """The command's output is ours; beside JSON it goes to standard error, so that no line is mixed."""
        if not self._settings.command:
            return None
        out = sys.stderr if self._settings.json else sys.stdout
        handles = [_copy(out), _copy(sys.stderr)]
        serves = COMMAND in self._settings.endpoints
        return Command(argv=self._settings.command, name=COMMAND, serves=serves, out=handles[0], err=handles[1])

    # the watch

    def _follow(self, follower: Follower, run: RunDir, keeping: Keeping) -> None:
        self._since = time.monotonic_ns()
        until = None if self._settings.for_s is None else time.monotonic() + self._settings.for_s
        shown = 0.0
        while not self._asked_to_end and not self._broken:
            for line in follower.read():
                self._take(line)
            now = time.monotonic()
            if now - shown >= 1:
                shown = now
                self._look()
                self._check_record(run, keeping)
            if (until is not None and now >= until) or self._all_jobs_over():
                return
            time.sleep(POLL_S if until is None else max(0.0, min(POLL_S, until - now)))

    def _take(self, line: Line) -> None:
        """One line of the record, in order of time."""
        if isinstance(line, Event):
            self._noted(line)
        self._view.take(line)
        for text in troubles(line):
            self._tell.trouble(text)
        self._say(self._findings.take(line))

    def _say(self, found: Iterable[News]) -> None:
        for kind, told in found:
            target = self._view.targets.get(told.stop.name)
            if target is not None:
                target.stops[told.stop.id] = told.stop
            (self._tell.stop if kind == "stop" else self._tell.over)(told)
            if self._hook is not None and kind == "stop" and weight(told.stop) == "stop":
                self._hook.stop(told)

    def _look(self, code: int | None = None) -> None:
        """Each second, and at the end with the exit status: the screen, the file of the state, what failed of ours."""
        self._tell.look(self._view, self._findings.wall)
        if self._status is not None and (trouble := self._status.write(self._view, self._findings, code)):
            self._tell.trouble(trouble)
        for text in () if self._hook is None else self._hook.troubles():
            self._tell.trouble(text)

    def _noted(self, event: Event) -> None:
        if event.what in (Happening.EXIT, Happening.LOST) and not event.parent and event.name in self._settings.jobs:
            self._ended_at.setdefault(event.name, time.monotonic_ns())
        elif (
            event.what == Happening.TROUBLE and event.w == "keeper"
        ):  # all that it has to say of one is the recorder's end
            self._broken = event.text

    def _all_jobs_over(self) -> bool:
        """Whether nothing is left to watch: no endpoint, and every job has ended a moment ago."""
        if self._settings.endpoints or len(self._ended_at) < len(self._settings.names):
            return False
        return time.monotonic_ns() - max(self._ended_at.values()) >= JOBS_SETTLE_NS

    def _check_record(self, run: RunDir, keeping: Keeping) -> None:
        if not keeping.alive:
            self._broken = "the keeper ended: nothing is recorded any more"
            self._tell.trouble(self._broken)
        elif self._silent_ns() > SILENT_NS:
            self._tell.trouble(f"nothing is recorded any more: {_why_silent(run)}")

    # the end

    def _conclude(self, follower: Follower) -> None:
        """What the rest of the record shows, every stop that was not yet said, and the last line."""
        try:
            for line in follower.read(to_the_end=True):
                self._take(line)
            self._say(self._findings.finish())
            self._say(self._findings.finish(self._unrecorded()))
            if self._hook is not None:
                self._hook.close()
            self._look(self._findings.code())
            found = list(self._findings.told.values())
            never, code = self._findings.unseen, self._findings.code()
            self._tell.end(summary(self._since, found, never, code, self._engine()))
        except BrokenPipeError:
            self._deserted = True
        if self._deserted:  # what is still buffered must not be written when the interpreter ends
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _engine(self) -> str:
        """What is known of the engines: how many canaries were answered, or that none was sent."""
        if not self._settings.endpoints:
            return ""
        canaries = self._findings.canaries or f"not tested: {plan.UNOBSERVED if self._unasked else NOT_TESTED}"
        return "; ".join([canaries, *self._findings.prices])

    def _silent_ns(self) -> int:
        """How long the recorder has written nothing."""
        return time.monotonic_ns() - max(self._findings.beat, self._since)

    def _unrecorded(self) -> Iterator[Stop]:
        """The time from the last line of the recorder to now, where it wrote no more and no gap was told."""
        silent, now = self._silent_ns(), time.monotonic_ns()
        if silent <= SILENT_NS and not self._broken:
            return
        gaps = {s.name for s in self._findings.told.values() if s.family == "UNOBSERVED" and s.until is None}
        for name in self._settings.names:
            if name not in gaps:
                yield Stop(
                    id=f"{name}-unrecorded",
                    name=name,
                    family="UNOBSERVED",
                    alive_at=now - silent,
                    dead_at=now,
                    seen_at=now,
                    proof="the recorder's last line",
                    cause="the recorder wrote no more",
                )

    # what it runs in

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """Where the run directory goes: where it is kept, or for the time of the watch only."""
        if self._settings.record is not None:
            yield self._settings.record
            return
        parent = Path(tempfile.mkdtemp(prefix="seatrial-watch-"))
        try:
            yield parent / "run"
        finally:
            shutil.rmtree(parent, ignore_errors=True)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Ctrl-C and the signals that end a unit or a session end the watch in order; a second Ctrl-C at once."""

        def told(number: int, _frame: FrameType | None) -> None:
            self._asked_to_end += 1
            if number == signal.SIGINT and self._asked_to_end > 1:
                signal.signal(number, signal.SIG_IGN)
                raise KeyboardInterrupt

        heard = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
        before = {number: signal.signal(number, told) for number in heard}  # what nohup ignores stays ignored
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _copy(stream: object) -> int:
    """A descriptor of its own for the output of the command; nowhere, where ours is closed."""
    try:
        return os.dup(stream.fileno())  # type: ignore[attr-defined]
    except (OSError, ValueError, AttributeError):
        return os.open(os.devnull, os.O_WRONLY)


def _why_silent(run: RunDir) -> str:
    said = tail(run.path / "watch" / "keeper" / "recorder.log", 1)
    free = shutil.disk_usage(run.path).free
    if free < 1 << 20:
        return f"no space is left below {run.path}"
    return said[0] if said else "the recorder is silent"
