"""How the behaviour rules decide: so many bad answers of so many, an interval, and one of three words.

FAIL where the lower end of the 95 % Wilson interval lies above 1 %, PASS where its upper end lies below 15 %, else
there is no evidence yet, and the finding says what size would settle it. FAIL is asked first: with many answers both
may hold. What these limits cost in false alarms and misses is measured in ``tests/behaviour/test_rates.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.transcript import curl, shown
from seatrial.checks.findings import no_evidence
from seatrial.records import Exchange, Expect, Finding
from seatrial.statistics.intervals import size_to_pass, smallest_visible, wilson
from seatrial.text import visible

FAIL_ABOVE = 0.01
PASS_BELOW = 0.15
FEWEST = size_to_pass(0, PASS_BELOW)
"""Fewer answers than this cannot give a PASS, however good they are."""


@dataclass(frozen=True, slots=True)
class Count:
    """Bad answers of those that could be read.

    Attributes:
        what: name of the figure, ``loops``.
        bad: the bad ones by name, each with what is wrong.
        n: answers that are evidence.
        beside: answers that are none, by reason.
        notes: what is reported and not counted, by name.
    """

    what: str
    n: int
    bad: Mapping[str, str]
    answers: Mapping[str, Spoken] = field(repr=False)
    beside: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def k(self) -> int:
        return len(self.bad)

    @property
    def shortest(self) -> str | None:
        """Name of the shortest bad answer."""
        if not self.bad:
            return None
        return min(self.bad, key=lambda name: (len(shown(self.answers[name])), name))


def decide(k: int, n: int) -> Literal["fail", "pass", "open"]:
    """The word for k bad answers of n.

    Raises:
        ValueError: n is 0.
    """
    low, high = wilson(k, n)
    if low > FAIL_ABOVE:
        return "fail"
    return "pass" if high < PASS_BELOW else "open"


def judged(count: Count, xs: Mapping[str, Exchange], expect: Expect, *, so: str) -> Iterator[Finding]:
    """The findings of a count: none for PASS."""
    if count.n == 0:
        yield no_evidence(f"{count.what}, no answer read", expected=f"at least {FEWEST}", got=_beside(count) or "none")
        return
    word = decide(count.k, count.n)
    if word == "open":
        size = size_to_pass(count.k, PASS_BELOW)
        yield no_evidence(
            f"{count.what}, {count.n} answers",
            expected=f"an interval below {_percent(PASS_BELOW)} % (PASS) or above {_percent(FAIL_ABOVE)} % (FAIL): "
            f"{size} answers give a PASS if no further one is bad; raise --budget",
            got=f"{ratio(count)}{'; ' + _beside(count) if count.beside else ''}",
        )
    elif word == "fail":
        limit = f"an interval that reaches down to {_percent(FAIL_ABOVE)} %"
        name = count.shortest
        where = f"{count.what}, {count.n} answers"
        yield Finding("violation", where, limit, ratio(count), so, about=name or "")
        if name is not None:
            got = f"{visible(count.bad[name])}: {shown(count.answers[name], 400)}"
            where = f"the shortest such answer, {name} ({xs[name].id})"
            yield Finding("violation", where, "none like it", got, about=name)


def figures(count: Count, xs: Mapping[str, Exchange], expect: Expect) -> dict[str, str]:
    """What is printed whatever the outcome. A name with a colon is a detail, not meant for the first screen."""
    what = count.what
    if count.n == 0:
        return {what: f"not known: no answer read ({_beside(count) or 'none sent'})"}
    lines = {what: ratio(count), f"{what}: smallest effect": _effect(count.n)}
    if count.beside:
        lines[f"{what}: no evidence"] = _beside(count)
    if count.notes:
        some = ", ".join(f"{name} ({why})" for name, why in list(count.notes.items())[:5])
        lines[f"{what}: suspect, not counted"] = f"{len(count.notes)}: {some}"
    if (name := count.shortest) is not None:
        lines[f"{what}: shortest failing"] = f"{name} ({visible(count.bad[name])}): {shown(count.answers[name], 600)}"
        lines[f"{what}: again"] = curl(xs[name], expect)
    return lines


def ratio(count: Count) -> str:
    """``1 of 40 (95 %: 0.4 to 12.9 %)``."""
    low, high = wilson(count.k, count.n)
    return f"{count.k} of {count.n} (95 %: {_percent(low)} to {_percent(high)} %)"


def _effect(n: int) -> str:
    try:
        seen = smallest_visible(n, FAIL_ABOVE)
    except ValueError as error:
        return str(error)
    return (
        f"{seen.count} of {n} would have failed; a server that does it in {_percent(seen.true_rate)} % of its answers "
        f"fails {_percent(seen.power)} times of 100"
    )


def _beside(count: Count) -> str:
    return ", ".join(f"{number} without evidence: {why}" for why, number in count.beside.items())


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f}".removesuffix(".0")
