"""From judged cases and stops to the verdict of each endpoint and of the run. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from seatrial.byhand import conclusions
from seatrial.records import (
    GAPS,
    OWN_SUITE,
    SECOND,
    Ask,
    ClientVerdict,
    Clock,
    Earlier,
    Endpoint,
    EndpointVerdict,
    Judged,
    Level,
    NightFigure,
    Noted,
    Outcome,
    Ready,
    Reason,
    Record,
    Stop,
    Verdict,
    Waived,
)
from seatrial.stops.fold import GAP_NS
from seatrial.verdict import canaries, clients, coverage, doing, reasons, since, watched
from seatrial.verdict.outcomes import exit_code, ready


class WaiverLike(Protocol):
    @property
    def who(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def until(self) -> object: ...


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What a verdict rests on beside cases and stops.

    Attributes:
        answered: of each endpoint, whether a chat was answered, by the way it was sent (plain, streamed).
        impact: areas of rules, in the order in which their reasons stand within a level.
        asked: the suites that were asked for, and why one of them did not run.
        catalogue: what may be asked.
        earlier: what the last run of each endpoint came to.
        clients: the tables of the clients whose verdict is told.
        chosen: the names of those that the run was asked for: their verdict is the endpoint's.
        measured: figures of each endpoint's soak as numbers.
    """

    answered: Mapping[str, Mapping[str, bool]]
    impact: Sequence[str] = ()
    asked: Mapping[str, str] = field(default_factory=dict)
    catalogue: coverage.Catalogue = field(default_factory=coverage.Catalogue)
    earlier: Mapping[str, Earlier] = field(default_factory=dict)
    clients: Sequence[clients.ClientLike] = ()
    chosen: Sequence[str] = ()
    measured: Mapping[str, Mapping[str, NightFigure]] = field(default_factory=dict)


def summarise(
    *,
    run: str,
    endpoints: Mapping[str, Endpoint],
    cases: Sequence[Judged],
    stops: Sequence[Stop],
    record: Record,
    waived: Sequence[tuple[str, WaiverLike]],
    not_tested: Sequence[tuple[str, str]],
    unread: tuple[int, int] = (0, 0),
    known_unseen: Sequence[str] = (),
    strict_known: bool = False,
    watch: bool = False,
    beside: Beside,
    told: Sequence[str] = (),
) -> Verdict:
    """Fold everything judged into verdict.json's content.

    ``known_unseen``, the known deviations that no longer show, are notices; under ``strict_known`` they are exit 1.
    ``watch``: nothing but a watch ran, and its own rules hold. ``told``: further notices.
    """
    by_hand = record.of(Noted)
    beats = [line.t for line in record.of(Clock) if line.w == "recorder"]
    counted = [stop for stop in stops if not stop.planned]
    names = list(
        dict.fromkeys([*endpoints, *(case.endpoint for case in cases), *(s.name for s in counted if s.name)])
    )  # a lost page hides neither case nor stop
    each = {
        name: _endpoint(
            [case for case in cases if case.endpoint == name],
            [stop for stop in counted if stop.name == name],
            f"{_silent(counted, name)}; {_watch(beats, record.end, conclusions.watched(by_hand, name))}",
            beside,
            endpoints.get(name),
            name,
        )
        for name in names
    }
    if watch:
        seen, gap, asked = watched.observed(record), doing.broken(record), canaries.tallies(record.of(Ask))
        each = {
            name: watched.of_watch(
                verdict,
                [stop for stop in counted if stop.name == name],
                seen=name in seen,
                lacks=(gap, asked[name].unanswered if name in asked else ""),
            )
            for name, verdict in each.items()
        }
        not_tested = [
            *not_tested,
            *_engines(asked, endpoints),
        ]
    code = exit_code(verdict.verdict for verdict in each.values())
    return Verdict(
        run=run,
        exit=1 if strict_known and known_unseen else code,
        endpoints=each,
        outcomes={case.case: case.outcome for case in cases},
        because={case.case: case.because for case in cases if case.because},
        stops=tuple(counted),
        not_tested=tuple(dict.fromkeys(not_tested)),
        waived=tuple(Waived(case=case, who=w.who, why=w.why, until=str(w.until)) for case, w in waived),
        notices=(
            *_notices(unread),
            *doing.notices(record),
            *_aliases(endpoints, cases),
            *_lacking(cases),
            *since.notices(cases),
            *known_unseen,
            *conclusions.notices(by_hand),
            *told,
        ),
        concluded=conclusions.conclusions(by_hand),
        clients=tuple(beside.chosen),
        joined=since.joined(cases),
    )


