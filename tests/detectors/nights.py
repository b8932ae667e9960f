"""Simulated nights: clean ones with noise that remembers itself, phases and what looks like a fault; and faults.

A night is minutes of what a recorder and a load see. Its noise is AR(1) with phi from 0 to 0.95, drawn for each series
apart, sometimes with fast noise over it, and outliers. Twins stand for what servers do and may: each draws its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import lfilter

from seatrial.detectors.leak import MIB
from seatrial.detectors.words import AtRest, Course, Detector, Night

PHIS = (0.0, 0.5, 0.8, 0.95)
MINUTE_S = 60.0


@dataclass
class Sim:
    """A night in the making: series by name, minute by minute."""

    source: np.random.Generator
    minutes: int
    phi: float | None = None  # None: each series draws its own
    noise: float = 1.0  # times the usual deviation

    def __post_init__(self) -> None:
        n, draw = self.minutes, self.source
        self.at = (np.arange(n) + 0.5) * MINUTE_S
        self.part = (np.arange(n) + 0.5) / n
        self.phase = np.zeros(n)
        self.phase[self.part < 0.03] = -1
        rate = 60.0 * np.ones(n)
        self.load = 4 + 0.3 * self.remembered(n)
        self.work = draw.poisson(rate).astype(float)
        self.ttft = 0.2 * np.exp(self.deviation(0.04, 0.12) * self.remembered(n))
        self.decode = 40 * np.exp(self.deviation(0.02, 0.06) * self.remembered(n))
        self.memory = draw.choice([400, 4000, 17000]) * MIB + self.deviation(2, 16) * MIB * self.remembered(n)
        self.vram = 18000 * MIB + self.deviation(0, 8) * MIB * self.remembered(n)
        self.fds = np.round(60 + self.load + self.deviation(0.5, 3) * self.remembered(n))
        self.threads = np.round(24 + self.deviation(0, 1) * self.remembered(n))
        self.broken = draw.binomial(self.work.astype(int), draw.choice([0, 0.002, 0.01])).astype(float)
        self.cached = np.clip(draw.uniform(0.3, 0.8) + self.deviation(0.02, 0.06) * self.remembered(n), 0, 1)
        self.accepted = np.clip(draw.uniform(0.4, 0.8) + self.deviation(0.02, 0.06) * self.remembered(n), 0, 1)
        self.log = np.abs(3 + self.remembered(n))
        self.rest = AtRest(running=0, waiting=0)
        self.cache = 0.0

    def deviation(self, low: float, high: float) -> float:
        return self.noise * self.source.uniform(low, high)

    def remembered(self, n: int) -> np.ndarray:
        """AR(1) of deviation 1: one series in four under fast noise of the same size, one in two with outliers."""
        phi = self.source.choice(PHIS) if self.phi is None else self.phi
        raw = self.source.standard_normal(n + 400)
        series = lfilter([np.sqrt(1 - phi * phi)], [1, -phi], raw)[400:]
        if self.source.random() < 0.25:
            series = np.sqrt(0.5) * (series + self.source.standard_normal(n))
        if self.source.random() < 0.5:
            series = np.where(self.source.random(n) < 0.01, series + 6, series)
        return series

    def night(self) -> Night:
        """As detectors get it."""

        def course(values: np.ndarray) -> Course:
            return Course(self.at, np.asarray(values, float), self.phase, self.load)

        levels = {
            Detector.MEMORY: course(self.memory),
            Detector.GPU_MEMORY: course(self.vram),
            Detector.FILES: course(self.fds),
            Detector.THREADS: course(self.threads),
        }
        return Night(
            step_s=MINUTE_S,
            levels=levels,
            canary=course(self.ttft),
            decode=course(self.decode),
            parts={Detector.CACHE: course(self.cached), Detector.DRAFTS: course(self.accepted)},
            work=course(self.work),
            asked=course(self.work + 1),  # a canary a minute
            broken=course(self.broken),
            log=course(self.log),
            rest=self.rest,
            cache=self.cache,
        )


def cache_fills(sim: Sim) -> None:
    """A RAM prompt cache fills to its bound, within the first 60 % of the night, and what falls out of it is freed."""
    full = sim.source.uniform(0.1, 0.6)
    sim.memory += sim.source.uniform(0.5, 8) * 1024 * MIB * np.minimum(sim.part / full, 1)


def cache_does_not_come_to_its_bound(sim: Sim) -> None:
    """The same, all night, where the bound is known: no proof of a leak, and no FAIL."""
    sim.cache = 8192 * MIB
    sim.memory += sim.source.uniform(0.2, 0.95) * sim.cache * sim.part


def warms_up(sim: Sim) -> None:
    """Pages are touched for the first time, pools fill: memory, threads and files come to rest, speed with them."""
    rise = 1 - np.exp(-sim.part / sim.source.uniform(0.02, 0.12))
    sim.memory += sim.source.uniform(50, 2000) * MIB * rise
    sim.threads += np.round(16 * rise)
    sim.fds += np.round(20 * rise)
    sim.ttft *= np.exp(0.3 * (1 - rise))


def page_cache(sim: Sim) -> None:
    """A model that is mapped comes into memory as it is read: a few steps in the first third."""
    for at in sim.source.uniform(0, 0.33, 4):
        sim.memory += sim.source.uniform(20, 400) * MIB * (sim.part > at)


def day_and_night(sim: Sim) -> None:
    """The load follows the hour of the day: a sine of 24 hours, of which the night is a piece anywhere."""
    phase = sim.source.uniform(0, 2 * np.pi)
    swing = sim.source.uniform(0.2, 0.6) * np.sin(phase + 2 * np.pi * sim.at / 86400)
    sim.load = np.maximum(sim.load * (1 + swing), 0.1)
    sim.work = sim.source.poisson(60 * (1 + swing)).astype(float)
    sim.broken = sim.source.binomial(sim.work.astype(int), 0.002).astype(float)
    sim.ttft *= np.exp(0.08 * (sim.load - 4))
    sim.decode *= np.exp(-0.06 * (sim.load - 4))
    sim.memory += 60 * MIB * (sim.load - 4)
    sim.vram += 20 * MIB * (sim.load - 4)
    sim.fds = np.round(60 + sim.load + sim.remembered(sim.minutes))


def checkpoints(sim: Sim) -> None:
    """Contexts are kept at checkpoints and dropped: a sawtooth, whose teeth end anywhere."""
    teeth = sim.source.uniform(3, 12)
    sim.memory += sim.source.uniform(50, 600) * MIB * ((sim.part * teeth + sim.source.random()) % 1)


def phases(sim: Sim) -> None:
    """Baseline, closed, open, fill, rest: what is held and how long it takes is of a phase, not of time."""
    bounds = np.sort(sim.source.uniform(0.1, 0.9, 3))
    kind = np.searchsorted(bounds, sim.part).astype(float)
    sim.phase = np.where(sim.phase < 0, -1, kind)
    for each in range(1, 4):
        here = kind == each
        sim.memory += here * sim.source.uniform(0, 800) * MIB
        sim.ttft *= np.where(here, np.exp(sim.source.uniform(-0.3, 0.6)), 1)
        sim.decode *= np.where(here, np.exp(sim.source.uniform(-0.3, 0.2)), 1)
        sim.cached = np.clip(sim.cached + here * sim.source.uniform(-0.2, 0.2), 0, 1)
        sim.load = sim.load + here * sim.source.uniform(-2, 3)
    sim.load = np.maximum(sim.load, 0.1)


def errors_in_a_burst(sim: Sim) -> None:
    """A neighbour takes the machine for ten minutes, once: requests go wrong then, and not more and more."""
    at = int(sim.source.integers(0, sim.minutes - 10))
    sim.broken[at : at + 10] = np.round(sim.work[at : at + 10] * 0.3)


def high_water(sim: Sim) -> None:
    """An allocator keeps what the longest request so far took: a running maximum, ever slower."""
    sim.memory += 20 * MIB * np.maximum.accumulate(np.abs(sim.remembered(sim.minutes)))


TWINS: tuple[Callable[[Sim], None], ...] = (
    cache_fills,
    cache_does_not_come_to_its_bound,
    warms_up,
    page_cache,
    day_and_night,
    checkpoints,
    phases,
    errors_in_a_burst,
    high_water,
)


def clean(seed: int, minutes: int = 480) -> tuple[Sim, tuple[str, ...]]:
    """A clean night and the names of its twins: none to three of them."""
    source = np.random.default_rng(seed)
    sim = Sim(source, minutes)
    chosen = source.choice(len(TWINS), size=source.integers(0, 4), replace=False)
    for index in sorted(chosen):
        TWINS[index](sim)
    return sim, tuple(TWINS[index].__name__ for index in sorted(chosen))


@dataclass(frozen=True)
class Effect:
    """A fault of a size: what it does to a night, and who must call it. ``sizes`` are in ``unit``."""

    name: str
    detector: Detector
    sizes: tuple[float, ...]
    unit: str
    put: Callable[[Sim, float], None]


def _leak(sim: Sim, size: float) -> None:
    sim.memory += size * MIB * sim.at / 3600


def _vram(sim: Sim, size: float) -> None:
    sim.vram += size * MIB * sim.at / 3600


def _fds(sim: Sim, size: float) -> None:
    sim.fds += np.floor(size * sim.at / 3600)


def _threads(sim: Sim, size: float) -> None:
    sim.threads += np.floor(size * sim.at / 3600)


def _slower(sim: Sim, size: float) -> None:
    sim.ttft *= (1 + size / 100) ** sim.part


def _slower_step(sim: Sim, size: float) -> None:
    sim.ttft *= np.where(sim.part > 0.6, 1 + size / 100, 1)


def _decay(sim: Sim, size: float) -> None:
    sim.decode *= (1 - size / 100) ** sim.part


def _decay_step(sim: Sim, size: float) -> None:
    sim.decode *= np.where(sim.part > 0.6, 1 - size / 100, 1)


def _errors(sim: Sim, size: float) -> None:
    sim.broken += sim.source.binomial(sim.work.astype(int), np.where(sim.part > 0.5, size / 100, 0))


def _cache(sim: Sim, size: float) -> None:
    sim.cached = np.clip(sim.cached - size / 100 * sim.part, 0, 1)


def _drafts(sim: Sim, size: float) -> None:
    sim.accepted = np.clip(sim.accepted - size / 100 * sim.part, 0, 1)


def _held(sim: Sim, size: float) -> None:
    sim.rest = replace(sim.rest, running=int(size))


def _flood(sim: Sim, size: float) -> None:
    sim.log = np.where((sim.part > 0.5) & (sim.part < 0.6), size, sim.log)


EFFECTS = (
    Effect("memory leaked", Detector.MEMORY, (16, 64, 256), "MB/h", _leak),
    Effect("GPU memory leaked", Detector.GPU_MEMORY, (16, 64, 256), "MB/h", _vram),
    Effect("files leaked", Detector.FILES, (2, 8, 32), "an hour", _fds),
    Effect("threads leaked", Detector.THREADS, (2, 8, 32), "an hour", _threads),
    Effect("canary slower and slower", Detector.LATENCY, (10, 20, 40), "%", _slower),
    Effect("canary slower from 60 % on", Detector.LATENCY_STEP, (15, 30, 60), "%", _slower_step),
    Effect("pace decays", Detector.DECODE, (10, 20, 40), "%", _decay),
    Effect("pace drops at 60 %", Detector.DECODE_STEP, (15, 30, 50), "%", _decay_step),
    Effect("errors from half time on", Detector.ERRORS, (0.5, 1, 4), "% of requests", _errors),
    Effect("prompt cache helps less", Detector.CACHE, (10, 20, 30), "points", _cache),
    Effect("drafts taken less", Detector.DRAFTS, (10, 20, 30), "points", _drafts),
    Effect("a slot held at rest", Detector.REST, (1,), "slot", _held),
    Effect("log flooded", Detector.LOG, (10000,), "lines/s", _flood),
)


def spoilt(seed: int, effect: Effect, size: float, minutes: int = 480, phi: float | None = 0.5) -> Sim:
    """A night without twins that bears one fault."""
    sim = Sim(np.random.default_rng(seed), minutes, phi=phi)
    effect.put(sim, size)
    return sim


def faulty(seed: int, effect: Effect, size: float, minutes: int = 480, phi: float | None = 0.5) -> Night:
    """The same, as detectors get it."""
    return spoilt(seed, effect, size, minutes, phi).night()
