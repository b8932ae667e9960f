"""The rule that takes the word of an operator's own test.

A test of the operator's is no rule: its assertion is code of his, which a record cannot run again. What it said of
itself is recorded, and :data:`HOLDS` makes of it what any rule makes of an answer, so that waivers, reasons, reports
and ``seatrial judge`` need not know the difference. It stands in no registry: no scenario of a suite can meet it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import REGISTRY, Rule
from seatrial.records import OWN_SETTING, OWN_SUITE, Exchange, Expect, Finding, Level, OwnTold, OwnWord

WORSE = (OwnWord.BROKE, OwnWord.FELL)
"""The words of a test that did not hold, the worst first."""


def _holds(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    told = _told(expect)
    if told is None:
        yield no_evidence("the test", expected="what it said of itself", got="nothing that can be read")
    elif told.word is OwnWord.SKIPPED:
        yield refusal("the test", expected="that it runs", got=told.got, optional=True)
    elif told.word is OwnWord.FELL:
        yield no_evidence(told.where, expected="a test that runs to its end", got=told.got)
    elif not xs:
        got = "it sent nothing" + (f"; {told.got}" if told.got else "")
        yield no_evidence("the recording", expected="at least one request that was answered", got=got)
    elif told.word is OwnWord.BROKE:
        yield violation(told.where, expected=told.expected, got=told.got)


def whole(told: OwnTold, parts: Sequence[OwnTold]) -> OwnTold:
    """A test with its parts (pytest's subtests), each of which has its own word: the worst of them is the test's.

    Of a test that ran to its end, and of which every part was skipped, nothing held.
    """
    for word in WORSE:
        found = [each for each in (*parts, told) if each.word is word]
        if found:
            bad = [each for each in parts if each.word in WORSE]
            more = f"{found[0].got}; {many(parts)}" if bad else found[0].got
            return msgspec.structs.replace(found[0], got=more)
    if told.word is OwnWord.HELD and parts and all(each.word is OwnWord.SKIPPED for each in parts):
        return parts[0]
    return told


def many(parts: Sequence[OwnTold]) -> str:
    """How many of a test's parts did not hold, or fell."""
    bad = sum(each.word in WORSE for each in parts)
    return f"{bad} of {len(parts)} subtests {'does' if bad == 1 else 'do'} not hold"


def _figures(_xs: Mapping[str, Exchange], expect: Expect) -> dict[str, str]:
    told = _told(expect)
    return {} if told is None else {"test": told.test}


def _told(expect: Expect) -> OwnTold | None:
    try:
        return msgspec.convert(expect.settings.get(OWN_SETTING), OwnTold)
    except msgspec.ValidationError:
        return None


HOLDS = Rule(
    id=f"{OWN_SUITE}/test-holds",
    row=OWN_SUITE,
    level=Level.MUST,
    source="the operator",
    text="A test of your own holds on the endpoint.",
    shape="compare",
    function=_holds,
    answer=False,
    figures=_figures,
    told=True,
)
"""Every test of the operator's is a case of this rule; its scenario is the test."""


def find(identity: str) -> Rule | None:
    """The rule of that id: one of the registry, or that of the operator's own tests."""
    return HOLDS if identity == HOLDS.id else REGISTRY.get(identity)