def _engines(asked: Mapping[str, canaries.Tally], endpoints: Mapping[str, Endpoint]) -> Iterable[tuple[str, str]]:
    """The engines of a watch to which no canary was sent, and why. A process without a port has none."""
    for name in [name for name, page in endpoints.items() if page.url]:
        tally = asked.get(name, canaries.Tally())
        if not tally.sent and not tally.waits:
            yield canaries.NOT_TESTED, f"{name}: {tally.why or 'no canary was sent'}"


def _endpoint(
    cases: Sequence[Judged],
    stops: Sequence[Stop],
    watched: str,
    beside: Beside,
    endpoint: Endpoint | None,
    name: str,
) -> EndpointVerdict:
    silent = [stop for stop in stops if stop.silent]
    words = [case.outcome for case in cases]
    lacks = _without_pass(cases, beside.asked) + (_unanswered(beside.answered.get(name, {})) if cases else [])
    last, measured = beside.earlier.get(name), dict(beside.measured.get(name, {}))
    word = ready(words, lacks=lacks, stops=len(silent))
    if word is Ready.READY and any(stop.family in GAPS or stop.doubt for stop in stops):
        word = Ready.NOT_PROVEN
    hanging = Counter(case.because for case in cases if case.because)
    failed = reasons.folded(cases, Outcome.FAIL, beside.impact, hanging)
    counts = Counter(case.outcome for case in cases if not case.because)
    counts[Outcome.FAIL] = len(failed)
    of_clients = _clients(cases, stops, beside, endpoint)
    found = EndpointVerdict(
        verdict=word,
        reasons=tuple(reasons.reasons(cases, stops, lacks, failed)),
        counts={str(outcome): counts[outcome] for outcome in Outcome}
        | {"because": hanging.total(), "silent_stops": len(silent)},
        figures=_figures(cases)
        | _told("coverage", coverage.line(cases, beside.catalogue))
        | (clients.figures(of_clients) if beside.chosen else _told("clients", clients.line(of_clients)))
        | {"stops": watched}
        | _told("since", since.line(last, since.now(cases, stops, endpoint, measured)) if last and cases else ""),
        advisories=tuple(reasons.folded(cases, Outcome.ADVISORY, beside.impact, hanging)),
        clients=of_clients,
        measured=measured,
    )
    return clients.decided(found) if beside.chosen else found


def _clients(
    cases: Sequence[Judged], stops: Sequence[Stop], beside: Beside, endpoint: Endpoint | None
) -> dict[str, ClientVerdict]:
    """The verdict for each client; none where nothing of the API was judged."""
    if not any(case.suite == "conformance" for case in cases):
        return {}
    stopped = [Reason(word=clients.STOPPED, text=reasons.stop_title(stop)) for stop in stops if stop.silent]
    return {each.name: clients.told(each, cases, endpoint, stopped) for each in beside.clients}


def _without_pass(cases: Sequence[Judged], asked: Mapping[str, str]) -> list[str]:
    """What is to be said of each suite that ran or was asked for, and of which no case passed."""
    ran = {case.suite for case in cases if case.suite}
    passed = {case.suite for case in cases if case.outcome is Outcome.PASS}
    found = []
    for suite in sorted((ran | asked.keys()) - passed):
        why = asked.get(suite) or "no case of it is in the plan"
        of = "your own tests" if suite == OWN_SUITE else suite
        found.append(
            f"no case of {of} passed" if suite in ran else f"suite {suite} was asked for and did not run: {why}"
        )
    return found


def _unanswered(answered: Mapping[str, bool]) -> list[str]:
    """What a READY lacks: a chat that was answered, of each way in which chats were sent, in a case that was judged."""
    if not answered:
        return ["no case with a chat was judged"]
    if not any(answered.values()):
        return ["no chat was answered"]
    return [f"no {way} chat was answered" for way, once in answered.items() if not once]


def _told(name: str, text: str) -> dict[str, str]:
    return {name: text} if text else {}


