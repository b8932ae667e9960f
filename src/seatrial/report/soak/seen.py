"""A soak on its way to its readers: what page, Markdown and sheets share."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from statistics import median

import msgspec

from seatrial.checks.areas.soak import lasting, table, worsening
from seatrial.checks.catalogue import AREAS, load_all
from seatrial.checks.own.word import find
from seatrial.detectors import minutes, showing
from seatrial.detectors.words import NOT_TESTED, Call, Detector, Sighting
from seatrial.judging.run import JudgedRun
from seatrial.records import SECOND, Expect, Judged, Judgement, Outcome, SoakRun

WORDS = {
    Call.CLEAR: "nothing seen",
    Call.FOUND: "found",
    Call.BOUNDED: "grows, within its cache",
    **dict.fromkeys(NOT_TESTED, "not tested"),
}
"""What became of a look, for each way that it can end."""


@dataclass(frozen=True, slots=True)
class Detected:
    """One detector's line.

    Attributes:
        word: of ``WORDS``; where its case came to no verdict, that.
        figure: what it saw, with its interval, or why it was not tested.
        smallest: the smallest change that this soak calls.
        onset_s: since when, seconds after the load began.
        case: the full name of its case; empty: none was judged.
    """

    detector: Detector
    looked_at: str
    word: str
    figure: str
    smallest: str
    onset_s: float | None = None
    case: str = ""
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Soak:
    """What is told of the soak of one endpoint."""

    run: SoakRun
    lines: tuple[table.PhaseFigures, ...]
    detected: tuple[Detected, ...]

    @property
    def told(self) -> frozenset[str]:
        """Names of figures that the tables tell."""
        names = {f"soak: {line.phase}" + (f", {line.workload}" if line.workload else "") for line in self.lines}
        return frozenset(names | {f"{worsening.FIGURE}{each.detector}" for each in self.detected})


def soak_of(judged: JudgedRun, name: str) -> Soak | None:
    """The soak of an endpoint; None where none was recorded."""
    run = SoakRun.of(name, judged.lines)
    if not (run.rows or run.dropped or run.unfinished):
        return None
    return Soak(run, tuple(table.table(run)), tuple(_detected(judged, run, name)))


def _detected(judged: JudgedRun, run: SoakRun, name: str) -> list[Detected]:
    load_all(AREAS)
    cases: dict[Detector, Judged] = {}
    for case in judged.cases:
        rule = find(case.rule) if case.endpoint == name else None
        if rule is not None and (detector := worsening.detector_of(rule)) is not None:
            cases[detector] = case
    found = worsening.seen(run, _expected(judged, name))
    length = _lengths(run)
    return [_line(each, found.get(each), cases.get(each), *length) for each in Detector if length[0] or each in cases]


def _line(
    detector: Detector,
    sighting: Sighting | None,
    case: Judged | None,
    length_s: float,
    steady_s: float,
    canary_s: float | None,
) -> Detected:
    word = WORDS[sighting.word] if sighting is not None else "not tested"
    figure = (
        (sighting.told or sighting.got) if sighting is not None else "not tested: no beginning or no end is recorded"
    )
    if sighting is not None and sighting.word in {Call.FOUND, Call.BOUNDED}:
        figure = f"{sighting.got}; {figure}" if figure != sighting.got else figure
    if case is not None and case.outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_EXECUTED}:
        word = "no verdict"
        figure = f"{figure}; {case.why}" if case.why else figure
    return Detected(
        detector,
        showing.LOOKED_AT[detector],
        word,
        figure.removeprefix("not tested: ") if word == "not tested" else figure,
        showing.smallest(detector, length_s, steady_s, canary_s),
        sighting.onset_s if sighting is not None else None,
        case.case if case is not None else "",
        case.outcome if case is not None else None,
    )


def _lengths(run: SoakRun) -> tuple[float, float, float | None]:
    """Seconds of the load, of those that waits can be compared in, and from canary to canary."""
    since, until = lasting.bounds(run)
    length = (until - since) / SECOND if since is not None and until is not None else 0.0
    spans = [span for span in run.spans if span.sort in minutes.STEADY]
    steady = sum(((span.until or until or span.since) - span.since) / SECOND for span in spans)
    sent = [row.intended_at for row in run.rows if row.canary]
    apart = [(later - earlier) / SECOND for earlier, later in itertools.pairwise(sent) if later > earlier]
    return length, steady if run.spans else length, median(apart) if apart else None


def _expected(judged: JudgedRun, name: str) -> Expect:
    """What the soak's rules were told beside the rows; of a soak that none judged, when the server was stopped."""
    for line in judged.lines.of(Judgement):
        if line.endpoint == name and line.rule.startswith("soak/") and not line.absent:
            try:
                return msgspec.convert(line.expect, Expect)
            except msgspec.ValidationError:
                break
    stops = [stop for stop in judged.stops if stop.name == name and stop.silent]
    return Expect(settings={"stopped": [(stop.alive_at, stop.until or 2**62) for stop in stops]})
