"""What a soak measured, phase by phase and workload by workload.

Times of a request count from when it was meant to be sent: in an open load our own delay is part of what its user
waits, and a request that never left or never got a token counts above every time that was measured. Definitions of the
times of one request stand in :mod:`seatrial.reading.rows`.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from seatrial.checks.areas.soak import lasting
from seatrial.checks.areas.soak.parts import BESIDE
from seatrial.reading.rows import Slo, chunk_s, e2e_s, slo, tpot_s, ttfb_s, ttfo_s, ttft_s, waited_s
from seatrial.records import LEFT, SECOND, Gpu, LoadRow, PhaseSort, PhaseSpan, SoakRun, Stage
from seatrial.statistics import spans
from seatrial.statistics.censored import Censored, censored

ASIDE = frozenset({PhaseSort.WARM_UP, PhaseSort.BASELINE, PhaseSort.FILL})
"""Sorts of phases whose times are no sign of the others'."""

NOT_WAITED = frozenset({"left", "declined", "accepted"})
"""Outcomes of requests whose first token nobody waited for to the end."""

GONE = frozenset({LEFT, "cancelled"})
"""Outcomes of requests whose client had its use of what came, and wanted no more."""
OF_USE = GONE | {"ok", "declined", "accepted"}

SILENT_NS = SECOND
"""Stretches without a token that are shorter are no silence."""


@dataclass(slots=True)
class Group:
    """Requests of one phase, of one workload in it, or of all: rows, and how many left none."""

    rows: list[LoadRow] = field(default_factory=list)
    dropped: int = 0
    unfinished: int = 0
    _waits: tuple[tuple[int, int, int], list[float], int] | None = None

    def waits(self) -> tuple[list[float], int]:
        """Seconds to the first token from when each was meant to be sent, and how many are not known."""
        counted = (len(self.rows), self.dropped, self.unfinished)
        if self._waits is None or self._waits[0] != counted:
            known = sorted(wait for row in self.rows if (wait := waited_s(row)) is not None)
            unknown = sum(not row.first_at and row.outcome not in NOT_WAITED for row in self.rows)
            self._waits = (counted, known, unknown + self.dropped + self.unfinished)
        return self._waits[1], self._waits[2]

    def answers(self) -> list[float]:
        """Seconds to the first token that is no thought; none where nobody thought: then it is the first of all."""
        if not any(row.content_at > row.first_at for row in self.rows):
            return []
        return [wait for row in self.rows if (wait := ttfo_s(row)) is not None]

    def percentile(self, q: float) -> Censored | None:
        """A quantile of these waits; None for none at all."""
        known, unknown = self.waits()
        return censored(known, unknown, q)


def traffic(run: SoakRun) -> Group:
    """What a soak's times are about: no canaries, nothing that had to be refused, and the phases like each other."""
    aside = {span.name for span in run.spans if span.sort in ASIDE}
    return Group(
        [row for row in run.rows if is_traffic(row) and row.phase not in aside],
        sum(line.phase not in aside and line.workload not in BESIDE for line in run.dropped),
        len(run.unfinished),
    )


def is_traffic(row: LoadRow) -> bool:
    """Whether a request is none of those that are sent beside the traffic."""
    return not row.canary and row.workload not in BESIDE


def of_phases(run: SoakRun) -> Iterator[tuple[str, str]]:
    """A line of each phase, and one of each workload in it where there are several."""
    limits, silence = limits_of(run), _silence(run)
    by_phase = phases_of(run)
    for span in run.spans:
        workloads = by_phase[span.name]
        whole = Group(unfinished=sum(span.since <= at < (span.until or 2**63) for at in run.unfinished_at))
        for name, each in workloads.items():
            if name not in BESIDE or span.sort == PhaseSort.BASELINE:
                whole.rows += each.rows
                whole.dropped += each.dropped
        yield f"soak: {span.name}", ", ".join(_phase(span, whole, limits, silence))
        if len(workloads) > 1:
            for name, group in sorted(workloads.items()):
                yield f"soak: {span.name}, {name}", ", ".join(times(group))


