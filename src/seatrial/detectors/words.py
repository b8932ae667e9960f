"""What detectors are given and what they say: series of a night, looks at them, readings."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np

from seatrial.statistics.series.noise import Floats

POINTS = 120
"""Fewer points than this show no trend: what they would show is not tested."""

LEVEL = 0.02
"""Of all detectors of a night together: one clean night in 50 may be called, were size and shape not asked for too."""

HOUR_S = 3600.0


class Detector(enum.StrEnum):
    """What is looked for."""

    MEMORY = "memory"
    """RSS and swap grow, by the hour or by the request."""
    GPU_MEMORY = "GPU memory"
    """Memory on GPUs grows."""
    FILES = "file descriptors"
    """Open files and sockets grow."""
    THREADS = "threads"
    """Threads grow."""
    LATENCY = "latency"
    """The canary's first token comes ever later."""
    LATENCY_STEP = "latency step"
    """The canary's first token comes later from one moment on."""
    DECODE = "decode"
    """Tokens a second of a stream decay."""
    DECODE_STEP = "decode step"
    """Tokens a second of a stream are fewer from one moment on."""
    ERRORS = "errors"
    """The part of requests that go wrong rises."""
    CACHE = "prompt cache"
    """The part of prompts that the server knew already falls."""
    DRAFTS = "drafts"
    """The part of drafted tokens that are accepted falls."""
    REST = "rest"
    """Something is still held when nothing is under way."""
    LOG = "log"
    """The log is flooded."""


class Call(enum.StrEnum):
    """What became of a look."""

    CLEAR = "clear"
    """Nothing of the size that this night can show."""
    FOUND = "found"
    """It is there, of a size that matters."""
    BOUNDED = "bounded"
    """It grows, by no more than a cache of known size may take."""
    SHORT = "short"
    """Too few points: not tested."""
    UNSEEN = "unseen"
    """Nobody told what it would be seen by: not tested."""
    UNTOLD = "untold"
    """What moves beside it (the load, a phase) explains it as well as time does: not tested."""
    UNEVEN = "uneven"
    """It is so uneven that a change many times the size that matters would not show: not tested."""


NOT_TESTED = frozenset({Call.SHORT, Call.UNSEEN, Call.UNTOLD, Call.UNEVEN})


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A series in order of time; a point that nobody saw is NaN.

    Attributes:
        at: seconds since the load began.
        phase: a number for each point: equal ones are of like phases. Below 0: of a warm-up or an end, not looked at.
        load: requests of ours in flight.
    """

    at: Floats
    values: Floats
    phase: Floats
    load: Floats

    def seen(self) -> Course:
        """The points that can be looked at."""
        keep = np.isfinite(self.values) & np.isfinite(self.load) & (self.phase >= 0)
        return Course(self.at[keep], self.values[keep], self.phase[keep], self.load[keep])

    def second_half(self) -> Course:
        """The later half of the points."""
        return self._from(len(self.at) // 2)

    def since(self, at: float) -> Course:
        """The points from a moment on, in seconds since the load began."""
        return self._from(int(np.searchsorted(self.at, at)))

    def _from(self, first: int) -> Course:
        return Course(self.at[first:], self.values[first:], self.phase[first:], self.load[first:])

    def beside(self) -> list[Floats]:
        """What may move the values beside time: the load, and each phase that is not the first."""
        kinds = np.unique(self.phase)[1:]
        return [self.load, *((self.phase == kind).astype(np.float64) for kind in kinds)]


@dataclass(frozen=True, slots=True)
class AtRest:
    """What the server told when nothing of ours had been under way for some seconds; None: it does not tell.

    ``running`` and ``waiting`` are the least that was told: what one reading holds, the next may have given back.
    """

    running: int | None = None
    waiting: int | None = None
    cells: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Night:
    """What a soak was seen to do, binned evenly.

    Attributes:
        step_s: seconds of a bin.
        levels: what the server holds, by detector (bytes, or a count), bin by bin.
        canary: seconds to the canary's first token; None: none was sent. Its points are its own.
        decode: tokens a second of a stream, median of those that ended in the bin.
        parts: between 0 and 1, by detector: of prompts that was known, of drafts that was accepted.
        work: requests of the traffic that ended in each bin.
        asked: all that ended, canaries among them: what growth is held against; None: ``work``.
        broken: of these, those that went wrong.
        log: lines a second.
        cache: bytes that the server's own prompt cache may take; 0: none is known.
    """

    step_s: float
    levels: dict[Detector, Course] = field(default_factory=dict)
    canary: Course | None = None
    decode: Course | None = None
    parts: dict[Detector, Course] = field(default_factory=dict)
    work: Course | None = None
    asked: Course | None = None
    broken: Course | None = None
    log: Course | None = None
    rest: AtRest | None = None
    cache: float = 0.0


@dataclass(frozen=True, slots=True)
class Glance:
    """What one detector sees before the others are asked.

    Attributes:
        p: the chance of what it sees where nothing is; None: it is counted, and no chance.
        large: it is of a size and of a shape that matters.
        word: what is said where it is not called.
        called: what is said where it is.
        got: size and pace, in words. ``told``: what a reader sees whatever the word.
        chance: what is told beside it where it is large, and not called for it may be chance.
        onset_s: since when, seconds after the load began.
    """

    detector: Detector
    word: Call = Call.CLEAR
    p: float | None = None
    large: bool = False
    called: Call = Call.FOUND
    got: str = ""
    told: str = ""
    chance: str = ""
    onset_s: float | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a detector says of a night, the others considered."""

    detector: Detector
    word: Call
    got: str
    told: str
    onset_s: float | None = None


def few(detector: Detector, n: int) -> Glance:
    """A look at too little."""
    word = Call.SHORT if n else Call.UNSEEN
    return Glance(detector, word, told=f"not tested: {n} points of {POINTS}" if n else "not tested: nothing tells it")


def untold(detector: Detector) -> Glance:
    """A look at a series in which time and load go together."""
    return Glance(detector, Call.UNTOLD, told="not tested: the load rose or fell with time, and explains it as well")
