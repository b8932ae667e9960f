"""What a soak measured, phase by phase and workload by workload.

Times of a request count from when it was meant to be sent: in an open load our own delay is part of what its user
waits, and a request that never left or never got a token counts above every time that was measured. Definitions of the
times of one request stand in :mod:`seatrial.reading.soak.rows`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from seatrial.checks.areas.soak import company, lasting
from seatrial.checks.areas.soak.parts import BESIDE
from seatrial.reading.soak.columns import Floats, Rows, known, once, rows_of
from seatrial.reading.soak.rows import Slo, slo
from seatrial.records import LEFT, OUR_ERROR, SECOND, CrewWord, Gpu, PhaseSort, PhaseSpan, SoakRun, Stage
from seatrial.statistics import spans
from seatrial.statistics.censored import Censored, censored

ASIDE = frozenset({PhaseSort.WARM_UP, PhaseSort.BASELINE, PhaseSort.FILL})
"""Sorts of phases whose times are no sign of the others'."""

NOT_WAITED = frozenset({"left", "declined", "accepted"})
"""Outcomes of requests whose first token nobody waited for to the end."""

GONE = frozenset({LEFT, "cancelled"})
"""Outcomes of requests whose client had its use of what came, and wanted no more."""
OF_USE = GONE | {"ok", "declined", "accepted", OUR_ERROR}
"""Outcomes of requests that are no work for nobody."""

SILENT_NS = SECOND
"""Stretches without a token that are shorter are no silence."""


@dataclass(slots=True)
class Group:
    """Requests of one phase, of one workload in it, or of all: rows, and how many left none."""

    rows: Rows = field(default_factory=Rows)
    dropped: int = 0
    unfinished: int = 0

    def waits(self) -> tuple[Floats, int]:
        """Seconds to the first token from when each was meant to be sent, and how many are not known."""
        unknown = (self.rows.whole("first_at") == 0) & ~self.rows.among("outcome", NOT_WAITED)
        return known(self.rows.waited_s), int(unknown.sum()) + self.dropped + self.unfinished

    def answers(self) -> Floats:
        """Seconds to the first token that is no thought; none where nobody thought: then it is the first of all."""
        thought = self.rows.whole("content_at") > self.rows.whole("first_at")
        return known(self.rows.ttfo_s) if thought.any() else np.empty(0)

    def percentile(self, q: float) -> Censored | None:
        """A quantile of these waits; None for none at all."""
        waits, unknown = self.waits()
        return censored(waits, unknown, q)


@once
def traffic(run: SoakRun) -> Group:
    """What a soak's times are about: no canaries, nothing that had to be refused, and the phases like each other."""
    aside = {span.name for span in run.spans if span.sort in ASIDE}
    rows = rows_of(run)
    beside = (rows.whole("canary") != 0) | rows.among("workload", BESIDE) | rows.among("phase", aside)
    return Group(
        rows.where(~beside),
        sum(line.phase not in aside and line.workload not in BESIDE for line in run.dropped),
        len(run.unfinished),
    )


def sent_as_traffic(rows: Rows) -> Rows:
    """Those that are none of what is sent beside the traffic: that waits for a place, which is no delay of ours."""
    return rows.where((rows.whole("canary") == 0) & ~rows.among("workload", BESIDE))


def paces(group: Group) -> Floats:
    """Seconds a token after the first, of those that were answered, by the server's count of tokens."""
    return known(group.rows.tpot_s[group.rows.among("outcome", {"ok"})])


def of_phases(run: SoakRun) -> Iterator[tuple[str, str]]:
    """A line of each phase, and one of each workload in it where there are several."""
    limits, silence = limits_of(run), _silence(run)
    by_phase = phases_of(run)
    for span in run.spans:
        workloads = by_phase.get(span.name, {})
        whole = whole_of(run, span)
        yield f"soak: {span.name}", ", ".join(_phase(span, whole, limits, silence))
        if len(workloads) > 1:
            for name, group in sorted(workloads.items()):
                yield f"soak: {span.name}, {name}", ", ".join(times(group))


