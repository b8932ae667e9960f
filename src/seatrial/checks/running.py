"""How a rule is run over evidence: what every rule would otherwise repeat, bounded, and safe from its crash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

import msgspec

from seatrial.checks import look, traits
from seatrial.checks.findings import about, no_evidence, refusal, violation
from seatrial.checks.rules import Evidence, Rule
from seatrial.records import BUSY, Exchange, Expect, Finding, SoakRun
from seatrial.text import shorten

GONE = frozenset({"refused", "unreachable"})
"""Errors of an exchange that say nothing about the answer: nobody was there to give one."""

FINDINGS = 50
"""Findings of one case that are kept: a stream may break a rule in every chunk, and nobody reads on."""

LATE = frozenset({"deadline", "idle"})


def run(rule: Rule, evidence: Evidence, expect: Expect) -> tuple[tuple[Finding, ...], str]:
    """Judge evidence by a rule: its findings, and the error of a rule that crashed (empty otherwise).

    A single rule given several exchanges judges each, and of a scenario with a faulty request that one alone. Its
    findings say whose answer they are about; those of a rule that compares say so themselves. Beyond the first 50 the
    first of each sort is kept that is not among them, and one more counts the rest: the outcome is the same as of all.
    """
    try:
        return _bounded(_findings(rule, evidence, expect)), ""
    except Exception as error:  # noqa: BLE001 - a rule that falls over must not end the run
        return (), f"{type(error).__name__}: {shorten(str(error))}"


def _findings(rule: Rule, evidence: Evidence, expect: Expect) -> Iterator[Finding]:
    if isinstance(evidence, SoakRun):
        yield from rule.function(evidence, expect)
        return
    sent = exchanges = {"": evidence} if isinstance(evidence, Exchange) else dict(evidence)
    if not exchanges:
        yield no_evidence("the recording", expected="at least one exchange", got="none")
        return
    if rule.of >= traits.FAULTY:
        faulty = look.bad(exchanges)
        if not faulty:  # what the good request tells counts beside it
            yield no_evidence("the recording", expected="a faulty request", got="none")
        if rule.shape == "single":
            exchanges = faulty
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
    """What keeps an exchange from being judged by what the rule says. ``sent``: all of its scenario."""
    if x.error in GONE:
        yield no_evidence("the connection", expected="a server", got=x.detail or x.error)
    elif x.error in LATE:
        yield violation(
            "the answer",
            expected="an answer within the deadline",
            got=f"{x.detail or x.error} after {(x.ended_at - x.sent_at) / 1e9:.1f} s, {len(x.raw)} bytes",
            so="a client waits as long as its own time-out lets it",
            grave=True,
        )
    elif x.dropped:
        yield no_evidence("the recording", expected="bytes", got="not stored: the byte budget of the run was used up")
    elif x.status is None:
        yield violation(
            "the answer",
            expected="a status line and headers",
            got=x.detail or x.error or "nothing",
            so="a client reports a broken connection and retries",
        )
    elif x.status in BUSY:
        yield no_evidence("the status", expected="an answer", got=f"{x.status} {x.reason}, {x.retries} retries")
    elif rule.answer and 400 <= x.status < 500:
        got = f"{x.status} {_body(x)}"
        yield refusal("the status", expected="200: the request is valid", got=got, optional=_asks_for_an_option(x))
    elif rule.answer and x.status != 200:
        yield violation("the status", expected="200: the request is valid", got=f"{x.status} {_body(x)}")
    elif rule.of >= traits.FAULTY and rule.shape == "single" and (nothing := look.unrouted(x, sent)):
        yield nothing


def _asks_for_an_option(x: Exchange) -> bool:
    """Whether the request asks for what a server may honestly decline: several choices, log probabilities."""
    asked = x.request_json if isinstance(x.request_json, dict) else {}
    return asked.get("n", 1) not in (None, 1) or asked.get("logprobs") is True


def _body(x: Exchange) -> str:
    return shorten(x.body[:400].decode("utf-8", "replace"))
