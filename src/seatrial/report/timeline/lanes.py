"""What a timeline shows, as plain series: what lived, what answered, what was in flight, what nobody saw.

Every series is cut to a window and thinned to :data:`~seatrial.report.timeline.spans.COLUMNS` columns. A lane without
data says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from seatrial.records import (
    OF_A_CARD,
    SECOND,
    Ask,
    Clock,
    Dropped,
    Event,
    Gpu,
    Happening,
    Line,
    LoadRow,
    Phase,
    Probe,
    Received,
    Sample,
    Sent,
    Stage,
    Stop,
)
from seatrial.report.timeline import lanes_below, waits
from seatrial.report.timeline.spans import COLUMNS, Lane, Mark, Span, Window, runs
from seatrial.text import visible
from seatrial.verdict.summary import unwatched


@dataclass
class Series:
    """The lines about one endpoint, sorted by kind once."""

    samples: list[Sample] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    gpus: list[Gpu] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    rows: dict[str, LoadRow] = field(default_factory=dict)
    received: dict[str, Received] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    beats: list[int] = field(default_factory=list)
    end: int = 0  # of the whole record

    @classmethod
    def of(cls, lines: Iterable[Line], name: str) -> Series:
        """Pick the lines of one endpoint; GPUs and heartbeats are of the whole host."""
        kept = cls()
        for line in lines:
            kept.take(line, name)
        return kept

    def take(self, line: Line, name: str) -> None:
        self.end = max(self.end, line.t)
        match line:
            case Clock():
                if line.w == "recorder":
                    self.beats.append(line.t)
            case Gpu():
                self.gpus.append(line)
            case Sample(name=who) if who == name:
                self.samples.append(line)
            case Probe(name=who) if who == name:
                self.probes.append(line)
            case Ask(name=who) if who == name:
                self.asks.append(line)
            case Event(name=who) if who == name or line.what == Happening.TROUBLE or line.what in OF_A_CARD:
                self.events.append(line)
            case LoadRow(endpoint=who) if who == name:
                self.rows[line.id] = line
            case Received(endpoint=who) if who == name:
                self.received[line.id] = line
            case Sent(endpoint=who) if who == name:
                self.sent[line.id] = line
            case Dropped(endpoint=who) if who == name:
                self.dropped.append(line)
            case Phase(endpoint=who) if who == name:
                self.phases.append(line)

    def window(self) -> Window | None:
        """All that was recorded; None where nothing was."""
        times = [s.t for s in (*self.samples, *self.probes, *self.asks, *self.phases)]
        times += [t for r in self.rows.values() for t in (r.sent_at, r.ended_at) if t]
        times += [t for r in self.received.values() for t in (r.sent_at, r.ended_at) if t]
        times += [s.t for s in self.sent.values()]
        return Window(min(times), max(times)) if times and min(times) < max(times) else None


def lanes(seen: Series, window: Window, stops: Sequence[Stop]) -> tuple[Lane, ...]:
    """The seven lanes, always all of them; below the tokens two more where a soak was sent."""
    of_load = waits.of_load(seen.rows.values(), seen.dropped, window) if seen.rows or seen.dropped else ()
    return (
        _process(seen, window),
        _socket(seen, window),
        _probes(seen, window),
        _in_flight(seen, window, stops),
        _tokens(seen, window),
        *of_load,
        _memory(seen, window),
        _gpu(seen, window),
    )


def gaps(seen: Series, window: Window) -> tuple[Span, ...]:
    """Stretches in which the recorder's heart did not beat, as the verdict counts them."""
    found = []
    for earlier, later in unwatched(seen.beats, seen.end):
        cut = window.cut(earlier, later)
        if cut:
            found.append(Span(*cut, "gap", f"nobody watched for {(later - earlier) / SECOND:.1f} s"))
    return tuple(found)


def marks(seen: Series, window: Window) -> tuple[Mark, ...]:
    """The ends of a soak, planned stops, and what the GPU driver reported. Its phases are bands."""
    ends = [phase for phase in seen.phases if phase.what not in (Stage.PHASE, Stage.MEASURED)]
    found = [Mark(phase.at, f"soak: {phase.what}") for phase in ends]
    found += [Mark(e.at, "planned stop") for e in seen.events if e.what == Happening.PLANNED_STOP]
    found += [Mark(e.at, visible(e.text, 60)) for e in seen.events if e.what in OF_A_CARD]
    return tuple(mark for mark in found if window.start <= mark.at <= window.end)


def _process(seen: Series, window: Window) -> Lane:
    lives: dict[str, list[Sample]] = defaultdict(list)
    for sample in seen.samples:
        if sample.parent is None:
            lives[sample.incarnation].append(sample)
    spans = []
    for number, life in enumerate(lives.values()):
        cut = window.cut(life[0].t, life[-1].t)
        if cut:
            spans.append(Span(*cut, "first" if number % 2 == 0 else "second", f"pid {life[0].pid}"))
        frozen = [(s.t, "frozen" if s.state in {"T", "t"} else "") for s in life]
        spans += [s for s in runs(frozen, window, {"frozen": "stopped by a signal (state T)"}) if s.tone]
    children = lanes_below.children(seen.samples, window)
    below = ("children",) if children else ()
    why = "no process could be watched (its /proc is not ours to read)"
    return Lane("process", (*spans, *children), below=below, why=why)


