"""One case judged: the same call while a run goes on and when it is replayed."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from seatrial.checks.rules import Evidence, Rule
from seatrial.checks.running import run as run_rule
from seatrial.judging.waivers import Waivers
from seatrial.kinds import profile
from seatrial.records import Endpoint, Expect, Finding, Judged, Outcome, Planned
from seatrial.verdict import outcomes


@dataclass(frozen=True, slots=True)
class Evidenced:
    """What a case is judged on: the evidence itself, the ids it came from, and what to expect of the endpoint."""

    evidence: Evidence
    exchanges: dict[str, str]
    expect: Expect


def judge_case(
    plan: Planned, rule: Rule, on: Evidenced, *, endpoint: Endpoint | None, waivers: Waivers, strict: bool
) -> Judged:
    """Judge one case. The same call while a run goes on and when it is replayed."""
    findings, crashed = run_rule(rule, on.evidence, on.expect)
    waiver = waivers.word(plan.case)
    word = outcomes.outcome(
        rule.level, findings, optional=rule.optional, crashed=crashed, waived=bool(waiver), strict=strict
    )
    if word is Outcome.FAIL and waivers.fault:
        return msgspec.structs.replace(
            unjudged(plan, rule), outcome=Outcome.INCONCLUSIVE, why=waivers.fault, exchanges=on.exchanges
        )
    bad = word in {Outcome.FAIL, Outcome.WAIVED, Outcome.ADVISORY}
    known = profile.load(endpoint.kind).known_word(plan.case, endpoint.build) if bad and endpoint else ""
    return msgspec.structs.replace(
        unjudged(plan, rule),
        outcome=word,
        findings=findings,
        exchanges=on.exchanges,
        known=known,
        waiver=waiver if word is Outcome.WAIVED else "",
        figures=_figures(rule, on.evidence, on.expect),
        why=_why(word, findings, crashed),
    )


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
    )


def _figures(rule: Rule, evidence: Evidence, expect: Expect) -> dict[str, str]:
    if rule.figures is None:
        return {}
    try:
        return dict(rule.figures(evidence, expect))
    except Exception as error:  # noqa: BLE001 - a figure that cannot be computed is said, and costs no verdict
        return {"figures": f"not computed: {error}"}


def _why(word: Outcome, findings: tuple[Finding, ...], crashed: str) -> str:
    if crashed:
        return f"the rule itself failed: {crashed}"
    if word in {Outcome.INCONCLUSIVE, Outcome.UNSUPPORTED}:
        return "; ".join(f"{f.where}: {f.got}" for f in findings[:3])
    return ""