def answers(run: SoakRun) -> Iterator[tuple[str, str]]:
    """What is told of all answers: tokens made for nobody, tokens known before, drafts taken, energy."""
    yield "soak: disowned tokens", _disowned(run)
    rows = rows_of(run)
    cached = prompted(rows)
    if prompts := cached.total("prompt_tokens"):
        share = 100 * cached.total("cached") / prompts
        yield "soak: cached", f"{share:.0f} % of {prompts} prompt tokens, as {len(cached)} answers tell"
    drafted = helped(rows)
    if proposed := drafted.total("drafted"):
        share = drafted.total("accepted") / proposed
        yield "soak: drafts taken", f"{share:.2f} of {proposed} tokens, as {len(drafted)} answers tell"
    yield "soak: energy", _energy(run)
    for line in run.phases:
        if line.what == Stage.MEASURED:
            rate = line.facts.get("rps", "")
            what = "keeps up with" if line.sort == PhaseSort.SWEEP else "answered"
            yield f"soak: {line.name} {what}", f"{rate} requests a second" if rate else "no rate"


def prompted(rows: Rows) -> Rows:
    """Those whose server told how much of their prompt was known to it."""
    return rows.where(rows.tells("cached") & rows.has("prompt_tokens"))


def helped(rows: Rows) -> Rows:
    """Those whose server told how many tokens of a draft were taken."""
    return rows.where(rows.has("drafted") & rows.tells("accepted"))


def disowned(run: SoakRun) -> tuple[int, int]:
    """Requests whose answer no client could use though the server had made some of it, and tokens that came of it."""
    rows = disowned_rows(rows_of(run))
    return len(rows), came_of(rows)


def phases_of(run: SoakRun) -> dict[str, dict[str, Group]]:
    """Requests by phase and workload."""
    found: dict[str, dict[str, Group]] = defaultdict(lambda: defaultdict(Group))
    for (phase, workload), rows in rows_of(run).groups("phase", "workload").items():
        found[phase][workload].rows = rows
    for line in run.dropped:
        found[line.phase][line.workload].dropped += 1
    return found


def whole_of(run: SoakRun, span: PhaseSpan) -> Group:
    """All requests of a phase, without those that are sent beside its traffic; in a baseline these too."""
    beside = frozenset[str]() if span.sort == PhaseSort.BASELINE else BESIDE
    rows = rows_of(run)
    return Group(
        rows.where(rows.among("phase", {span.name}) & ~rows.among("workload", beside)),
        sum(line.phase == span.name and line.workload not in beside for line in run.dropped),
        sum(span.since <= at < (span.until or 2**63) for at in run.unfinished_at),
    )


def _phase(span: PhaseSpan, group: Group, limits: Slo | None, silence: spans.Stretches) -> Iterator[str]:
    """Parts of a phase's line. Its time is what was planned: what it waits for at its end is not its own."""
    rows = group.rows
    until = span.until if span.until is not None else last_end(rows, span.since)
    seconds = (until - span.since) / SECOND
    rate = span.facts.get("rps", "")
    yield f"{seconds:.0f} s" + (
        " at no rate: nothing was measured before it" if rate == "none" else rate and f" at {rate}/s"
    )
    if not rows and not group.dropped:
        yield "nothing sent"
        return
    yield f"{len(rows)} requests"
    counts = {word: n for word, n in rows.counts("outcome").items() if word not in {"ok", "declined"}}
    yield from (f"{n} {word}" for word, n in sorted(counts.items()))
    yield from (f"{n} {word}" for n, word in ((group.dropped, "dropped"), (group.unfinished, "unfinished")) if n)
    yield from times(group)
    if limits is not None and seconds > 0:
        good = int(rows.hold(limits).sum())
        yield f"goodput {good / seconds:.2f}/s ({good} within the limits)"
    quiet = np.minimum(silence[1], until) - np.maximum(silence[0], span.since)
    quiet = quiet[quiet > 0]
    if len(quiet):
        yield f"in flight without a token {quiet.sum() / SECOND:.0f} s (longest {quiet.max() / SECOND:.1f} s)"


def times(group: Group) -> Iterator[str]:
    """The times of a group, as far as they are known."""
    rows = group.rows
    p50, p99 = group.percentile(0.50), group.percentile(0.99)
    if p50 is not None and p99 is not None and not math.isinf(p50.value):
        yield f"TTFT p50 {p50.told()} p99 {p99.told()} (n {p50.n})"
    waits, unknown = group.waits()
    from_sending = censored(known(rows.ttft_s), unknown, 0.99)
    if from_sending is not None and p99 is not None and len(waits) and p99.value - from_sending.value > 0.01:
        yield f"from sending p99 {from_sending.told()}"
    for name, times in (
        ("TTFB", known(rows.ttfb_s)),
        ("TTFO", group.answers()),
        ("TPOT", known(rows.tpot_s)),
        ("TPOT by chunks (estimated)", known(rows.chunk_s)),
        ("E2E", known(rows.e2e_s[rows.among("outcome", {"ok"})])),
    ):
        low, high = censored(times, 0, 0.50), censored(times, 0, 0.99)
        if low is not None and high is not None:
            yield f"{name} p50 {low.told()} p99 {high.told()}"
    if gap := longest_gap(rows):
        yield f"longest gap {gap / SECOND:.3f} s"


