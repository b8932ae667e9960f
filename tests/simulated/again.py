"""``python -m tests.simulated.again [--runs 400]``: a simulated model held against itself at its own sampling.

Both sides draw each answer anew, wrong at one rate, as a model at temperature above 0 does; the comparison that a
decision rests on then tells them apart or not. Of two sides that are one the 95 % interval of a difference leaves
zero out in a twentieth of cases, so the share has to lie in the binomial interval of that; no more than a tenth of
comparisons may name a probe on the list of what differs, and no more than a fortieth may call one better or worse.
Exit 1: a figure is not as it should be.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from msgspec.structs import replace
from scipy.stats import binom

from seatrial.behaviour.probe import RateProbe, probes
from seatrial.comparing.margins import ALPHA, FALSE_SHARE, compare, differing
from seatrial.comparing.pairs import match
from seatrial.records import ItemOutcome, Level, Standing
from tests.simulated.runs import CLEAN, SEEDS, of, verified

PAIRED = 160
LEVEL = 0.05
RATES = (0.05, 0.1, 0.2, 0.3)
"""Of bad answers; at lower ones hardly a pair differs, and no interval of so few reaches its level."""


@dataclass
class Again:
    """What came of comparisons of a model with itself.

    Attributes:
        apart: of each rate and probe, comparisons whose interval leaves zero out.
        worse: comparisons in which any probe is worse beyond the margin.
        better: those in which any is better.
        named: those of which any probe stands on the list of what differs.
    """

    runs: int
    apart: Counter[tuple[float, str]] = field(default_factory=Counter)
    worse: Counter[float] = field(default_factory=Counter)
    better: Counter[float] = field(default_factory=Counter)
    named: Counter[float] = field(default_factory=Counter)


def side(probe: RateProbe, rate: float, draw: Random, seed: int) -> Iterator[ItemOutcome]:
    """Its answers to one probe's items, in their order."""
    faults = of(probe.rule.id)
    read = (n for n in range(20 * PAIRED) if probe.maker.family(n) in probe.families)
    for n in islice(read, PAIRED):
        way = draw.choice(faults) if draw.random() < rate else CLEAN
        made = verified(probe.rule.id, n % 96, seed, way)  # few are made; each is drawn anew
        yield replace(made, item=probe.maker.named(n), family=probe.maker.family(n))


def compared(rate: float, asked: list[RateProbe], draw: Random) -> list[tuple[str, Standing, bool, bool]]:
    """Of each probe its standing, whether its interval leaves zero out, and whether it is named."""
    seed, blocking = draw.randrange(SEEDS), {probe.rule.id for probe in asked if probe.rule.level is Level.MUST}
    both = [[item for probe in asked for item in side(probe, rate, draw, seed)] for _ in range(2)]
    first, second = ({(item.probe, item.seed, item.item): item for item in items} for items in both)
    rows = compare(match(first, second), blocking=blocking)
    named = {row.probe for row in differing(rows)}
    return [(row.probe, row.standing, row.low > 0 or row.high < 0, row.probe in named) for row in rows]


def against_itself(runs: int, seed: int, asked: list[RateProbe]) -> Again:
    """So many comparisons at each rate."""
    found = Again(runs)
    for rate in RATES:
        for run in range(runs):
            rows = compared(rate, asked, Random(f"{seed}/again/{rate}/{run}"))
            found.apart.update((rate, probe) for probe, _, apart, _ in rows if apart)
            found.worse[rate] += any(standing is Standing.WORSE for _, standing, _, _ in rows)
            found.better[rate] += any(standing is Standing.BETTER for _, standing, _, _ in rows)
            found.named[rate] += any(named for _, _, _, named in rows)
    return found


def within(n: int, level: float) -> tuple[int, int]:
    """How many of n lie within the binomial 95 % interval of a level."""
    return int(binom.ppf(0.025, n, level)), int(binom.ppf(0.975, n, level))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulated.again", description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    asked = [each for name, each in probes().items() if name.startswith(("stops/", "json/", "instructions/", "roles/"))]
    found, wrong = against_itself(options.runs, options.seed, asked), []
    low, high = within(options.runs * len(asked), LEVEL)
    print(f"a model held against itself {options.runs} times at each rate, {len(asked)} probes of {PAIRED} questions")
    for rate in RATES:
        apart = sum(found.apart[rate, probe.rule.id] for probe in asked)
        print(
            f"{100 * rate:.0f} % bad answers: intervals without zero {apart} of {options.runs * len(asked)} "
            f"(a twentieth: {low} to {high}); named as differing {found.named[rate]} of {options.runs} "
            f"(at most {within(options.runs, FALSE_SHARE)[1]}); worse beyond the margin {found.worse[rate]}, better "
            f"{found.better[rate]} (at most {within(options.runs, ALPHA)[1]} each)"
        )
        called = max(found.worse[rate], found.better[rate]) > within(options.runs, ALPHA)[1]
        if called or not low <= apart <= high or found.named[rate] > within(options.runs, FALSE_SHARE)[1]:
            wrong.append(rate)
    for rate in wrong:
        print(f"WRONG  at {100 * rate:.0f} %")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
