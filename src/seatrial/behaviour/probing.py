"""How a verifier becomes a probe: its rule, and its place among the probes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from seatrial.behaviour import tally
from seatrial.behaviour.items import Maker
from seatrial.behaviour.probe import HELD, Blame, Compare, RateProbe, Tell, Verify
from seatrial.checks import traits
from seatrial.checks.rules import rule
from seatrial.records import Exchange, Expect, Finding, ItemOutcome, Level
from seatrial.statistics.sequential import SequentialTest
from seatrial.text import docstring


def probe(
    *,
    row: str,
    area: str,
    what: str,
    maker: Maker,
    test: SequentialTest,
    level: Level,
    source: str,
    so: str,
    families: frozenset[str] | None = None,
    everywhere: bool = False,
    broken: bool = False,
    thought: bool = False,
    against: Callable[[int], int] | None = None,
    compare: Compare | None = None,
    tells: Tell | None = None,
    causes: Blame | None = None,
) -> Callable[[Verify], RateProbe]:
    """Make a probe of a verifier and register its rule; the verifier's docstring is the requirement.

    Args:
        row: of the catalogue of probes, ``B6``.
        area: the first half of the rule's id; the verifier's name is the other.
        families: of the maker's those that it judges; None: all.
        against: see :class:`~seatrial.behaviour.probe.RateProbe`, as of the others.

    Raises:
        ValueError: see :func:`seatrial.checks.rules.rule`.
    """

    def register(verify: Verify) -> RateProbe:
        def function(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
            yield from tally.findings(made, xs, expect)

        def figures(xs: Mapping[str, Exchange], expect: Expect) -> dict[str, str]:
            return tally.figures(made, xs, expect)

        def items(xs: Mapping[str, Exchange], expect: Expect) -> list[ItemOutcome]:
            return tally.outcomes(made, xs, expect)

        function.__name__, function.__doc__ = verify.__name__, docstring(verify)
        made = RateProbe(
            what=what,
            maker=maker,
            test=test,
            verify=verify,
            families=frozenset(maker.families) if families is None else families,
            rule=rule(
                row=row,
                level=level,
                of=traits.ANSWERS,
                area=area,
                source=source,
                answer=False,
                sampled=True,
                figures=figures,
                items=items,
            )(function),
            so=so,
            everywhere=everywhere,
            broken=broken,
            thought=thought,
            against=against,
            compare=compare,
            tells=tells,
            causes=causes,
        )
        HELD[made.rule.id] = made
        return made

    return register