def _socket(seen: Series, window: Window) -> Lane:
    words = {True: "good", False: "bad", None: "blind"}
    points = [(probe.t, words[probe.listens]) for probe in seen.probes]
    texts = {"good": "listens", "bad": "no LISTEN socket", "blind": "not observable"}
    return Lane("socket", tuple(runs(points, window, texts)), why="no probe was recorded")


def _probes(seen: Series, window: Window) -> Lane:
    points = [(probe.t, _health(probe)) for probe in seen.probes]
    texts = {"good": "health answers 2xx", "odd": "health answers an error", "bad": "health gives no answer"}
    asked, below = lanes_below.asked(seen.asks, window)
    return Lane("probes", (*runs(points, window, texts), *asked), below=below, why="no probe was recorded")


def _health(probe: Probe) -> str:
    if probe.health is None:
        return "bad"
    return "good" if 200 <= probe.health < 300 else "odd"


def _in_flight(seen: Series, window: Window, stops: Sequence[Stop]) -> Lane:
    """Requests sent and not ended, column by column; one that never ended does so with the stop that took it."""
    ends = sorted(stop.dead_at for stop in stops)
    changes: dict[int, int] = defaultdict(int)
    for start, end in _flights(seen, ends, window.end):
        cut = window.cut(start, end)
        if cut:
            changes[window.column(cut[0])] += 1
            changes[window.column(cut[1]) + 1] -= 1
    return Lane("in flight", curve=_steps(changes, window), unit="requests", why="no request was sent in this time")


def _flights(seen: Series, ends: Sequence[int], last: int) -> Iterable[tuple[int, int]]:
    for row in seen.rows.values():
        if row.sent_at:
            yield row.sent_at, row.ended_at or row.sent_at
    for name, line in seen.received.items():
        if name not in seen.rows:
            yield line.sent_at, line.ended_at
    for name, sent in seen.sent.items():
        if name not in seen.rows and name not in seen.received:
            yield sent.t, next((end for end in ends if end >= sent.t), last)


def _steps(changes: dict[int, int], window: Window) -> tuple[tuple[int, float], ...]:
    if not changes:
        return ()
    level, curve = 0, []
    for column in range(COLUMNS + 2):
        level += changes.get(column, 0)
        curve.append((window.start + column * window.step, float(level)))
    return tuple((at, value) for at, value in curve if at <= window.end)


def _tokens(seen: Series, window: Window) -> Lane:
    """Deltas of the soak's streams, spread evenly from the first to the last of each."""
    columns: dict[int, float] = defaultdict(float)
    for row in seen.rows.values():
        cut = window.cut(row.first_at, row.last_at) if row.first_at and row.deltas else None
        if cut is None:
            continue
        first, last = window.column(cut[0]), window.column(cut[1])
        share = row.deltas * (cut[1] - cut[0] + 1) / (row.last_at - row.first_at + 1) / (last - first + 1)
        for column in range(first, last + 1):
            columns[column] += share
    if not columns:
        return Lane("tokens", why="no stream of a soak in this time")
    width = max(SECOND // window.step, 1)  # columns a second: a rate needs at least a second to be read
    curve = []
    for column in range(COLUMNS + 1):
        near = [columns.get(c, 0.0) for c in range(max(column - width + 1, 0), column + 1)]
        curve.append((window.start + column * window.step, sum(near) / (len(near) * window.step / SECOND)))
    return Lane("tokens", curve=tuple(curve), unit="deltas/s")


def _memory(seen: Series, window: Window) -> Lane:
    """Anonymous memory and swap of the server's processes together."""
    columns: dict[int, dict[int, int]] = defaultdict(dict)
    for sample in seen.samples:
        if sample.memory is not None and window.start <= sample.t <= window.end:
            columns[window.column(sample.t)][sample.pid] = sample.memory
    curve = tuple((window.start + c * window.step, sum(columns[c].values()) / 1e6) for c in sorted(columns))
    return Lane("memory", curve=curve, unit="MB", why="no process could be watched")


def _gpu(seen: Series, window: Window) -> Lane:
    """How busy the busiest card was. It says that some kernel ran, and nothing of how much of the card it used."""
    columns: dict[int, int] = {}
    cards = set()
    for gpu in seen.gpus:
        if gpu.busy is not None and window.start <= gpu.t <= window.end:
            cards.add(gpu.index)
            column = window.column(gpu.t)
            columns[column] = max(columns.get(column, 0), gpu.busy)
    curve = tuple((window.start + c * window.step, float(columns[c])) for c in sorted(columns))
    which = f", the busiest of {len(cards)} cards" if len(cards) > 1 else ""
    note = f"busy: percent of the driver's last sample period in which a kernel ran{which}"
    return Lane("GPU", curve=curve, unit="% busy", note=note, why=_no_gpu(seen))


def _no_gpu(seen: Series) -> str:
    error = next((gpu.error for gpu in seen.gpus if gpu.error), "")
    told = [e.text for e in seen.events if e.what == Happening.TROUBLE and e.name == "gpu"]
    told.sort(key=lambda text: "kernel time" not in text)  # what the lane lacks, before what else a card has not
    return visible(error or "".join(told[:1]), 80) or "no GPU was seen on this host"
