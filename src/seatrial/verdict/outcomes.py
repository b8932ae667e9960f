"""From findings to an outcome, and from outcomes to a verdict: the table of ARCHITECTURE.md, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seatrial.records import Finding, Level, Outcome, Ready

EXIT_READY = 0
EXIT_FAIL = 1
EXIT_USAGE = 4
EXIT_INCONCLUSIVE = 10

LETTERS = {
    Outcome.PASS: ".",
    Outcome.FAIL: "F",
    Outcome.ADVISORY: "a",
    Outcome.INCONCLUSIVE: "?",
    Outcome.UNSUPPORTED: "s",
    Outcome.WAIVED: "w",
    Outcome.NOT_EXECUTED: "-",
}

BECAUSE = "because of it"
"""What cases are counted as that only the FAIL of another keeps from being judged."""

ALLURE_STATUS = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.ADVISORY: "passed",
    Outcome.INCONCLUSIVE: "broken",
    Outcome.UNSUPPORTED: "skipped",
    Outcome.WAIVED: "failed",
    Outcome.NOT_EXECUTED: "unknown",
}


def outcome(
    level: Level,
    findings: Sequence[Finding],
    *,
    optional: bool = False,
    crashed: str = "",
    waived: bool = False,
    strict: bool = False,
) -> Outcome:
    """The outcome of one case.

    A violation outweighs a refusal, a refusal outweighs missing evidence. A refusal of a valid request is a violation
    of a MUST unless the rule, or what the request asked for, is optional.
    """
    if crashed:
        return Outcome.INCONCLUSIVE
    broken = [f for f in findings if f.kind == "violation" or (f.kind == "refusal" and not optional and not f.optional)]
    if broken:
        binding = level is Level.MUST or (strict and level is Level.SHOULD)
        grave = any(f.grave or f.kind == "refusal" for f in broken)
        if not binding and not grave:
            return Outcome.ADVISORY
        return Outcome.WAIVED if waived else Outcome.FAIL
    if any(f.kind == "refusal" for f in findings):
        return Outcome.UNSUPPORTED
    if findings:
        return Outcome.INCONCLUSIVE
    return Outcome.PASS


def ready(outcomes: Iterable[Outcome], *, lacks: Sequence[str] = (), stops: int = 0) -> Ready:
    """READY needs no FAIL, no stop, nothing inconclusive, and that nothing else is lacking (a PASS in a suite)."""
    words = set(outcomes)
    if stops or Outcome.FAIL in words:
        return Ready.NOT_READY
    if words & {Outcome.INCONCLUSIVE, Outcome.NOT_EXECUTED} or lacks or not words:
        return Ready.NOT_PROVEN
    return Ready.READY


def exit_code(verdicts: Iterable[Ready]) -> int:
    """0 when all are ready, 1 when one is not, else 10."""
    words = set(verdicts)
    if Ready.NOT_READY in words:
        return EXIT_FAIL
    return EXIT_READY if words == {Ready.READY} else EXIT_INCONCLUSIVE
