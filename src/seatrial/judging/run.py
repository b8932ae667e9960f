"""From a run directory to a verdict: the one place that replays a recording.

The end of a run, ``seatrial judge`` and ``seatrial report`` all come here, so that a verdict printed tonight and one
computed next year from the same directory go the same way. Nothing is sent and no clock is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from seatrial.byhand import conclusions
from seatrial.checks import catalogue
from seatrial.checks.own.word import find
from seatrial.checks.rules import REGISTRY, Evidence, Rule
from seatrial.clients import profile as client_tables
from seatrial.judging import measured, parameters, soaks, suspects
from seatrial.judging.answered import answered
from seatrial.judging.case import FAILED, NO_MASK, Evidenced, Terms, alone, bereft, judge_case, led, unjudged
from seatrial.judging.collecting import uncollected
from seatrial.judging.doubt import Doubt
from seatrial.judging.untested import untested
from seatrial.judging.waivers import waivers_of
from seatrial.kinds import profile
from seatrial.records import (
    Endpoint,
    Exchange,
    Expect,
    Judged,
    Judgement,
    Noted,
    NotTested,
    Outcome,
    Planned,
    Received,
    Record,
    RunInfo,
    SoakRun,
    Stop,
    Verdict,
)
from seatrial.run import previous
from seatrial.run.about import asked_for
from seatrial.run.damage import Damage
from seatrial.run.directory import RunDir
from seatrial.stops.fold import Limits, fold
from seatrial.text import shorten
from seatrial.verdict import coverage, gateways, summary
from seatrial.wire.decoding.assemble import assemble
from seatrial.wire.masking.mask import Mask

NO_CAUSE = "what it hangs on may be in what is damaged of the record"


@dataclass(frozen=True)
class JudgedRun:
    """A run with its verdict.

    Attributes:
        lines: all that its writers wrote, in order of time.
        parameters: what became of each parameter, by endpoint.
    """

    run: RunDir
    info: RunInfo
    endpoints: dict[str, Endpoint]
    cases: tuple[Judged, ...]
    stops: tuple[Stop, ...]
    verdict: Verdict
    lines: Record = field(repr=False)
    exchanges: Exchanges = field(repr=False)
    parameters: dict[str, tuple[parameters.Told, ...]] = field(default_factory=dict, repr=False)

    def exchange(self, name: str) -> Exchange | None:
        """One exchange by its id; None where it was never answered or is not of this run."""
        return self.exchanges.exchange(name)


class Exchanges:
    """Exchanges of a run by id, assembled when asked for and kept."""

    def __init__(self, run: RunDir, record: Record) -> None:
        self._run = run
        self._received: dict[str, Received] = {}
        self._doubled: set[str] = set()
        for line in record.of(Received):
            if msgspec.structs.replace(self._received.setdefault(line.id, line), t=line.t) != line:
                self._doubled.add(line.id)
        self._kept: dict[str, Exchange] = {}
        self._wrong: dict[str, str] = {}

    def exchange(self, name: str) -> Exchange | None:
        line = self._received.get(name)
        if line is None:
            return None
        if name not in self._kept:
            request, response, wrong = self._run.exchange_of(line)
            if name in self._doubled:
                wrong = wrong or "it is recorded twice, and differently"
            self._kept[name] = assemble(line, request, response)
            self._wrong[name] = wrong
        return self._kept[name]

    def line(self, name: str) -> Received:
        """The line of an exchange that is there."""
        return self._received[name]

    def wrong(self, name: str) -> str:
        """What is wrong with the bytes of an exchange as they are recorded; empty where nothing is."""
        self.exchange(name)
        return self._wrong.get(name, "")

    def not_kept(self, names: Iterable[str]) -> bool:
        """Whether the bytes of one of these were not stored."""
        return any(line.dropped for name in names if (line := self._received.get(name)) is not None)


@uncollected()
def judge(run: RunDir, mask: Mask = NO_MASK) -> JudgedRun:
    """Judge everything a run recorded. What is damaged of it is told, and costs what hangs on it its proof.

    Args:
        mask: as :class:`~seatrial.judging.case.Terms` has it.

    Raises:
        RunDirError: run.json cannot be read.
    """
    run = RunDir.open(run.path)  # what was counted while it went on is no damage
    info, endpoints = run.info, run.endpoints()
    lines, plan = run.whole()
    exchanges = Exchanges(run, lines)
    covered = waivers_of(run)
    stops, fell = _stops(lines, run)
    judgements = {line.case: line for line in lines.of(Judgement)}
    planned = {line.case: line for line in plan}
    for name, line in judgements.items():
        planned.setdefault(name, _unplanned(line))
    if planned:
        catalogue.load_all()
        judgements = soaks.unjudged(planned, lines, endpoints, stops, info.options.get("strict")) | judgements
    replay = _Replay(lines, exchanges, endpoints, run.damage)
    strict, lossy = bool(info.options.get("strict")), run.damage.of_the_record or (bool(judgements) and not plan)
    clients = client_tables.of_run(info.options)
    terms = Terms(covered, strict, lossy=lossy, mask=mask, clients=clients)
    judged = replay.cases(planned, judgements, terms)
    doubt = Doubt.of(
        run.damage,
        planless=bool(judgements) and not plan,
        pageless=_pageless(endpoints, info, judged, stops),
        waivers=covered.fault,
        fell=fell,
    )
    cases, found = doubt.of_cases(judged), doubt.of_stops(stops)
    known_unseen = () if doubt.notices or doubt.reasons else replay.known_unseen(cases)
    verdict = summary.summarise(
        run=info.id,
        endpoints=endpoints,
        cases=cases,
        stops=found,
        record=lines,
        waived=covered.used(cases),
        not_tested=untested(lines, judgements.values()),
        unread=(run.unread.torn, run.unread.unknown),
        known_unseen=known_unseen,
        strict_known=bool(info.options.get("strict_known")),
        watch="watch" in info.options and not cases,
        beside=summary.Beside(
            answered=answered(lines, exchanges.exchange, judgements.values()),
            impact=tuple(catalogue.areas()),
            asked=_asked(info, lines),
            catalogue=_catalogued(),
            earlier=previous.kept(run.path),
            clients=clients or tuple(client_tables.known().values()),
            chosen=tuple(client.name for client in clients),
            measured=measured.of_soaks(replay.soaks, judgements.values()),
        ),
        told=[*gateways.shared(cases, _behind(info)), *([_NOT_KEPT.format(replay.settled)] if replay.settled else [])],
    )
    fates = parameters.told(cases, exchanges.exchange, _sentence)
    told = _with_parameters(doubt.of_verdict(verdict), fates)
    return JudgedRun(run, info, endpoints, cases, found, told, lines, exchanges, fates)


def _with_parameters(verdict: Verdict, fates: Mapping[str, Sequence[parameters.Told]]) -> Verdict:
    """The verdict with a line of figures on the parameters of each endpoint that they were tried on."""
    endpoints = {
        name: msgspec.structs.replace(
            endpoint, figures={**endpoint.figures, "parameters": parameters.counted(fates[name])}
        )
        if name in fates
        else endpoint
        for name, endpoint in verdict.endpoints.items()
    }
    return msgspec.structs.replace(verdict, endpoints=endpoints)


def _asked(info: RunInfo, lines: Record) -> dict[str, str]:
    """The suites that a run was asked for, and why one of them did not run; that may have shown after run.json."""
    told = {line.what: line.why for line in lines.of(NotTested) if not line.endpoint}
    return {suite: why or told.get(suite, "") for suite, why in asked_for(info.options).items()}


def _sentence(rule: str) -> str:
    known = find(rule)
    return known.text if known is not None else rule


def _stops(lines: Record, run: RunDir) -> tuple[tuple[Stop, ...], list[str]]:
    """The stops of a record; and why they cannot be told, where no record that a recorder wrote could be so."""
    try:
        limits = Limits.of(run.info.options)
        seen = (*fold(lines, limits), *conclusions.stops(lines.of(Noted)))
        ordered = tuple(sorted(seen, key=lambda stop: (stop.dead_at, stop.id)))
        return suspects.explained(ordered, lines, run), []
    except Exception as error:  # noqa: BLE001 - a record of any origin; what else fell is Seatrial's own, and is told
        return (), [f"the record of the watch cannot be followed: {type(error).__name__}: {shorten(str(error))}"]


def _pageless(
    endpoints: Mapping[str, Endpoint], info: RunInfo, cases: Iterable[Judged], stops: Iterable[Stop]
) -> list[str]:
    """Endpoints that the run knows and that have no page."""
    watched = info.options.get("watch")
    named = [name for name in watched if isinstance(name, str)] if isinstance(watched, list) else []
    named += [case.endpoint for case in cases] + [stop.name for stop in stops if stop.name]
    return [name for name in dict.fromkeys(named) if name not in endpoints]


def _behind(info: RunInfo) -> dict[str, str]:
    """What ``--behind`` said; nothing where the record holds something else."""
    said = info.options.get("behind")
    return {str(front): str(back) for front, back in said.items()} if isinstance(said, dict) else {}


SETTLED = frozenset({Outcome.PASS, Outcome.UNSUPPORTED})
"""Outcomes without a finding to look at: the exchanges of any other case are kept under ``--keep-bytes=failures``."""

_NOT_KEPT = (
    "{} case(s) stand as they were judged when they were recorded: their bytes are not stored (--keep-bytes=failures)"
)


def _catalogued() -> coverage.Catalogue:
    names = catalogue.named()
    rows = {row: names[catalogue.area_of(row)] for row in catalogue.rows()}
    return coverage.Catalogue(rows, {rule.id: rule.row for rule in REGISTRY.values()})


class _Replay:
    def __init__(self, lines: Record, exchanges: Exchanges, endpoints: Mapping[str, Endpoint], damage: Damage) -> None:
        self._damage = damage
        self._lines, self._exchanges, self._endpoints = lines, exchanges, endpoints
        self.soaks: dict[str, SoakRun] = {}
        self._lost: set[str] = set()  # cases whose evidence is damaged
        self.settled = 0  # cases that stand as they were judged when they were recorded

    def cases(
        self, planned: Mapping[str, Planned], judgements: Mapping[str, Judgement], terms: Terms
    ) -> tuple[Judged, ...]:
        """Every case. Those that may hang on another are judged again when it is known which ones failed."""
        own: defaultdict[str, set[str]] = defaultdict(set)  # what was never judged, or of another run, is no cause
        for name, plan in planned.items():
            own[plan.of_run] |= {name} & judgements.keys()
        of = {run: msgspec.structs.replace(terms, asked=frozenset(names)) for run, names in own.items()}
        first = {name: self._case(plan, judgements.get(name), of[plan.of_run]) for name, plan in planned.items()}
        roots = {name for name, case in first.items() if case.outcome in FAILED and not case.because}
        failed = {name: case for name, case in first.items() if name in roots or case.because in roots}
        known = {run: msgspec.structs.replace(each, failed=failed) for run, each in of.items()}
        again = (
            self._case(planned[name], judgements.get(name), known[planned[name].of_run])
            if not case.because and any(f.causes for f in case.findings)
            else case
            for name, case in first.items()
        )
        judged = {case.case: case for case in again}
        said = judged.values()
        told = [led(c, judged, first, terms.waivers) if c.because in roots or not c.because else alone(c) for c in said]
        lost = [case for case in told if case.case in self._lost]
        return tuple(
            msgspec.structs.replace(case, outcome=Outcome.INCONCLUSIVE, why=NO_CAUSE, waiver="", known="")
            if case.outcome in FAILED and not case.because and bereft(case, lost, lossy=terms.lossy)
            else case
            for case in told
        )

    def _case(self, plan: Planned, judgement: Judgement | None, terms: Terms) -> Judged:
        rule = find(plan.rule)
        base = unjudged(plan, rule)
        if judgement is None:
            return base
        if judgement.absent:
            base = msgspec.structs.replace(base, of_run="")
        settled = judgement.settled
        if settled is not None and settled.outcome in SETTLED:
            gone = self._exchanges.not_kept(judgement.exchanges.values())
            if gone or not judgement.exchanges:  # a soak of another run is judged there
                self.settled += gone
                told = {"outcome": settled.outcome, "why": settled.why, "figures": settled.figures}
                return msgspec.structs.replace(base, exchanges=judgement.exchanges, **told)
        if rule is None:
            absent = f"this Seatrial knows no rule {plan.rule}"
        else:
            evidence, absent = (None, judgement.absent) if judgement.absent else self._evidence(rule, judgement)
            if evidence is None and not judgement.absent:
                self._lost.add(plan.case)
            if evidence is not None:
                try:
                    expect = msgspec.convert(judgement.expect, Expect)
                except msgspec.ValidationError as error:
                    absent = f"its judgement is damaged: {shorten(str(error))}"
                else:
                    on = Evidenced(evidence, judgement.exchanges, expect)
                    endpoint = self._endpoints.get(plan.endpoint)
                    return judge_case(plan, rule, on, terms, endpoint=endpoint)
        return msgspec.structs.replace(base, outcome=Outcome.INCONCLUSIVE, why=absent, exchanges=judgement.exchanges)

    def _evidence(self, rule: Rule, judgement: Judgement) -> tuple[Evidence | None, str]:
        if rule.shape == "soak":
            if self._damage.of_the_load:
                return None, "lines of the soak are lost or damaged"
            if judgement.endpoint not in self.soaks:
                self.soaks[judgement.endpoint] = SoakRun.of(judgement.endpoint, self._lines)
            return self.soaks[judgement.endpoint], ""
        found = {name: self._exchanges.exchange(i) for name, i in judgement.exchanges.items()}
        lacking = [judgement.exchanges[name] for name, x in found.items() if x is None]
        if lacking:
            return None, f"not in the recording: {', '.join(lacking)}"
        wrong = [f"{i}: {said}" for i in judgement.exchanges.values() if (said := self._exchanges.wrong(i))]
        if wrong:
            return None, f"damaged in the recording: {'; '.join(wrong[:3])}"
        return {name: x for name, x in found.items() if x is not None}, ""

    def known_unseen(self, cases: Iterable[Judged]) -> tuple[str, ...]:
        """Known deviations that were judged and no longer show: the list is to be cut."""
        listed = list(cases)
        return tuple(
            text
            for name, endpoint in self._endpoints.items()
            for text in profile.load(endpoint.kind).known_unseen(
                [c for c in listed if c.endpoint == name], endpoint.build
            )
        )


def _unplanned(line: Judgement) -> Planned:
    scenario = line.case.partition("[")[2].rpartition("]")[0]
    return Planned(case=line.case, endpoint=line.endpoint, rule=line.rule, scenario=scenario, suite=line.suite)
