"""Words and figures as a person reads them, and text of a server made harmless for a terminal."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from textwrap import wrap

from seatrial.records import SECOND, Clock, Crew, Line, Noted


def duration(seconds: float) -> str:
    """A span of time in at most two units: ``0.42 s``, ``12 s``, ``38 min 12 s``, ``3 h 29 min``."""
    if seconds < 10:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + " s" if seconds < 1 else f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def size(count: int) -> str:
    """Bytes in decimal units: ``812 B``, ``444 MB``."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.3g} {unit}"
        value /= 1000
    raise AssertionError


def count(number: int, noun: str) -> str:
    """A number with its noun: ``1 case``, ``4 cases``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def hang(head: str, text: str, width: int) -> list[str]:
    """A head and its text, wrapped to ``width``, later lines under the text; a longer word stays whole."""
    room = max(width - len(head), 30)
    lines = wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    return [(head + lines[0]).rstrip(), *(" " * len(head) + line for line in lines[1:])]


class Wall:
    """Labels for monotonic times, by the nearest clock line before them. UTC, so that a label means the same anywhere.

    A label is for people; durations are differences of monotonic times. Whose clock it is: this host's, as the hour
    that a worker elsewhere keeps may be another. A watch kept by hand has the clock of its note
    alone: its times are labelled by that, and :attr:`zone` says so.
    """

    def __init__(self, lines: Iterable[Line]) -> None:
        clocks, elsewhere, noted = list[Clock](), set[str](), False
        for line in lines:
            if isinstance(line, Clock):
                clocks.append(line)
            elif isinstance(line, Crew) and line.is_elsewhere:
                elsewhere.add(line.worker)
            noted = noted or isinstance(line, Noted)
        pairs: Sequence[tuple[int, int]] = sorted((line.t, line.wall_ns) for line in clocks if line.w not in elsewhere)
        self._times = [t for t, _ in pairs]
        self._walls = [wall for _, wall in pairs]
        self.by_hand = noted and not pairs

    @property
    def zone(self) -> str:
        """What follows a label: whose clock it is; empty where the label says it itself."""
        return "by the note's clock" if self.by_hand else "UTC" if self._times else ""

    def label(self, at: int) -> str:
        """``21:01:03.412``; where no clock was recorded, seconds of the monotonic clock, and it says so."""
        wall = self.wall_ns(at)
        if self.by_hand:
            return f"{at // SECOND // 3600:02d}:{at // SECOND // 60 % 60:02d}"
        if wall is None:
            return f"{at / SECOND:.3f} s (monotonic)"
        return time.strftime("%H:%M:%S", time.gmtime(wall // SECOND)) + f".{wall % SECOND // 1_000_000:03d}"

    def wall_ns(self, at: int) -> int | None:
        """The wall clock's time at a monotonic time; None where no clock was recorded."""
        if not self._times:
            return None
        index = max(bisect_right(self._times, at) - 1, 0)
        return self._walls[index] + at - self._times[index]
