"""A soak as CSV: a row a request, a row a minute,
a row a phase and workload. Units stand in the names of the columns.

What a server or an operator wrote is text in a sheet and nothing else: no cell of it begins as a formula does (OWASP,
CSV Injection), and none holds what a terminal obeys. A cell that nobody can tell is empty, never nought.
"""

from __future__ import annotations

import csv
import datetime
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from seatrial.checks.areas.soak import lives
from seatrial.checks.areas.soak.measured import OF_USE, Group
from seatrial.checks.areas.soak.parts import BESIDE
from seatrial.checks.areas.soak.table import PhaseFigures, table
from seatrial.detectors import bins
from seatrial.reading.soak.columns import Rows
from seatrial.reading.soak.rows import e2e_s, tpot_s, ttfb_s, ttfo_s, ttft_s, waited_s
from seatrial.records import SECOND, Gpu, LoadRow, Sample, SoakRun, Stage
from seatrial.report.words.plain import Wall
from seatrial.statistics.censored import Censored, censored
from seatrial.statistics.series.noise import Floats
from seatrial.text import visible

Cell = str | int | float | None
_BEGINS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%")
"""How a formula, or a call of another program, begins in one spreadsheet or another."""

MINUTE_S = 60.0

REQUESTS = (
    "id", "phase", "workload", "canary", "life_of_server", "outcome", "status", "meant_utc", "meant_s",
    "sent_s", "ended_s",
    "ttfb_from_sent_s", "ttft_from_meant_s", "ttft_from_sent_s", "ttfo_from_meant_s", "e2e_from_meant_s", "tpot_s",
    "gap_longest_s", "prompt_tokens",
    "answer_tokens", "deltas", "cap_tokens", "cached_tokens", "drafted_tokens", "accepted_tokens", "finish_reason",
    "rules_broken", "detail",
)  # fmt: skip
"""Seconds without a reference are those since the load began."""

MINUTES = (
    "minute", "begins_utc", "phase", "requests_sent", "answered", "lost", "turned_away", "dropped",
    "ttft_from_meant_p50_s", "ttft_from_meant_p99_s", "ttft_p99_is_beyond", "tpot_p50_s", "answer_tokens",
    "in_flight_mean", "canary_ttft_p50_s", "memory_bytes", "open_files", "threads", "gpu_busy_percent",
    "gpu_memory_bytes", "gpu_power_w", "log_lines_per_s",
)  # fmt: skip

PHASES = (
    "phase", "workload", "rate_planned_per_s", "length_s", "requests", "answered", "lost", "turned_away", "left",
    "dropped", "unfinished", "ttft_from_meant_p50_s", "ttft_from_meant_p99_s", "ttft_p99_is_beyond",
    "ttft_from_sent_p99_s", "ttfo_from_meant_p50_s", "tpot_p50_s", "tpot_p99_s", "tpot_is_estimated",
    "e2e_from_meant_p99_s", "gap_longest_s", "goodput_per_s",
    "answer_tokens", "disowned_requests", "disowned_tokens", "cached_tokens", "prompt_tokens_of_these",
    "accepted_tokens", "drafted_tokens",
)  # fmt: skip


def sheets(run: SoakRun, wall: Wall) -> Iterator[tuple[str, bytes]]:
    """Name and content of each sheet."""
    yield "requests", _sheet(REQUESTS, _requests(run, wall))
    yield "minutes", _sheet(MINUTES, _minutes(run, wall))
    yield "phases", _sheet(PHASES, (_phase(line) for line in table(run)))


def text(said: str) -> str:
    """A text as it stands in a cell."""
    shown = visible(said)
    return f"'{shown}" if shown.lstrip().startswith(_BEGINS) else shown


def _sheet(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: Cell) -> str | int:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return text(value) if isinstance(value, str) else value


def _begins(run: SoakRun) -> int:
    start = next((line.at for line in reversed(run.phases) if line.what == Stage.START), None)
    times = [*(row.intended_at for row in run.rows), *(line.intended_at for line in run.dropped), *run.unfinished_at]
    return start if start is not None else min(times, default=0)


