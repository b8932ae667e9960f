"""From the rows and samples of a soak to the series that detectors look at.

Without phases of its own a soak is one phase. What is beside the point is left out: the warm-up, what comes after the
drain, the time of stops, and of paces and waits the phases whose load is made to move.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seatrial.detectors import bins
from seatrial.detectors.words import AtRest, Course, Detector, Night
from seatrial.reading.soak.columns import Ints, Rows, rows_of
from seatrial.records import OUR_ERROR, SECOND, Gpu, PhaseSort, Sample, SoakRun, Stage
from seatrial.statistics.series.noise import Floats

WARM_UP = 0.05
"""Of a soak without phases: the part that is taken for its warm-up."""

STEADY = frozenset({PhaseSort.BASELINE, PhaseSort.CLOSED, PhaseSort.OPEN})
"""Phases in which a wait or a pace can be held against an earlier one."""

RESTING_S = 5.0
"""A server may work on so long at what has ended for us."""

NOT_COUNTED = frozenset({"busy", "cancelled", OUR_ERROR})


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """The time of a soak: where it begins and ends, its bins, and of each bin its phase and its load."""

    start: int
    end: int
    bounds: Floats
    at: Floats
    held: Floats  # codes of phases for what is held
    timed: Floats  # and for what is timed: below 0 where the load is made to move
    load: Floats

    def since(self, times: Sequence[int] | Ints) -> Floats:
        return (np.asarray(times, dtype=np.float64) - self.start) / SECOND

    def course(self, values: Floats, phase: Floats | None = None) -> Course:
        return Course(self.at, values, self.timed if phase is None else phase, self.load)


def night(run: SoakRun, rows: Rows, stopped: Sequence[tuple[int, int]], cache: float) -> Night | None:
    """The series of a soak; None where nothing tells when it began.

    Args:
        rows: those that can be judged: no stop and no queue of ours in them.
        stopped: when the server was down or frozen: monotonic ns, from and to.
        cache: bytes that the server's own prompt cache may take.
    """
    axis = _axis(run, stopped)
    if axis is None:
        return None
    sent = rows.where((rows.whole("canary") == 0) & ~rows.among("outcome", NOT_COUNTED))
    answered = sent.among("outcome", {"ok"})
    sound, ended = sent.where(answered), axis.since(sent.whole("ended_at"))
    all_ended = axis.since(rows_of(run).whole("ended_at"))
    return Night(
        step_s=float(axis.bounds[1]),
        levels=_levels(run, axis),
        canary=_canary(rows, axis),
        decode=_decode(sound, axis),
        parts=_parts(sound, axis),
        work=axis.course(bins.sums(ended, np.ones(len(sent)), axis.bounds), axis.held),
        asked=axis.course(bins.sums(all_ended, np.ones(len(all_ended)), axis.bounds), axis.held),
        broken=axis.course(bins.sums(ended, (~answered).astype(np.float64), axis.bounds), axis.held),
        log=_log(run, axis),
        rest=_rest(run, axis),
        cache=cache,
    )


def held(run: SoakRun) -> int:
    """Requests that the server had in work when nothing of ours was: the least that was told; 0 where nobody tells."""
    axis = _axis(run, ())
    rest = _rest(run, axis) if axis is not None else None
    return (rest.running or 0) + (rest.waiting or 0) if rest is not None else 0


def _axis(run: SoakRun, stopped: Sequence[tuple[int, int]]) -> _Axis | None:
    start = next((line.at for line in reversed(run.phases) if line.what == Stage.START), None)
    ends = [line.at for line in run.phases if line.what in (Stage.DRAIN, Stage.END)]
    if start is None or not ends or max(ends) <= start:
        return None
    drain = min(at for at in ends if at > start)
    length = (drain - start) / SECOND
    bounds = bins.edges(length)
    if len(bounds) < 2:
        return None
    at = (bounds[:-1] + bounds[1:]) / 2
    held, timed = np.full(len(at), 0.0), np.full(len(at), 0.0)
    if not run.spans:
        held[at < WARM_UP * length] = timed[at < WARM_UP * length] = -1
    else:
        held[:] = timed[:] = -1
        for span in run.spans:
            here = (at >= (span.since - start) / SECOND) & (at < ((span.until or drain) - start) / SECOND)
            code = float(list(PhaseSort).index(span.sort))
            held[here] = -1 if span.sort == PhaseSort.WARM_UP else code
            timed[here] = code if span.sort in STEADY else -1
    for since, until in stopped:
        here = (bounds[1:] >= (since - start) / SECOND) & (bounds[:-1] <= (until - start) / SECOND)
        held[here] = timed[here] = -1
    rows = rows_of(run)
    flying = rows.where(rows.whole("canary") == 0)
    sent, ended = ((flying.whole(name).astype(np.float64) - start) / SECOND for name in ("sent_at", "ended_at"))
    return _Axis(start, max(ends), bounds, at, held, timed, bins.in_flight(sent, ended, bounds))


def _levels(run: SoakRun, axis: _Axis) -> dict[Detector, Course]:
    """What the processes of the server hold together; a new life is a phase of its own."""
    fields = {Detector.MEMORY: "memory", Detector.FILES: "fds", Detector.THREADS: "threads"}
    samples = [*run.samples, *run.children]
    by_pid: dict[int, list[Sample]] = {}
    for sample in samples:
        by_pid.setdefault(sample.pid, []).append(sample)
    lives = {name: number for number, name in enumerate(dict.fromkeys(s.incarnation for s in run.samples))}
    at = axis.since([sample.t for sample in run.samples])
    life = bins.medians(at, np.array([lives[s.incarnation] for s in run.samples], dtype=np.float64), axis.bounds)
    phase = np.where(axis.held < 0, -1, axis.held + 100 * np.nan_to_num(life))
    found = {}
    for detector, name in fields.items():
        values = [_binned(each, name, axis) for each in by_pid.values()]
        if values:
            found[detector] = axis.course(_together(values), phase)
    if run.gpus and (gpu := _gpu(run.gpus, set(by_pid), axis)) is not None:
        found[Detector.GPU_MEMORY] = axis.course(gpu, phase)
    return found


def _binned(samples: Sequence[Sample], name: str, axis: _Axis) -> Floats:
    told = [(s.t, value) for s in samples if (value := getattr(s, name)) is not None]
    return bins.medians(axis.since([t for t, _ in told]), np.array([v for _, v in told], dtype=np.float64), axis.bounds)


def _together(values: Sequence[Floats]) -> Floats:
    """The sum over processes, as far as each is there; NaN where none is."""
    stacked = np.vstack(values)
    return np.where(np.isfinite(stacked).any(axis=0), np.nansum(stacked, axis=0), np.nan)


def _gpu(lines: Sequence[Gpu], pids: set[int], axis: _Axis) -> Floats | None:
    by_card: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        ours = [size for pid, size in line.processes.items() if size is not None and pid.isdigit() and int(pid) in pids]
        if ours:
            by_card.setdefault(line.uuid, []).append((line.t, float(sum(ours))))
    if not by_card:
        return None
    return _together(
        [
            bins.medians(axis.since([t for t, _ in told]), np.array([v for _, v in told]), axis.bounds)
            for told in by_card.values()
        ]
    )


def _canary(rows: Rows, axis: _Axis) -> Course | None:
    """Each canary is a point, dated as it was sent; more of them than bins are taken by medians."""
    told = rows.where((rows.whole("canary") != 0) & rows.among("outcome", {"ok"}))
    told = told.where(np.nan_to_num(told.ttft_s) != 0)
    if not told:
        return None
    at, waits = axis.since(told.whole("sent_at")), told.ttft_s
    if len(at) > len(axis.at):
        return axis.course(bins.medians(at, waits, axis.bounds))
    where = np.searchsorted(axis.bounds, at, side="right") - 1
    inside = (where >= 0) & (where < len(axis.at))
    at, waits, where = at[inside], waits[inside], where[inside]
    return Course(at, waits, axis.timed[where], axis.load[where])


def _decode(sound: Rows, axis: _Axis) -> Course | None:
    told = sound.where(np.nan_to_num(sound.tpot_s) != 0)
    if not told:
        return None
    paces = np.exp(bins.level(np.log(1 / told.tpot_s), told.codes("workload")))
    return axis.course(bins.medians(axis.since(told.whole("ended_at")), paces, axis.bounds))


def _parts(sound: Rows, axis: _Axis) -> dict[Detector, Course]:
    """What of prompts was known and of drafts accepted; a workload that never has any says nothing."""
    found = {}
    for detector, part, whole in (
        (Detector.CACHE, "cached", "prompt_tokens"),
        (Detector.DRAFTS, "accepted", "drafted"),
    ):
        told = sound.where(sound.tells(part) & sound.has(whole))
        shares = told.number(part) / told.number(whole)
        if shares.any():
            values, at = bins.level(shares, told.codes("workload")), axis.since(told.whole("ended_at"))
            many = bins.sums(at, np.ones(len(told)), axis.bounds)
            means = np.where(many > 0, bins.sums(at, values, axis.bounds) / np.maximum(many, 1), np.nan)
            found[detector] = axis.course(means)
    return found


def _log(run: SoakRun, axis: _Axis) -> Course | None:
    """Lines a second: what was written of it, spread over its time. Where nothing was, none were many, if any came."""
    if not run.logs:
        return None
    lines = np.zeros(len(axis.at))
    for line in run.logs:
        since, until = axis.since([line.since, line.t])
        overlap = np.minimum(axis.bounds[1:], until) - np.maximum(axis.bounds[:-1], since)
        lines += np.maximum(overlap, 0) / max(until - since, 1e-9) * line.lines
    return axis.course(lines / np.diff(axis.bounds), np.zeros(len(axis.at)))


def _rest(run: SoakRun, axis: _Axis) -> AtRest | None:
    """What was told between the last request of ours and the end, or in a phase of rest."""
    sent, ended = (rows_of(run).whole(name) for name in ("sent_at", "ended_at"))
    last = (int(ended.max()) if len(ended) else axis.start) + RESTING_S * SECOND
    quiet = [m for m in run.meters if last <= m.t <= axis.end]
    for span in run.spans:
        if span.sort == PhaseSort.REST and span.until is not None:
            since = int(ended[sent < span.until].max(initial=span.since)) + RESTING_S * SECOND
            quiet += [m for m in run.meters if since <= m.t <= span.until]
    if not quiet:
        return None
    running = [m.running for m in quiet if m.running is not None]
    waiting = [m.waiting for m in quiet if m.waiting is not None]
    return AtRest(min(running, default=None), min(waiting, default=None))
