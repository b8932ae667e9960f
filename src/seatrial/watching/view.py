"""What the screen shows of each target: the latest of every kind of line, folded in order of time.

Figures carry the time they are of. Up time comes from start ticks and the boot clock, never from the wall clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from seatrial.records import SECOND, Ask, Clock, Event, Gpu, Happening, Line, Probe, Sample, Stop
from seatrial.verdict.watched import weight

TICK = SECOND // 100
"""USER_HZ is 100 on every Linux we know."""
STALE_NS = 3 * SECOND
"""A process or a card that was not read for so long is shown no more."""
IN_TURN_NS = 120 * SECOND
"""The same of a child: of many they are read in turn."""


@dataclass(slots=True)
class LastSamples:
    """The last two samples of one process."""

    now: Sample
    before: Sample | None = None


@dataclass(slots=True)
class TargetView:
    """One target as last seen."""

    name: str
    remote: bool = False
    job: bool = False
    pid: int = 0
    incarnation: str = ""
    started_ticks: int = 0
    readings: dict[int, LastSamples] = field(default_factory=dict)  # by pid
    probe: Probe | None = None
    scheduler: Ask | None = None
    canary: Ask | None = None  # the last that was asked and is over
    asking: Ask | None = None  # one under way
    skipped: dict[str, str] = field(default_factory=dict)  # rung -> why it was not asked last
    ended: Event | None = None
    stops: dict[str, Stop] = field(default_factory=dict)  # by id, as last told
    note: str = ""  # what was said at the start
    why: str = ""  # what of it cannot be observed

    @property
    def lasting(self) -> Stop | None:
        """The latest stop that is not over."""
        open_ones = [stop for stop in self.stops.values() if stop.until is None and weight(stop) == "stop"]
        return max(open_ones, key=lambda stop: stop.dead_at, default=None)

    def living(self, now: int) -> list[LastSamples]:
        """The processes read a moment ago."""
        return [
            r for r in self.readings.values() if now - r.now.t <= (STALE_NS if r.now.parent is None else IN_TURN_NS)
        ]

    def up_s(self, now: int, boot_offset: int | None) -> float | None:
        """Seconds since its main process started; None where its start is not known."""
        if not self.started_ticks or boot_offset is None or self.ended is not None:
            return None
        return (now + boot_offset - self.started_ticks * TICK) / SECOND

    def cpu_now(self, now: int) -> tuple[float, float] | None:
        """Share of one core that its processes used between their last two samples, and seconds between these."""
        pairs = [(r.now, r.before) for r in self.living(now) if r.before is not None]
        used = [(a.cpu_ns - b.cpu_ns, a.t - b.t) for a, b in pairs if a.cpu_ns is not None and b.cpu_ns is not None]
        shares = [cpu / span for cpu, span in used if span > 0]
        return (sum(shares), max(span for _, span in used) / SECOND) if shares else None

    def cpu_life(self, now: int, boot_offset: int | None) -> float | None:
        """Share of one core that its main process used since its start."""
        main, up = self.readings.get(self.pid), self.up_s(now, boot_offset)
        if main is None or main.now.cpu_ns is None or not up:
            return None
        return main.now.cpu_ns / SECOND / up

    def memory(self, now: int) -> int | None:
        """Anonymous memory and swap of its processes, bytes; None where one cannot be read."""
        sizes = [r.now.memory for r in self.living(now)]
        return None if not sizes or None in sizes else sum(filter(None, sizes))


class View:
    """All targets, the cards, and the clock of the record."""

    def __init__(self, targets: list[TargetView]) -> None:
        self.targets = {target.name: target for target in targets}
        self.gpus: dict[int, Gpu] = {}
        self.gpu_note = ""
        self.now = 0  # time of the last heartbeat of the recorder
        self.boot_offset: int | None = None

    def take(self, line: Line) -> None:
        """Fold one line in."""
        if isinstance(line, Clock):
            if line.w == "recorder":
                self.now, self.boot_offset = line.t, line.boot_ns - line.t
            return
        if isinstance(line, Gpu):
            self.gpus[line.index] = line
            return
        if isinstance(line, Event) and line.name == "gpu" and line.what == Happening.TROUBLE:
            self.gpu_note = self.gpu_note or line.text
        target = self.targets.get(getattr(line, "name", ""))
        if target is None:
            return
        match line:
            case Sample():
                _sampled(target, line)
            case Probe():
                target.probe = line
                target.why = line.why or target.why
            case Ask():
                _asked(target, line)
            case Event():
                _happened(target, line)


def _sampled(target: TargetView, sample: Sample) -> None:
    old = target.readings.get(sample.pid)
    same = old is not None and old.now.incarnation == sample.incarnation
    target.readings[sample.pid] = LastSamples(sample, old.now if old is not None and same else None)


def _asked(target: TargetView, ask: Ask) -> None:
    if ask.skipped:
        target.skipped[ask.rung] = ask.skipped
        return
    target.skipped.pop(ask.rung, None)
    if ask.rung == "scheduler":
        target.scheduler = ask
    elif ask.ended_at:
        target.canary, target.asking = ask, None
    else:
        target.asking = ask


def _happened(target: TargetView, event: Event) -> None:
    if event.parent:
        if event.what in (Happening.EXIT, Happening.LOST):
            target.readings.pop(event.pid, None)
        return
    if event.what in (Happening.FOUND, Happening.REPLACED, Happening.START):
        target.pid, target.ended = event.pid, None
        target.incarnation = event.incarnation or target.incarnation
        target.started_ticks = event.started_ticks
    elif event.what in (Happening.EXIT, Happening.LOST):
        target.readings.pop(event.pid, None)
        if event.pid == target.pid:
            known = target.ended is not None and target.ended.status is not None
            target.ended = target.ended if known else event
