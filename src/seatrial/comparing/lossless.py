"""Is a candidate that should be the incumbent made faster that indeed? By their answers at temperature 0.

Where two answers part, the incumbent's token was ahead of its next likely one by so much. Below :data:`TIE` the order
of the two hangs on the order in which numbers are summed up, which a draft, another batch or another kernel changes and
which loses nothing: such a difference is told and not counted. What counts is held against how often the incumbent
differs from itself when it is asked again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from enum import Enum

import msgspec

from seatrial.behaviour.probes.talk.twins import Greedy
from seatrial.records import Lossless, LosslessWord, Parting
from seatrial.statistics.sides.agreement import ALPHA, differs_more, visible
from seatrial.statistics.sides.paired import PairedTable, tango
from seatrial.text import visible as harmless

TIE = 0.1
"""Natural logarithms: two tokens of which one is at most 1.1 times as likely as the other. Half-precision sums of some
thousand terms move a chance by some hundredths; the limit is ours."""

LEVEL = 1 - 2 * ALPHA
"""Of the interval of what it loses: each end leaves out as much as the test does."""

FEWEST = 24
"""Questions; with fewer a server that answers a fifth of them otherwise would be missed oftener than once in five."""

BEFORE = 60
"""Characters before the place where two answers part that are shown."""


class _Kind(Enum):
    ALIKE = "alike"
    TIE = "tie"
    BEYOND = "beyond"
    UNTOLD = "untold"


def compare(
    first: Mapping[str, Greedy],
    again: Mapping[str, Greedy],
    candidate: Mapping[str, Greedy],
    *,
    names: tuple[str, str] = ("incumbent", "candidate"),
    cached: Collection[str] = (),
) -> Lossless:
    """Hold the candidate's answers against the incumbent's, and those against themselves.

    Args:
        first: the incumbent's answers by question.
        again: those to the same questions asked a second time.
        names: of the two endpoints.
        cached: of those whose prompt cache could not be switched off.
    """
    asked = sorted(first.keys() & again.keys() & candidate.keys())
    usable = [q for q in asked if not (first[q].wrong or again[q].wrong or candidate[q].wrong)]
    own = {q: _kind(first[q], again[q]) for q in usable}
    its = {q: _kind(first[q], candidate[q]) for q in usable}
    counted = (_Kind.BEYOND,)
    alone, back = _more(its, own, counted), _more(own, its, counted)
    p = differs_more(alone, back)
    wide = (_Kind.BEYOND, _Kind.UNTOLD)
    at_worst = differs_more(_more(its, own, wide), _more(own, its, wide))
    seen, mine = Counter(its.values()), Counter(own.values())
    shown = visible(len(usable), own=mine[_Kind.BEYOND] / len(usable)) if usable else 1.0
    lacking = len(usable) < FEWEST or shown >= 1
    word = (
        LosslessWord.LOSSY if p <= ALPHA else LosslessWord.OPEN if lacking or at_worst <= ALPHA else LosslessWord.SAME
    )
    parted = next((q for kind in (_Kind.BEYOND, _Kind.UNTOLD, _Kind.TIE) for q in usable if its[q] is kind), None)
    found = Lossless(
        word=word,
        why="",
        n=len(usable),
        ties=seen[_Kind.TIE],
        beyond=seen[_Kind.BEYOND],
        untold=seen[_Kind.UNTOLD],
        own_ties=mine[_Kind.TIE],
        own_beyond=mine[_Kind.BEYOND],
        own_untold=mine[_Kind.UNTOLD],
        p=p,
        loss=(alone - back) / len(usable) if usable else 0.0,
        span=_span(alone, back, len(usable), p),
        visible=shown,
        tie=TIE,
        silent=len(first.keys() | candidate.keys()) - len(usable),
        first=_parting(parted, first[parted], candidate[parted]) if parted else None,
        drafts={name: _taken(some) for name, some in zip(names, (first, candidate), strict=True) if _taken(some)[0]},
        cached=tuple(cached),
    )
    return _explained(found)


def unknown(why: str) -> Lossless:
    """Where the questions were to be asked, and cannot be held against each other."""
    return msgspec.structs.replace(compare({}, {}, {}), why=why)


def _more(one: Mapping[str, _Kind], other: Mapping[str, _Kind], counted: Collection[_Kind]) -> int:
    """Questions that one of the two answers otherwise, and the other not."""
    return sum(one[q] in counted and other[q] not in counted for q in one)


def _span(alone: int, back: int, n: int, p: float) -> tuple[float, float] | None:
    """The interval of the share that is lost: Tango's, with zero in it where the exact test does not rule it out."""
    if not n:
        return None
    low, high = tango(PairedTable(both=n - alone - back, lost=back, gained=alone, neither=0), LEVEL)
    return (low, high) if p <= ALPHA else (min(low, 0.0), high)


