"""One case judged: the same call while a run goes on and when it is replayed.

A finding may name the rules that judge what is wrong or missing in it. Where such a rule's own case of the same answer
fails, that case is the cause: this one is INCONCLUSIVE because of it, or WAIVED with it, unless it fails by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from seatrial.checks.causes import SOME
from seatrial.checks.rules import REGISTRY, Evidence, Rule
from seatrial.checks.running import run as run_rule
from seatrial.clients.profile import ClientTable
from seatrial.given.waivers import rule_of
from seatrial.judging.waivers import Waivers
from seatrial.kinds import profile
from seatrial.records import Endpoint, Expect, Finding, ItemOutcome, Judged, Level, Outcome, Planned
from seatrial.verdict import outcomes
from seatrial.verdict.clients import is_needed
from seatrial.wire.masking.mask import Mask

NO_MASK = Mask()
FAILED = frozenset({Outcome.FAIL, Outcome.WAIVED})
_TEXTS = ("where", "expected", "got", "consequence")
DEEPEST = 4
"""A cause of a cause of a cause: no chain of rules is longer."""


@dataclass(frozen=True, slots=True)
class Evidenced:
    """What a case is judged on: the evidence itself, the ids it came from, and what to expect of the endpoint."""

    evidence: Evidence
    exchanges: dict[str, str]
    expect: Expect


class Terms(msgspec.Struct, frozen=True):
    """By what a run's cases are judged beside their evidence.

    Attributes:
        asked: the cases of the run that were judged; only these can be causes.
        lossy: lines of the record are lost: a cause may have been among them.
        clients: the tables of the clients that the run was asked for: what one of them needs weighs as a MUST.
        failed: cases judged already that failed or hang on one that did, by name; for causes judged on other evidence.
        mask: passes over what a rule has joined or decoded, before it is printed or written. The record is clean, for
            who replays it has no key.
    """

    waivers: Waivers
    strict: bool
    asked: frozenset[str] = frozenset()
    failed: Mapping[str, Judged] = {}
    lossy: bool = False
    mask: Mask = NO_MASK
    clients: tuple[ClientTable, ...] = ()


def judge_case(
    plan: Planned, rule: Rule, on: Evidenced, terms: Terms, *, endpoint: Endpoint | None, depth: int = 0
) -> Judged:
    """Judge one case. The same call while a run goes on and when it is replayed."""
    findings, crashed = _said(rule, on, terms.mask)
    waiver = terms.waivers.word(plan.case)
    causes = {names: _cause(names, plan, on, terms, depth) for names in {f.causes for f in findings if f.causes}}
    blamed = {f: c for f in findings if (c := causes.get(f.causes))}
    own = [f for f in findings if f not in blamed]
    level = Level.MUST if is_needed(terms.clients, plan.rule, plan.traits) else rule.level
    cause = _first(blamed.values()) if not own and not crashed else None
    word = outcomes.outcome(
        level, own or findings, optional=rule.optional, crashed=crashed, waived=bool(waiver), strict=terms.strict
    )
    if cause is not None:
        word = Outcome.WAIVED if cause.outcome is Outcome.WAIVED else Outcome.INCONCLUSIVE
        waiver = cause.waiver
    elif word is Outcome.FAIL and terms.waivers.fault:
        return msgspec.structs.replace(
            unjudged(plan, rule), outcome=Outcome.INCONCLUSIVE, why=terms.waivers.fault, exchanges=on.exchanges
        )
    bad = word in {Outcome.FAIL, Outcome.WAIVED, Outcome.ADVISORY} and cause is None
    known = profile.load(endpoint.kind).known_word(plan.case, endpoint.build) if bad and endpoint else ""
    return msgspec.structs.replace(
        unjudged(plan, rule),
        outcome=word,
        level=str(level),
        findings=(*own, *(f for f in findings if f in blamed)),  # what the outcome rests on stands first
        exchanges=on.exchanges,
        known=known,
        waiver=waiver if word is Outcome.WAIVED else "",
        figures={terms.mask.text(k): terms.mask.text(v) for k, v in _figures(rule, on.evidence, on.expect).items()},
        why=f"because of {cause.case}" if cause is not None else _why(word, findings, crashed),
        because=cause.case if cause is not None else "",
        items=_items(rule, on, terms.mask),
    )


def alone(case: Judged) -> Judged:
    """A case whose cause is not among those that failed: it was answered there, or lost. Nothing is proven of it."""
    why = _why(Outcome.INCONCLUSIVE, case.findings, "")
    return msgspec.structs.replace(case, outcome=Outcome.INCONCLUSIVE, why=why, because="", waiver="")


def led(case: Judged, judged: Mapping[str, Judged], first: Mapping[str, Judged], waivers: Waivers) -> Judged:
    """A case that hangs on one which hangs on another itself: on the last of them. In a circle nothing is a cause.

    Where that one is waived, and its waiver does not reach so far, the case stands by itself: nobody waived it.
    """
    cause, passed = judged.get(case.because), {case.case}
    while cause is not None and cause.because and cause.case not in passed:
        passed.add(cause.case)
        cause = judged.get(cause.because)
    if cause is None or cause.case == case.because:
        return case
    if cause.because:  # of a circle, each of which stands by itself
        cause = first[cause.case]
    if cause.case == case.case or not _reaches(cause, case, waivers):
        return first[case.case]
    word = Outcome.WAIVED if cause.outcome is Outcome.WAIVED else Outcome.INCONCLUSIVE
    return msgspec.structs.replace(
        case, because=cause.case, why=f"because of {cause.case}", outcome=word, waiver=cause.waiver
    )


def bereft(case: Judged, lost: Collection[Judged], *, lossy: bool) -> bool:
    """Whether all that a case fails by may hang on another case that is lost: one of ``lost``, or any if ``lossy``."""
    plan = Planned(case=case.case, endpoint=case.endpoint, rule=case.rule, scenario=case.scenario, suite=case.suite)
    found = [finding for finding in case.findings if finding.kind != "no-evidence"]
    return bool(found) and all(
        any("[" in name and (lossy or any(_means(name, each, plan) for each in lost)) for name in finding.causes)
        for finding in found
    )


def _said(rule: Rule, on: Evidenced, mask: Mask) -> tuple[tuple[Finding, ...], str]:
    """What a rule finds, and the error of one that crashed, masked."""
    findings, crashed = run_rule(rule, on.evidence, on.expect)
    if not mask:
        return findings, crashed
    texts = [{name: mask.text(getattr(finding, name)) for name in _TEXTS} for finding in findings]
    clean = (msgspec.structs.replace(finding, **told) for finding, told in zip(findings, texts, strict=True))
    return tuple(clean), mask.text(crashed)


def unjudged(plan: Planned, rule: Rule | None) -> Judged:
    return Judged(
        case=plan.case,
        endpoint=plan.endpoint,
        rule=plan.rule,
        scenario=plan.scenario,
        suite=plan.suite,
        outcome=Outcome.NOT_EXECUTED,
        level=str(rule.level) if rule else "",
        why="the run ended before it was judged",
        traits=plan.traits,
        of_run=plan.of_run,
    )


def _cause(names: Sequence[str], plan: Planned, on: Evidenced, terms: Terms, depth: int) -> Judged | None:
    """Of the causes that a finding names the case that failed, or its own cause; None where none failed."""
    if depth >= DEEPEST:
        return None
    found = _first([each for name in names for each in _failed(name, plan, on, terms, depth)])
    if found is None:
        return None
    return msgspec.structs.replace(found, case=found.because, because="") if found.because else found


def _failed(name: str, plan: Planned, on: Evidenced, terms: Terms, depth: int) -> Iterator[Judged]:
    """The cases of a cause's name: judged on the evidence at hand, else found among those that failed."""
    rule = REGISTRY.get(rule_of(name))
    if rule is None:
        return
    elsewhere = "[" in name
    for scenario, evidence in _evidence(name, on) if elsewhere else [(plan.scenario, on)]:
        case = f"{rule.id}[{scenario}]@{plan.endpoint}"
        if (terms.lossy or case in terms.asked) and case != plan.case:
            asked = msgspec.structs.replace(plan, case=case, rule=rule.id, scenario=scenario)
            judged = judge_case(asked, rule, evidence, terms, endpoint=None, depth=depth + 1)
            if judged.outcome in FAILED or judged.because:
                yield judged
                return
    if elsewhere:
        others = (each for each in terms.failed.values() if each.case != plan.case and _means(name, each, plan))
        yield from (each for each in others if _reaches(each, plan, terms.waivers))


