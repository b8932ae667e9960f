"""How a rule is run over evidence: what every rule would otherwise repeat, bounded, and safe from its crash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

import msgspec

from seatrial.checks import answering, capabilities, causes, look, traits
from seatrial.checks.findings import about, no_evidence
from seatrial.checks.rules import Evidence, Rule
from seatrial.records import Exchange, Expect, Finding, SoakRun
from seatrial.text import shorten

FINDINGS = 50
"""Findings of one case that are kept: a stream may break a rule in every chunk, and nobody reads on."""


def run(rule: Rule, evidence: Evidence, expect: Expect) -> tuple[tuple[Finding, ...], str]:
    """Judge evidence by a rule: its findings, and the error of a rule that crashed (empty otherwise).

    A single rule given several exchanges judges each, and of a scenario with a faulty request that one alone. Its
    findings say whose answer they are about; those of a rule that compares say so themselves. Beyond the first 50 the
    first of each sort is kept that is not among them, and one more counts the rest: the outcome is the same as of all.
    """
    try:
        return _bounded(capabilities.hanging(_findings(rule, evidence, expect), evidence)), ""
    except Exception as error:  # noqa: BLE001 - a rule that falls over must not end the run
        return (), f"{type(error).__name__}: {shorten(str(error))}"


def _findings(rule: Rule, evidence: Evidence, expect: Expect) -> Iterator[Finding]:
    if isinstance(evidence, SoakRun) or rule.told:
        yield from rule.function(evidence, expect)
        return
    sent = exchanges = {"": evidence} if isinstance(evidence, Exchange) else dict(evidence)
    if not exchanges:
        yield no_evidence("the recording", expected="at least one exchange", got="none")
        return
    if not rule.of >= traits.WHOLE_RUN and (lacking := capabilities.lacking(sent)):
        yield lacking
        return
    if rule.of >= traits.FAULTY:
        if not look.bad(exchanges):
            yield no_evidence("the recording", expected="a faulty request", got="none")
        if not rule.sampled:  # what a good request tells is for the rule on the next request, which is sampled
            exchanges = look.bad(exchanges)
    elif not (exchanges := capabilities.own(exchanges)):
        yield no_evidence("the recording", expected="an exchange of its own", got="the first request of its area alone")
        return
    if rule.sampled:
        yield from rule.function(exchanges, expect)
        return
    before = {name: [about(name, f) for f in _precondition(rule, x, sent)] for name, x in exchanges.items()}
    if rule.shape == "compare":
        found = [f for each in before.values() for f in each]
        yield from found or rule.function(exchanges, expect)
        return
    for name, x in exchanges.items():
        for finding in before[name] or rule.function(x, expect):
            yield look.named(finding, name, alone=len(exchanges) == 1)


def _bounded(findings: Iterator[Finding]) -> tuple[Finding, ...]:
    """The first findings, of the others the first of each sort not among them, and one that counts these others.

    A sort is what the outcome hangs on: :func:`seatrial.verdict.outcomes.outcome` asks no more of a finding.
    """
    kept = list(islice(findings, FINDINGS))
    sorts = {_sort(finding) for finding in kept}
    more = 0
    for finding in findings:
        more += 1
        if _sort(finding) not in sorts:
            sorts.add(_sort(finding))
            kept.append(finding)
    if more:
        expected = f"none beyond the first {FINDINGS}"
        kept.append(msgspec.structs.replace(kept[-1], where="further findings", expected=expected, got=f"{more} more"))
    return tuple(kept)


def _sort(finding: Finding) -> tuple[str, bool, bool]:
    return finding.kind, finding.grave, finding.optional


def _precondition(rule: Rule, x: Exchange, sent: Mapping[str, Exchange]) -> Iterator[Finding]:
    """What keeps an exchange from being judged by what the rule says; that is for the rules on answers to judge.

    ``sent``: all of its scenario.
    """
    faulty = rule.of >= traits.FAULTY
    if found := answering.unheard(x) or (answering.as_before(x, sent.get("before")) if faulty else None):
        yield found
    elif found := answering.silent(x) or (answering.refused(x) if rule.answer else None):
        cause = causes.FAULTY_ANSWERED if faulty else causes.ANSWERED
        begun = (cause + causes.SOME,) if x.status == 200 and not faulty else ()  # what was asked is not its reason
        method = (causes.HEADS + causes.SOME,) if x.method == "OPTIONS" and rule.id != causes.HEADS else ()
        judges = (cause, *begun, *method, *look.by_status(x), *look.by_parameters(x))
        yield msgspec.structs.replace(found, causes=judges)
    elif faulty and rule.shape == "single" and (found := look.unrouted(x, sent)):
        yield found