def last_end(rows: Rows, otherwise: int) -> int:
    """When the last of them ended, ns."""
    return int(rows.whole("ended_at").max()) if rows else otherwise


def longest_gap(rows: Rows) -> int:
    """The longest silence between two pieces of one answer, ns; 0 where there is no answer."""
    return int(np.max(rows.whole("gap_to") - rows.whole("gap_from"))) if rows else 0


def limits_of(run: SoakRun) -> Slo | None:
    """The limits that the last start of the load tells; None where there are none, or they cannot be read."""
    start = next((line for line in reversed(run.phases) if line.what == Stage.START), None)
    try:
        return slo(start.facts["slo"]) if start is not None and start.facts.get("slo") else None
    except ValueError:
        return None


def _silence(run: SoakRun) -> spans.Stretches:
    """When chats were in flight, and none of them got a token: each a second at least."""
    rows = rows_of(run)
    chats = rows.where(rows.whole("cap") != 0)
    busy = (chats.whole("sent_at"), chats.whole("ended_at"))
    since, until = spans.without(busy, _speaking(chats.where(chats.whole("first_at") != 0)))
    long = until - since >= SILENT_NS
    return since[long], until[long]


def _speaking(rows: Rows) -> spans.Stretches:
    """When tokens of streams came: from the first to the last, but for the longest gap between two of each."""
    first, since, until = rows.whole("first_at"), rows.whole("gap_from"), rows.whole("gap_to")
    last = np.maximum(rows.whole("last_at"), first + 1)  # one token is a moment
    gapped = until != 0
    return np.concatenate([first, until[gapped]]), np.concatenate([np.where(gapped, since, last), last[gapped]])


def disowned_rows(rows: Rows) -> Rows:
    """Those whose answer no client could use though the server had made some of it."""
    return rows.where(~rows.among("outcome", OF_USE) & (rows.has("tokens") | (rows.whole("deltas") != 0)))


def came_of(rows: Rows) -> int:
    """Tokens, as the server told them; of an answer of which it told none its pieces."""
    silent = rows.where(~rows.has("tokens"))
    return rows.total("tokens") + silent.total("deltas")


def _disowned(run: SoakRun) -> str:
    """What came of answers that no client could use, and what the server counted beyond those that could be used."""
    rows = disowned_rows(rows_of(run))
    parts = [f"{n} {word}" for word, n in sorted(rows.counts("outcome").items())]
    told = [f"{came_of(rows)} tokens of {len(rows)} answers ({', '.join(parts)})"] if rows else []
    made, used = company.made_for_us(run), _used(run)
    if made is not None and used is not None and 0 <= used < made:  # a server may tell a count below 0
        told.append(f"by the server's count {made - used} of {made} tokens ({100 * (made - used) / made:.1f} %)")
    return "; ".join(told)


def _used(run: SoakRun) -> int | None:
    """Tokens of answers that were of use; None where one of these told none, or rows are not here."""
    if any(line.what in (CrewWord.GAP, CrewWord.LOST) for line in run.crew):
        return None
    rows = rows_of(run)
    gone = rows.where(rows.among("outcome", GONE))
    whole = rows.where(rows.among("outcome", OF_USE - GONE - {"declined"}))
    return came_of(gone) + whole.total("tokens") if whole.tells("tokens").all() else None


def _energy(run: SoakRun) -> str:
    """What the GPUs used while the load ran, a token that was received; empty where none tells its power.

    Of the cards those that hold something of the server's processes; where no driver says which, all of the host's.
    """
    since, until = lasting.bounds(run)
    if since is None or until is None or not (tokens := _received(run, since)):
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


def _received(run: SoakRun, since: int) -> int:
    """Tokens of requests that were sent from then on."""
    rows = rows_of(run)
    return rows.where(rows.whole("sent_at") >= since).total("tokens")