def _figures(cases: Sequence[Judged]) -> dict[str, str]:
    """A line of each suite that ran. A figure named ``of: what`` is a detail, for the case's own page."""
    lines: dict[str, str] = {}
    conformance = [case for case in cases if case.suite == "conformance"]
    if conformance:
        lines["conformance"] = "; ".join(_held(conformance, level) for level in (Level.MUST, Level.SHOULD))
    for suite in ("behaviour", "soak"):
        parts: dict[str, str] = {}
        for case in cases:
            if case.suite == suite:
                parts |= {name: text for name, text in case.figures.items() if ":" not in name}
        if any(case.suite == suite for case in cases):
            lines[suite] = ", ".join(f"{name} {text}" for name, text in parts.items()) or "no figures"
    if own := [case for case in cases if case.suite == OWN_SUITE]:
        lines["your tests"] = _own(own)
    return lines


def _own(cases: Sequence[Judged]) -> str:
    """How many of the operator's own tests hold, and what rules read of their answers."""
    tests = [case for case in cases if case.rule.startswith(f"{OWN_SUITE}/")]
    held, read = (sum(case.outcome is Outcome.PASS for case in some) for some in (tests, cases))
    return f"{held} of {len(tests)} hold; of what they sent, {read - held} of {len(cases) - len(tests)} readings pass"


def _held(cases: Sequence[Judged], level: Level) -> str:
    of_level = [case for case in cases if case.level == str(level)]
    held = sum(case.outcome is Outcome.PASS for case in of_level)
    waived = [case.rule for case in of_level if case.outcome is Outcome.WAIVED and not case.because]
    hanging = sum(bool(case.because) for case in of_level)
    return (
        f"{level} {held} of {len(of_level)} hold"
        + (f", {len(waived)} waived: {', '.join(sorted(set(waived)))}" if waived else "")
        + (f", {hanging} because of others" if hanging else "")
    )


def unwatched(beats: Sequence[int], end: int) -> list[tuple[int, int]]:
    """From and to of each silence between the recorder's heartbeats, and from the last to the end of the record."""
    return [(earlier, later) for earlier, later in pairwise([*beats, end]) if later - earlier > GAP_NS]


def _silent(stops: Sequence[Stop], name: str) -> str:
    return ", ".join(reasons.stop_title(stop) for stop in stops if stop.name == name and stop.silent) or "none"


def _watch(beats: Sequence[int], end: int, by_hand: str) -> str:
    """For how long it was watched. ``end``: of the record; the recorder may have died before the others were done."""
    if not beats:
        return by_hand or "not watched: the recorder wrote no heartbeat"
    gaps = [later - earlier for earlier, later in unwatched(beats, end)]
    seconds = (beats[-1] - beats[0]) // SECOND
    length = f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
    without = f"with {len(gaps)} gaps, {sum(gaps) / SECOND:.1f} s in all" if gaps else "without a gap"
    return f"watched for {length} {without}"


def _aliases(endpoints: Mapping[str, Endpoint], cases: Sequence[Judged]) -> Iterable[str]:
    """Who answers under another name than the one asked for: an alias, a tag, a file's path. That is told, no fault."""
    tried = {case.endpoint for case in cases}
    for name, endpoint in endpoints.items():
        if name in tried and endpoint.named not in {"", endpoint.model}:
            yield f"{name}: asked for {endpoint.model}, its first answer calls the model {endpoint.named}"


def _lacking(cases: Sequence[Judged]) -> Iterable[str]:
    """What a server lacks by its own word: a line for all that does not apply because of it."""
    told: dict[tuple[str, str], list[str]] = {}
    for case in cases:
        for finding in case.findings:
            if finding.capability and case.outcome is Outcome.UNSUPPORTED:
                told.setdefault((case.endpoint, finding.capability), []).append(finding.got)
    for (endpoint, capability), got in told.items():
        yield f"{endpoint}: {capability} did not apply ({len(got)} cases): asked for once, it answered {got[0]}"


def _notices(unread: tuple[int, int]) -> Iterable[str]:
    torn, unknown = unread
    if torn:
        yield f"{torn} torn last line(s) ignored: a writer was killed while writing, or its file was cut"
    if unknown:
        yield f"{unknown} line(s) of a kind unknown to this version skipped"
