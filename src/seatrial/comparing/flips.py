"""Cases of rules that came out otherwise: what broke, what healed, what cannot be judged any more.

A probe is told by its pairs of answers, and not here: of a server that is asked twice its test ends well at one time
and not at the other wherever its rate lies between the good one and the bad.
"""

from __future__ import annotations

from collections.abc import Iterable

from seatrial.records import CaseFlip, Judged, Outcome

_BAD = (Outcome.FAIL, Outcome.WAIVED, Outcome.ADVISORY)
_ORDER = (Outcome.FAIL, Outcome.WAIVED, Outcome.UNSUPPORTED, Outcome.INCONCLUSIVE, Outcome.NOT_EXECUTED,
          Outcome.ADVISORY, Outcome.PASS)  # fmt: skip


def flips(incumbent: Iterable[Judged], candidate: Iterable[Judged]) -> tuple[tuple[CaseFlip, ...], int]:
    """The cases that both have and that came out otherwise, the gravest first; and how many came out alike.

    What only another case's FAIL keeps from being judged is told with that case, not here. Of cases of which both
    have answers to count none is among those that came out otherwise.
    """
    before = {name(case): case for case in incumbent}
    found, same = [], 0
    for now in candidate:
        was = before.get(name(now))
        if was is None or now.because or was.because:
            continue
        if was.outcome is now.outcome:
            same += 1
            continue
        if now.items and was.items:
            continue
        told = now if now.outcome in _BAD else was
        why = now.why or next((f"{f.where}: {f.seen}" for f in told.findings), told.why)
        found.append(
            CaseFlip(case=name(now), level=now.level, incumbent=was.outcome, candidate=now.outcome, why=why[:300])
        )
    found.sort(key=lambda flip: (_ORDER.index(flip.candidate), flip.level != "MUST", flip.case))
    return tuple(found), same


def name(case: Judged) -> str:
    """A case without its endpoint."""
    return f"{case.rule}[{case.scenario}]"