def _utc(wall: Wall, at: int) -> str | None:
    """ISO 8601, UTC; None where no clock was recorded."""
    ns = wall.wall_ns(at)
    if ns is None:
        return None
    moment = datetime.datetime.fromtimestamp(ns / SECOND, tz=datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _requests(run: SoakRun, wall: Wall) -> Iterator[list[Cell]]:
    begins = _begins(run)
    blank: list[Cell] = [None] * (len(REQUESTS) - 9)
    for row in run.rows:
        meant, sent, ended = ((at - begins) / SECOND for at in (row.intended_at, row.sent_at, row.ended_at))
        yield [
            row.id, row.phase, row.workload, int(row.canary), lives.answering(run, row), row.outcome,
            row.status or None, _utc(wall, row.intended_at), meant, sent, ended, ttfb_s(row),
            waited_s(row), ttft_s(row), ttfo_s(row), e2e_s(row), tpot_s(row),
            (row.gap_to - row.gap_from) / SECOND if row.gap_to else None, row.prompt_tokens, row.tokens, row.deltas,
            row.cap or None, row.cached, row.drafted, row.accepted, row.finish_reason, " ".join(row.findings),
            row.detail,
        ]  # fmt: skip
    for line in run.dropped:
        meant = (line.intended_at - begins) / SECOND
        yield [None, line.phase, line.workload, 0, None, "dropped", None, _utc(wall, line.intended_at), meant, *blank]
    for name, at in zip(run.unfinished, run.unfinished_at, strict=True):
        yield [name, None, None, None, None, "unfinished", None, _utc(wall, at), (at - begins) / SECOND, *blank]


def _minutes(run: SoakRun, wall: Wall) -> Iterator[list[Cell]]:
    begins = _begins(run)
    ends = [*(row.ended_at for row in run.rows), *(line.at for line in run.phases)]
    many = math.ceil(max(((at - begins) / SECOND for at in ends), default=0.0) / MINUTE_S)
    if many < 1:
        return
    bounds = np.arange(many + 1, dtype=np.float64) * MINUTE_S
    sent: dict[int, list[LoadRow]] = defaultdict(list)
    canaries: dict[int, list[float]] = defaultdict(list)
    for row in run.rows:
        minute = int((row.intended_at - begins) / SECOND // MINUTE_S)
        if row.workload not in BESIDE:
            sent[minute].append(row)
        elif row.canary and (wait := ttft_s(row)) is not None:
            canaries[minute].append(wait)
    groups = defaultdict(Group, {minute: Group(Rows(rows)) for minute, rows in sent.items()})
    for line in (line for line in run.dropped if line.workload not in BESIDE):
        groups[int((line.intended_at - begins) / SECOND // MINUTE_S)].dropped += 1
    watched = np.column_stack(_watched(run, begins, bounds))
    flying = _flying(run.rows, begins, bounds)
    for minute in range(many):
        at = begins + int(minute * MINUTE_S * SECOND)
        phase = next((span.name for span in reversed(run.spans) if span.since <= at + SECOND), None)
        canary = censored(canaries[minute], 0, 0.50)
        yield [minute, _utc(wall, at), phase, *_minute(groups[minute]), float(flying[minute]),
               canary.value if canary is not None else None, *map(float, watched[minute])]  # fmt: skip


def _minute(group: Group) -> list[Cell]:
    """What became of the requests that were meant to be sent in a minute."""
    rows = group.rows
    busy = sum(row.outcome == "busy" for row in rows)
    paces = censored([pace for row in rows if (pace := tpot_s(row)) is not None], 0, 0.50)
    return [
        len(rows), sum(row.outcome == "ok" for row in rows), sum(row.outcome not in OF_USE for row in rows) - busy,
        busy,
        group.dropped, *_percentiles(group.percentile(0.50), group.percentile(0.99)), _value(paces),
        rows.known_total("tokens"),
    ]  # fmt: skip


def _percentiles(p50: Censored | None, p99: Censored | None) -> tuple[Cell, Cell, Cell]:
    return _value(p50), _value(p99), None if p99 is None else int(p99.beyond)


def _value(found: Censored | None) -> float | None:
    return None if found is None else found.value


def _phase(line: PhaseFigures) -> list[Cell]:
    return [
        line.phase, line.workload, line.rate, line.seconds, line.requests, line.answered, line.lost, line.busy,
        line.left, line.dropped, line.unfinished, *_percentiles(line.ttft_p50, line.ttft_p99), _value(line.sent_p99),
        _value(line.ttfo_p50), _value(line.tpot_p50), _value(line.tpot_p99), int(line.estimated),
        _value(line.e2e_p99), line.gap_s or None, line.goodput,
        line.tokens, line.disowned, line.wasted, *((line.cached, line.prompted) if line.prompted else (None, None)),
        *((line.accepted, line.drafted) if line.drafted else (None, None)),
    ]  # fmt: skip


def _flying(rows: Sequence[LoadRow], begins: int, bounds: Floats) -> Floats:
    sent, ended = (
        (np.array([getattr(row, name) for row in rows], dtype=np.float64) - begins) / SECOND
        for name in ("sent_at", "ended_at")
    )
    return bins.in_flight(sent, ended, bounds)


def _watched(run: SoakRun, begins: int, bounds: Floats) -> list[Floats]:
    """What the recorder saw, minute by minute: of the processes together, of the GPUs, of the log."""
    by_pid: dict[int, list[Sample]] = defaultdict(list)
    for sample in (*run.samples, *run.children):
        by_pid[sample.pid].append(sample)
    together = [
        _summed([_medians([(s.t, getattr(s, name)) for s in each], begins, bounds) for each in by_pid.values()], bounds)
        for name in ("memory", "fds", "threads")
    ]
    cards: dict[int, list[Gpu]] = defaultdict(list)
    for gpu in run.gpus:
        cards[gpu.index].append(gpu)
    busy = [_medians([(g.t, g.busy) for g in each], begins, bounds) for each in cards.values()]
    memory = [_medians([(g.t, g.memory) for g in each], begins, bounds) for each in cards.values()]
    power = [_medians([(g.t, g.power_mw) for g in each], begins, bounds) / 1000 for each in cards.values()]
    most = np.fmax.reduce(busy) if busy else _unknown(bounds)
    return [*together, most, _summed(memory, bounds), _summed(power, bounds), _logged(run, begins, bounds)]


def _medians(told: Sequence[tuple[int, int | None]], begins: int, bounds: Floats) -> Floats:
    known = [((t - begins) / SECOND, float(value)) for t, value in told if value is not None]
    return bins.medians(np.array([t for t, _ in known]), np.array([value for _, value in known]), bounds)


def _summed(series: Sequence[Floats], bounds: Floats) -> Floats:
    """The sum over what is known of each minute; not known where nothing is."""
    if not series:
        return _unknown(bounds)
    stacked = np.vstack(series)
    return np.where(np.isfinite(stacked).any(axis=0), np.nansum(stacked, axis=0), np.nan)


def _unknown(bounds: Floats) -> Floats:
    return np.full(len(bounds) - 1, np.nan)


def _logged(run: SoakRun, begins: int, bounds: Floats) -> Floats:
    """Lines a second, each reading spread over its time; not known in minutes that no reading reaches into."""
    lines, seen = np.zeros(len(bounds) - 1), np.zeros(len(bounds) - 1, dtype=bool)
    for reading in run.logs:
        since, until = ((at - begins) / SECOND for at in (reading.since, reading.t))
        overlap = np.maximum(np.minimum(bounds[1:], until) - np.maximum(bounds[:-1], since), 0)
        lines += overlap / max(until - since, 1e-9) * reading.lines
        seen |= overlap > 0
    return np.where(seen, lines / MINUTE_S, np.nan)