def _kind(base: Greedy, other: Greedy) -> _Kind:
    if (base.text, base.finish) == (other.text, other.finish):
        return _Kind.ALIKE
    ahead = _place(base, other)[0]
    return _Kind.UNTOLD if ahead is None else _Kind.TIE if abs(ahead) <= TIE else _Kind.BEYOND


def _place(base: Greedy, other: Greedy) -> tuple[float | None, str, str, int]:
    """Where two answers part: how far the base's token was ahead, both tokens, and the characters before.

    Where the base's answer ends first, how far the other's token there was ahead of its next: an end is no token that
    is told.
    """
    if base.steps and other.steps:
        tokens = zip(base.steps, other.steps, strict=False)
        at = next((n for n, (a, b) in enumerate(tokens) if a.token != b.token), min(len(base.steps), len(other.steps)))
        told = (
            base.steps[at].ahead if at < len(base.steps) else other.steps[at].ahead if at < len(other.steps) else None
        )
        shown = (some.steps[at].token if at < len(some.steps) else "(ends)" for some in (base, other))
        return told, *shown, sum(len(step.token) for step in base.steps[:at])  # type: ignore[return-value]
    pairs = zip(base.text, other.text, strict=False)
    alike = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(base.text), len(other.text)))
    tail = (some.text[alike : alike + 12] or f"(ends: {some.finish})" for some in (base, other))
    length = 0
    for step in base.steps:
        if length + len(step.token) > alike:
            return step.ahead, *tail, alike  # type: ignore[return-value]
        length += len(step.token)
    return None, *tail, alike  # type: ignore[return-value]


def _parting(question: str, base: Greedy, other: Greedy) -> Parting:
    ahead, mine, its, alike = _place(base, other)
    return Parting(
        question=question,
        ahead=None if ahead is None else round(ahead, 3),
        alike=alike,
        before=harmless(base.text[max(0, alike - BEFORE) : alike]),
        incumbent=harmless(mine, 40),
        candidate=harmless(its, 40),
        exchanges=(base.id, other.id),
    )


def _taken(answers: Mapping[str, Greedy]) -> tuple[int, int]:
    return sum(each.drafted for each in answers.values()), sum(each.accepted for each in answers.values())


def _explained(found: Lossless) -> Lossless:
    told = (
        f"of {found.n} answers at temperature 0 the candidate gives {found.differ} otherwise than the incumbent, "
        f"{found.beyond} of them at no near tie; the incumbent asked again gives {found.own} otherwise, "
        f"{found.own_beyond} at no near tie"
    )
    more = {
        LosslessWord.LOSSY: f"by chance: p {'< 0.001' if found.p < 0.001 else f'{found.p:.3f}'}",
        LosslessWord.SAME: f"one that spoils {100 * found.visible:.1f} % of answers would be seen four times in five",
        LosslessWord.OPEN: f"at least {FEWEST} questions are needed: a longer --budget"
        if found.n < FEWEST
        else "the incumbent repeats itself too seldom for any loss to be seen"
        if found.visible >= 1
        else f"{found.untold} of them without chances that would show near ties: the incumbent tells no logprobs there",
    }
    return msgspec.structs.replace(found, why=f"{told}{_lost(found)}; {more[found.word]}")


def _lost(found: Lossless) -> str:
    if found.span is None:
        return ""
    low, high = found.span
    return f": {100 * found.loss:+.1f} points ({100 * LEVEL:.0f} %: {100 * low:+.1f} to {100 * high:+.1f})"
