"""What the recorder sees of a server while a soak goes on, in the few words that its line has room for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from statistics import linear_regression

from seatrial.records import SECOND, Clock, Gpu, Line, LogRate, Sample
from seatrial.run.follow import Follower
from seatrial.stops import fold

MINUTE = 60 * SECOND
HOUR_MIN = 60
SHOWN_MIN = 10
"""Minutes from which on a growth by the hour is shown: what a server takes at its start is none."""

NOW = 5 * SECOND
"""What was told longer ago is not of now."""


class Glimpse:
    """Follows the watch of a run.

    Args:
        folder: ``watch/`` of the run directory; it may not be there yet.
        name: the endpoint.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._name = name
        self._lines = Follower(folder)
        self._state = fold.start()
        self._stops: set[str] = set()
        self._held: dict[int, Sample] = {}
        self._minutes: deque[tuple[float, float]] = deque(maxlen=HOUR_MIN)
        self._busy: dict[int, Gpu] = {}
        self._log: LogRate | None = None
        self._watched, self._at = False, 0

    def parts(self) -> Iterator[str]:
        """Memory and how it grows, GPU, log, stops; what is not known of them is said, or that nobody watches."""
        for line in self._lines.read(to_the_end=True):
            self._take(line)
        if not self._watched:
            yield self._memory()
            yield "not watched"
            return
        yield self._memory() or "no memory told"
        busy = [gpu.busy for gpu in self._busy.values() if gpu.busy is not None and gpu.t > self._at - NOW]
        yield f"GPU {max(busy)} %" if busy else "no GPU told"
        yield self._rate() or "no log told"
        yield f"stops {len(self._stops)}"

    def close(self) -> None:
        """Close the files."""
        self._lines.close()

    def _take(self, line: Line) -> None:
        self._at = max(self._at, line.t)
        self._state, given = fold.step(self._state, line)
        for stop in given:
            if stop.name == self._name and stop.silent and not stop.planned:
                self._stops.add(f"{stop.family} {stop.alive_at}")
        match line:
            case Clock():
                self._watched = True
            case Gpu():
                self._busy[line.index] = line
            case LogRate(name=name) if name == self._name:
                self._log = line
            case Sample(name=name) if name == self._name:
                self._sampled(line)
            case _:
                pass

    def _sampled(self, sample: Sample) -> None:
        self._held = {pid: held for pid, held in self._held.items() if held.t > sample.t - SECOND // 2}
        self._held[sample.pid] = sample
        if (size := self._size()) is not None and (not self._minutes or sample.t / MINUTE - self._minutes[-1][0] >= 1):
            self._minutes.append((sample.t / MINUTE, size))

    def _size(self) -> int | None:
        known = [sample.memory for sample in self._held.values() if sample.memory is not None]
        return sum(known) if known else None

    def _memory(self) -> str:
        """What the server holds, as the recorder last saw it, and by how much that grew in the last hour."""
        size = self._size()
        if size is None:
            return ""
        unit, digits, name = (1e9, 1, "GB") if size >= 1e9 else (1e6, 0, "MB")
        text = f"{size / unit:.{digits}f} {name}"
        if len(self._minutes) >= SHOWN_MIN:
            at, sizes = zip(*self._minutes, strict=True)
            text += f" {linear_regression(at, sizes).slope * HOUR_MIN / unit:+.{digits}f}/h"
        return text

    def _rate(self) -> str:
        """Lines a second of its log: of the last second where that is fast, of the last minute else."""
        log = self._log
        if log is None or self._at - log.t > MINUTE + NOW:
            return ""
        return f"log {log.lines * SECOND / max(log.t - log.since, 1):.0f}/s"
