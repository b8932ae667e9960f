"""Findings of one case are bounded, and what is left out does not change the outcome."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from seatrial.checks.catalogue import load_all
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import Rule
from seatrial.checks.running import FINDINGS, run
from seatrial.records import Finding, Level
from seatrial.verdict.outcomes import outcome
from tests.checks.specimens import EXPECT, plain

KINDS = [
    no_evidence("a", expected="b", got="c"),
    refusal("a", expected="b", got="c", optional=True),
    violation("a", expected="b", got="c"),
    refusal("a", expected="b", got="c"),
    violation("a", expected="b", got="c", grave=True),
]


def rule_of(findings: Iterator[Finding] | list[Finding], **changes: object) -> Rule:
    given = load_all()["chat/finish-reason-is-known"]
    return replace(given, function=lambda _x, _expect: findings, **changes)


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("late", KINDS)
@pytest.mark.parametrize("early", KINDS)
def test_what_is_left_out_counts(early, late, level, optional):
    every = [early] * (FINDINGS + 3) + [late] + [early] * 3
    kept, crash = run(rule_of(every, level=level, optional=optional), plain(), EXPECT)
    assert not crash
    assert len(kept) == FINDINGS + 1 + (late != early)
    assert late in kept
    assert kept[-1].got == "7 more"
    assert outcome(level, kept, optional=optional) is outcome(level, every, optional=optional)


def test_as_many_as_are_kept_are_all_there():
    every = [violation(str(n), expected="b", got="c") for n in range(FINDINGS)]
    assert run(rule_of(every), plain(), EXPECT) == (tuple(every), "")


def test_a_rule_that_breaks_every_chunk_is_counted_and_not_kept():
    endless = (violation(str(n), expected="b", got="c") for n in range(1_000_000))
    kept, _ = run(rule_of(endless), plain(), EXPECT)
    assert kept[-1].got == "999950 more"
    assert len(kept) == FINDINGS + 1
