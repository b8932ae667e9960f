"""What the recorder saw of a server in a given second, in words: what /health said, and what its process did.

Of a second in which nobody looked, nothing is known, and that is what is said.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from seatrial.records import SECOND, Probe, Sample

HEALTH = "/health"
NEAR_NS = 3 * SECOND // 2
"""A look that was over so long before or after a moment tells of that moment's second: looks are a second apart."""

LOOKS_LATE_NS = SECOND
"""A question that stays unanswered is written so long after it was asked, at most."""

PAGES = 3
"""So many words of one page are told; the rest is counted."""

UNKNOWN = "what the server did then is not known: nobody looked"
UNASKED = "not asked"

Span = tuple[int, int]
"""From and to, monotonic ns. A moment is a span without length."""


def answered(probe: Probe) -> str:
    """What one look at its health page came to: ``/health 200``, ``/health silent``, ``/health refused``."""
    page = probe.page or HEALTH
    if probe.health is not None:
        return f"{page} {probe.health}"
    if probe.error == "deadline":
        return f"{page} silent"
    return f"{page} {probe.error or UNASKED}"


def in_ms(probe: Probe) -> float | None:
    """How long the answer of its health page took, ms; None where none came."""
    return None if probe.health is None or probe.health_ns is None else probe.health_ns / 1e6


class Seen:
    """What was seen of one server.

    Args:
        probes: of the server, in any order.
        samples: of its main process; None: who asks does not know of it.
    """

    def __init__(self, probes: Iterable[Probe], samples: Iterable[Sample] | None = None) -> None:
        self._of_process = samples is not None
        self._probes = sorted(probes, key=lambda line: line.t)
        self._samples = sorted(samples or (), key=lambda line: line.t)
        self._ends = [line.t for line in self._probes]
        self._read = [line.t for line in self._samples]

    def told(self, spans: Iterable[Span]) -> str:
        """What was seen in all these times together; where nobody looked, that."""
        found = {probe.t: probe for span in spans for probe in self._looks(span)}
        if not found:
            return UNKNOWN
        looks = [found[at] for at in sorted(found)]
        return f"then {_pages(looks)}{f'; {self._process(looks)}' if self._of_process else ''}"

    def _looks(self, span: Span) -> Sequence[Probe]:
        """The looks that were under way within a span; where none was, the one nearest to its end."""
        since, until = span
        near = self._probes[
            bisect_left(self._ends, since - NEAR_NS) : bisect_left(self._ends, until + NEAR_NS + LOOKS_LATE_NS)
        ]
        within = [probe for probe in near if probe.t >= since and probe.t - (probe.health_ns or 0) <= until]
        if within and until > since:
            return within
        close = [probe for probe in near if _apart(probe, until) <= NEAR_NS]
        return [min(close, key=lambda probe: _apart(probe, until))] if close else []

    def _process(self, looks: Sequence[Probe]) -> str:
        """State and CPU time of its process at these looks."""
        indices = {i for probe in looks if (i := self._sample_at(probe.t)) is not None}
        if not indices:
            return next((f"its process: {probe.why}" for probe in looks if probe.why), "no process of it was seen")
        taken = [self._samples[i] for i in sorted(indices)]
        states = Counter(f"state {sample.state or 'unknown'}" for sample in taken)
        shares = [share for i in indices if (share := self._share(i)) is not None]
        pids = sorted({sample.pid for sample in taken})
        used = f", {_range(shares)} % of a core" if shares else ""
        return f"process {', '.join(map(str, pids[:PAGES]))} {_counted(states)}{used}"

    def _sample_at(self, at: int) -> int | None:
        """The sample nearest to a look; None: none of that second."""
        after = bisect_left(self._read, at)
        close = [i for i in (after - 1, after) if 0 <= i < len(self._read) and abs(self._read[i] - at) <= NEAR_NS]
        return min(close, key=lambda i: abs(self._read[i] - at), default=None)

    def _share(self, index: int) -> float | None:
        """Percent of a core since the sample before, of the same process."""
        now, before = self._samples[index], self._samples[index - 1] if index else None
        if before is None or before.incarnation != now.incarnation or now.cpu_ns is None or before.cpu_ns is None:
            return None
        return 100 * (now.cpu_ns - before.cpu_ns) / max(now.t - before.t, 1)


def _apart(probe: Probe, at: int) -> int:
    """How far a look is from a moment: nothing where it was under way then."""
    return max(probe.t - (probe.health_ns or 0) - at, at - probe.t, 0)


def _pages(looks: Sequence[Probe]) -> str:
    """Each word once, with how often it came and the times of its answers."""
    words = Counter(answered(probe) for probe in looks)
    told = []
    for word, times in words.most_common(PAGES):
        took = [ms for probe in looks if answered(probe) == word and (ms := in_ms(probe)) is not None]
        told.append(f"{word}{f' in {_range(took)} ms' if took else ''}{f' ({times} times)' if times > 1 else ''}")
    more = sum(words.values()) - sum(times for _, times in words.most_common(PAGES))
    return ", ".join(told) + (f" and {more} others" if more else "")


def _counted(words: Counter[str]) -> str:
    if len(words) == 1:
        return next(iter(words))
    return ", ".join(f"{word} ({times} times)" if times > 1 else word for word, times in words.most_common(PAGES))


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.0f}", f"{max(values):.0f}"
    return low if low == high else f"{low} to {high}"
