"""A watch from its first look to its exit status: keeper and recorder at work, their record followed and folded."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from seatrial.records import Clock, Event, Line, Stop
from seatrial.report.plain import SECOND, Wall, duration
from seatrial.rundir import RunDir
from seatrial.servers.child import tail
from seatrial.servers.keeping import Command, Keeping
from seatrial.verdict import stops
from seatrial.verdict.outcomes import exit_code
from seatrial.verdict.watched import sign, weight, word
from seatrial.watching import starting
from seatrial.watching.follow import Follower
from seatrial.watching.settings import COMMAND, Settings
from seatrial.watching.telling import Telling, Told, summary, teller
from seatrial.watching.trouble import troubles
from seatrial.watching.view import TargetView, View

POLL_S = 0.2
CLOCKS_KEPT = 7200
JOBS_SETTLE_NS = 2 * SECOND
"""After the end of the last job, for the evidence about it that comes with the next look."""
SILENT_NS = 5 * SECOND
"""Without a line of the recorder, something is wrong with it or with the disk."""


class Session:
    """One watch. :meth:`run` returns its exit status; whatever happens, nothing that it started is left.

    Args:
        settings: checked.
        telling: who is told; by default as the settings and the terminal want it.
    """

    def __init__(self, settings: Settings, telling: Telling | None = None) -> None:
        self._settings = settings
        judged_by = f"seatrial judge {settings.record}" if settings.record else ""
        self._tell = telling or teller(json=settings.json, command=bool(settings.command), judged_by=judged_by)
        self._state = stops.start(settings.limits)
        self._clocks: deque[Clock] = deque(maxlen=CLOCKS_KEPT)
        self._seen: set[str] = set()
        self._said: dict[str, Stop] = {}
        self._found_at: dict[str, int] = {}  # incarnation -> when it was first seen
        self._ended_at: dict[str, int] = {}  # name of a job -> when it ended
        self._view = View([TargetView(name, job=name in settings.jobs) for name in settings.names])
        self._asked_to_end = 0
        self._beat = self._since = time.monotonic_ns()
        self._broken = ""  # why nothing more can be observed
        self._deserted = False

    def run(self) -> int:
        """Watch until the time is up, all jobs are over, or we are told to end.

        Raises:
            RunDirError: the run directory cannot be made.
            ConfigError: the command cannot be started.
        """
        with self._signals(), self._folder() as path:
            run = starting.create(path, self._settings)
            follower = Follower(run.path / "watch", forget=self._settings.record is None)
            keeping: Keeping | None = None
            try:
                keeping = self._start(run)
                self._follow(follower, run, keeping)
                keeping.close()
            except KeyboardInterrupt:  # the second Ctrl-C: the keeper ends by itself what is left
                if keeping is not None:
                    keeping.leave()
            except BrokenPipeError:
                self._deserted = True
            finally:
                if keeping is not None:
                    keeping.close()
                self._conclude(follower)
                follower.close()
        return self._code(list(self._said.values()))

    # the start

    def _start(self, run: RunDir) -> Keeping:
        looked = starting.look_at_all(self._settings, lambda: self._asked_to_end > 0)
        pages = {name: found.endpoint for name, found in looked.items()}
        starting.write_pages(run, self._settings, pages)
        orders = starting.watched(self._settings, pages)
        command = self._command()
        keeping = Keeping.start(run, orders, command=command, temporary=self._settings.record is None)
        for handle in () if command is None else (command.out, command.err):
            os.close(handle)
        self._tell.begin([self._first(name, looked.get(name), keeping) for name in self._settings.names])
        for name, found in looked.items():
            if found.trouble:
                self._tell.trouble(f"{name}: {found.trouble}")
        for name, pid in self._settings.pids.items():
            if not Path(f"/proc/{pid}").exists():
                self._tell.trouble(f"{name}: there is no process {pid} (any more)")
                self._ended_at[name] = time.monotonic_ns()
        return keeping

    def _first(self, name: str, looked: starting.Looked | None, keeping: Keeping) -> str:
        if looked is None:
            pid = keeping.command if name == COMMAND else self._settings.pids[name]
            return f"{name}  process {pid}, without a port"
        page = looked.endpoint
        canary = "no canary"
        if self._settings.canary_s and page.model:
            canary = f"a canary every {duration(self._settings.canary_s)}"
        words = f"{page.kind}, model {page.model}, {canary}" if page.models else canary
        self._view.targets[name].note = words if looked.answers else looked.trouble
        return f"{name}  {page.url}  {words}" + ("" if looked.answers else f"; {looked.trouble}")

    def _command(self) -> Command | None:
        """The command's output is ours; beside JSON it goes to standard error, so that no line is mixed."""
        if not self._settings.command:
            return None
        out = sys.stderr if self._settings.json else sys.stdout
        handles = [_copy(out), _copy(sys.stderr)]
        return Command(argv=self._settings.command, name=COMMAND, out=handles[0], err=handles[1])

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
                self._tell.look(self._view, Wall(self._clocks))
                self._check_record(run, keeping)
            if (until is not None and now >= until) or self._all_jobs_over():
                return
            time.sleep(POLL_S if until is None else max(0.0, min(POLL_S, until - now)))

    def _take(self, line: Line) -> None:
        """One line of the record, in order of time."""
        if isinstance(line, Clock) and line.w == stops.RECORDER:
            self._beat = line.t
            self._clocks.append(line)
        if name := sign(line):
            self._seen.add(name)
        if isinstance(line, Event):
            self._noted(line)
        self._view.take(line)
        for text in troubles(line):
            self._tell.trouble(text)
        self._state, given = stops.step(self._state, line)
        for stop in given:
            self._given(stop)

    def _noted(self, event: Event) -> None:
        if event.what in ("found", "replaced", "start") and event.incarnation:
            self._found_at.setdefault(event.incarnation, event.at)
        elif event.what in ("exit", "lost") and not event.parent and event.name in self._settings.jobs:
            self._ended_at.setdefault(event.name, time.monotonic_ns())
        elif event.what == "trouble" and event.name == stops.RECORDER:
            self._broken = event.text

    def _given(self, stop: Stop) -> None:
        """Say a stop once; once more when it has become another, and when one said as lasting is over."""
        before = self._said.get(stop.id)
        self._said[stop.id] = stop
        if stop.name in self._view.targets:
            self._view.targets[stop.name].stops[stop.id] = stop
        told = Told(stop, Wall(self._clocks), self._state.last, self._found_at.get(stop.successor))
        if before is None or before.family != stop.family:
            self._tell.stop(told)
        elif before.until is None and stop.until is not None and weight(stop) == "stop":
            self._tell.over(told)

    def _all_jobs_over(self) -> bool:
        """Whether nothing is left to watch: no endpoint, and every job has ended a moment ago."""
        if self._settings.endpoints or len(self._ended_at) < len(self._settings.names):
            return False
        return time.monotonic_ns() - max(self._ended_at.values()) >= JOBS_SETTLE_NS

    def _check_record(self, run: RunDir, keeping: Keeping) -> None:
        if not keeping.alive:
            self._broken = "the keeper ended: nothing is recorded any more"
            self._tell.trouble(self._broken)
        elif time.monotonic_ns() - self._beat > SILENT_NS:
            self._tell.trouble(f"nothing is recorded any more: {_why_silent(run)}")

    # the end

    def _conclude(self, follower: Follower) -> None:
        """What the rest of the record shows, every stop that was not yet said, and the last line."""
        try:
            for line in follower.read(to_the_end=True):
                self._take(line)
            for stop in [*stops.finish(self._state), *self._unrecorded()]:
                self._given(stop)
            self._tell.look(self._view, Wall(self._clocks))
            found = list(self._said.values())
            self._tell.end(summary(self._since, found, self._code(found)))
        except BrokenPipeError:
            self._deserted = True
        if self._deserted:  # what is still buffered must not be written when the interpreter ends
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _unrecorded(self) -> Iterator[Stop]:
        """The time from the last line of the recorder to now, where it wrote no more and nobody else says so."""
        now = time.monotonic_ns()
        if now - self._beat <= SILENT_NS:
            return
        told = {s.name for s in stops.finish(self._state) if s.family == "UNOBSERVED" and s.until is None}
        for name in self._settings.names:
            if name not in told:
                yield Stop(
                    id=f"{name}-unrecorded",
                    name=name,
                    family="UNOBSERVED",
                    alive_at=self._beat,
                    dead_at=now,
                    seen_at=now,
                    proof="the recorder's last line",
                    cause="the recorder wrote no more",
                )

    def _code(self, found: list[Stop]) -> int:
        """0 nothing happened, 1 a stop, 10 unobserved: as ``seatrial judge`` finds of the record."""
        return exit_code(
            word((stop for stop in found if stop.name == name), seen=name in self._seen)
            for name in self._settings.names
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
                raise KeyboardInterrupt

        before = {n: signal.signal(n, told) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
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