def answers(run: SoakRun) -> Iterator[tuple[str, str]]:
    """What is told of all answers: tokens made for nobody, tokens known before, drafts taken, energy."""
    yield "soak: made for nobody", _disowned(run)
    cached = [row for row in run.rows if row.cached is not None and row.prompt_tokens]
    if prompts := sum(row.prompt_tokens or 0 for row in cached):
        share = 100 * sum(row.cached or 0 for row in cached) / prompts
        yield "soak: cached", f"{share:.0f} % of {prompts} prompt tokens, as {len(cached)} answers tell"
    drafted = [row for row in run.rows if row.drafted and row.accepted is not None]
    if proposed := sum(row.drafted or 0 for row in drafted):
        share = sum(row.accepted or 0 for row in drafted) / proposed
        yield "soak: drafts taken", f"{share:.2f} of {proposed} tokens, as {len(drafted)} answers tell"
    yield "soak: energy", _energy(run)
    for line in run.phases:
        if line.what == Stage.MEASURED:
            rate = line.facts.get("rps", "")
            what = "keeps up with" if line.sort == PhaseSort.SWEEP else "answered"
            yield f"soak: {line.name} {what}", f"{rate} requests a second" if rate else "no rate"


def disowned(run: SoakRun) -> tuple[int, int]:
    """Requests whose answer no client could use though the server had made some of it, and tokens that came of it."""
    rows = list(disowned_rows(run.rows))
    return len(rows), sum(row.tokens or row.deltas for row in rows)


def phases_of(run: SoakRun) -> dict[str, dict[str, Group]]:
    """Requests by phase and workload."""
    found: dict[str, dict[str, Group]] = defaultdict(lambda: defaultdict(Group))
    for row in run.rows:
        found[row.phase][row.workload].rows.append(row)
    for line in run.dropped:
        found[line.phase][line.workload].dropped += 1
    return found


def _phase(span: PhaseSpan, group: Group, limits: Slo | None, silence: Sequence[spans.Stretch]) -> Iterator[str]:
    """Parts of a phase's line. Its time is what was planned: what it waits for at its end is not its own."""
    until = span.until if span.until is not None else max((row.ended_at for row in group.rows), default=span.since)
    seconds = (until - span.since) / SECOND
    rate = span.facts.get("rps", "")
    yield f"{seconds:.0f} s" + (
        " at no rate: nothing was measured before it" if rate == "none" else rate and f" at {rate}/s"
    )
    if not group.rows and not group.dropped:
        yield "nothing sent"
        return
    yield f"{len(group.rows)} requests"
    counts = Counter(row.outcome for row in group.rows if row.outcome not in {"ok", "declined"})
    yield from (f"{n} {word}" for word, n in sorted(counts.items()))
    yield from (f"{n} {word}" for n, word in ((group.dropped, "dropped"), (group.unfinished, "unfinished")) if n)
    yield from times(group)
    if limits is not None and seconds > 0:
        good = sum(limits.holds(row) for row in group.rows)
        yield f"goodput {good / seconds:.2f}/s ({good} within the limits)"
    quiet = [min(end, until) - max(since, span.since) for since, end in silence if since < until and end > span.since]
    if quiet:
        yield f"in flight without a token {sum(quiet) / SECOND:.0f} s (longest {max(quiet) / SECOND:.1f} s)"


def times(group: Group) -> Iterator[str]:
    """The times of a group, as far as they are known."""
    p50, p99 = group.percentile(0.50), group.percentile(0.99)
    if p50 is not None and p99 is not None and not math.isinf(p50.value):
        yield f"TTFT p50 {p50.told()} p99 {p99.told()} (n {p50.n})"
    sent = [wait for row in group.rows if (wait := ttft_s(row)) is not None]
    known, unknown = group.waits()
    from_sending = censored(sent, unknown, 0.99)
    if from_sending is not None and p99 is not None and known and p99.value - from_sending.value > 0.01:
        yield f"from sending p99 {from_sending.told()}"
    for name, times in (
        ("TTFB", [wait for row in group.rows if (wait := ttfb_s(row)) is not None]),
        ("TTFO", group.answers()),
        ("TPOT", [pace for row in group.rows if (pace := tpot_s(row)) is not None]),
        ("TPOT by chunks (estimated)", [pace for row in group.rows if (pace := chunk_s(row)) is not None]),
        ("E2E", [time for row in group.rows if row.outcome == "ok" and (time := e2e_s(row)) is not None]),
    ):
        low, high = censored(times, 0, 0.50), censored(times, 0, 0.99)
        if low is not None and high is not None:
            yield f"{name} p50 {low.told()} p99 {high.told()}"
    if gap := max((row.gap_to - row.gap_from for row in group.rows), default=0):
        yield f"longest gap {gap / SECOND:.3f} s"