def _evidence(name: str, on: Evidenced) -> Iterator[tuple[str, Evidenced]]:
    """What another scenario's cases are judged on, as far as this case holds it: the good request sent before."""
    if isinstance(on.evidence, Mapping):
        for key, x in on.evidence.items():
            scenario = x.scenario.rpartition("/")[2]
            if key == "before" and (name.endswith((SOME, f"[{scenario}]"))):
                yield scenario, Evidenced({"only": x}, {"only": on.exchanges.get(key, x.id)}, on.expect)


def _reaches(case: Judged, other: Planned | Judged, waivers: Waivers) -> bool:
    """Whether what became of a case elsewhere bears on another: a waiver only where it takes on the whole rule."""
    if case.outcome is not Outcome.WAIVED or case.scenario == other.scenario:
        return True
    return bool(waivers.word(f"{case.rule}[{other.scenario}]@{other.endpoint}"))


def _means(name: str, case: Judged, plan: Planned) -> bool:
    rule, _, scenario = name.removesuffix("]").partition("[")
    return case.rule == rule and case.endpoint == plan.endpoint and scenario in {"*", case.scenario}


def _first(causes: Collection[Judged]) -> Judged | None:
    """The cause to name of several: one that is not waived, if there is one."""
    listed = list(causes)
    return next((cause for cause in listed if cause.outcome is not Outcome.WAIVED), listed[0] if listed else None)


def _figures(rule: Rule, evidence: Evidence, expect: Expect) -> dict[str, str]:
    if rule.figures is None:
        return {}
    try:
        return dict(rule.figures(evidence, expect))
    except Exception as error:  # noqa: BLE001 - a figure that cannot be computed is said, and costs no verdict
        return {"figures": f"not computed: {error}"}


def _items(rule: Rule, on: Evidenced, mask: Mask) -> tuple[ItemOutcome, ...]:
    """What became of each item of a probe; none where that cannot be reckoned: the rule's figures say so."""
    if rule.items is None:
        return ()
    try:
        found = tuple(rule.items(on.evidence, on.expect))
    except Exception:  # noqa: BLE001 - as with figures, it costs no verdict
        return ()
    if not mask:
        return found
    return tuple(
        msgspec.structs.replace(item, why=mask.text(item.why), answer=mask.text(item.answer)) for item in found
    )


def _why(word: Outcome, findings: tuple[Finding, ...], crashed: str) -> str:
    if crashed:
        return f"the rule itself failed: {crashed}"
    if word in {Outcome.INCONCLUSIVE, Outcome.UNSUPPORTED}:
        return "; ".join(f"{f.where}: {f.seen}" for f in findings[:3])
    return ""