def limits_of(run: SoakRun) -> Slo | None:
    """The limits that the last start of the load tells; None where there are none, or they cannot be read."""
    start = next((line for line in reversed(run.phases) if line.what == Stage.START), None)
    try:
        return slo(start.facts["slo"]) if start is not None and start.facts.get("slo") else None
    except ValueError:
        return None


def _silence(run: SoakRun) -> list[spans.Stretch]:
    """When chats were in flight, and none of them got a token: each a second at least."""
    chats = [row for row in run.rows if row.cap]
    busy = [(row.sent_at, row.ended_at) for row in chats]
    speaking = [stretch for row in chats for stretch in _speaking(row)]
    return [each for each in spans.without(busy, speaking) if each[1] - each[0] >= SILENT_NS]


def _speaking(row: LoadRow) -> Iterable[spans.Stretch]:
    """When tokens of a stream came: from the first to the last, but for the longest gap between two of them."""
    if not row.first_at:
        return ()
    last = max(row.last_at, row.first_at + 1)  # one token is a moment
    return ((row.first_at, row.gap_from), (row.gap_to, last)) if row.gap_to else ((row.first_at, last),)


def disowned_rows(rows: Iterable[LoadRow]) -> Iterator[LoadRow]:
    """Those whose answer no client could use though the server had made some of it."""
    return (row for row in rows if row.outcome not in OF_USE and (row.tokens or row.deltas))


def _disowned(run: SoakRun) -> str:
    """What came of answers that no client could use, and what the server counted beyond those that could be used."""
    rows = list(disowned_rows(run.rows))
    used = sum(row.tokens or (row.deltas if row.outcome in GONE else 0) for row in run.rows if row.outcome in OF_USE)
    before, after = (
        next((line.tokens for line in lines if line.phase == phase), None)
        for lines, phase in ((run.counters, "before"), (run.counters[::-1], "after"))
    )
    made = None if before is None or after is None else after - before
    parts = [f"{n} {word}" for word, n in sorted(Counter(row.outcome for row in rows).items())]
    seen = sum(row.tokens or row.deltas for row in rows)
    told = [f"{seen} tokens of {len(rows)} answers ({', '.join(parts)})"] if rows else []
    if made is not None and made > used:
        told.append(f"by the server's count {made - used} of {made} tokens ({100 * (made - used) / made:.1f} %)")
    return "; ".join(told)


def _energy(run: SoakRun) -> str:
    """What the GPUs used while the load ran, a token that was received; empty where none tells its power.

    Of the cards those that hold something of the server's processes; where no driver says which, all of the host's.
    """
    since, until = lasting.bounds(run)
    if since is None or until is None or not (tokens := sum(r.tokens or 0 for r in run.rows if r.sent_at >= since)):
        return ""
    pids = {str(sample.pid) for sample in (*run.samples, *run.children)}
    ours = {gpu.index for gpu in run.gpus if pids & gpu.processes.keys()}
    joules, last = 0.0, dict[int, Gpu]()
    for gpu in run.gpus:
        if gpu.power_mw is None or not since <= gpu.t <= until or (ours and gpu.index not in ours):
            continue
        if (earlier := last.get(gpu.index)) is not None and gpu.t - earlier.t < 10 * SECOND:
            joules += (gpu.power_mw + (earlier.power_mw or 0)) / 2000 * (gpu.t - earlier.t) / SECOND
        last[gpu.index] = gpu
    cards = f"{len(last)} GPUs" if len(last) > 1 else "the GPU"
    cards += "" if ours or len(last) < 2 else ", whoever used them,"
    return f"{joules / tokens:.2f} J a token, {joules / 3600:.1f} Wh of {cards} in all" if joules else ""
