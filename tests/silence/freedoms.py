"""Legal servers: what the specifications leave open, drawn together by seed until every two freedoms have met.

Of what is left open a server does one thing, or what is usual: also each freedom and the usual in place of each other
one meet, so that none is seen behind another alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.golden.faults import FAULTS

Way = tuple[str, str]
"""What is left open, and the freedom that is taken there; empty: what is usual."""

TRIES = 12
"""Servers that are drawn for each that is kept: the one in which most pairs meet that had not met."""


def ways() -> dict[str, list[Way]]:
    """Of everything that is left open, the ways in which it may be done."""
    found: dict[str, list[Way]] = {}
    for name, fault in FAULTS.items():
        if fault.family == "legal":
            found.setdefault(fault.of, [(fault.of, "")]).append((fault.of, name))
    return found


def servers(seed: int = 0) -> Iterator[tuple[str, ...]]:
    """Sets of freedoms. In the sets together every two that one server can have meet."""
    draw = random.Random(seed)
    kinds = list(ways().values())
    bit = {way: 1 << n for n, way in enumerate(way for kind in kinds for way in kind)}
    left = {way: sum(bit[w] for w in bit if w[0] != way[0] and (w[1] or way[1])) for way in bit}  # whom it has not met
    while any(left.values()):
        drawn = [_server(draw, kinds, bit, left) for _ in range(TRIES)]
        best = max(drawn, key=lambda server: sum(_count(left[way], server, bit) for way in server))
        for way in best:
            left[way] &= ~sum(bit[w] for w in best)
        yield tuple(name for _, name in best if name)


def _count(left: int, server: Iterable[Way], bit: Mapping[Way, int]) -> int:
    return (left & sum(bit[way] for way in server)).bit_count()


def _server(
    draw: random.Random, kinds: Sequence[Sequence[Way]], bit: Mapping[Way, int], left: Mapping[Way, int]
) -> list[Way]:
    """A server that begins with a pair that has not met, and goes on with what meets most that it has not met."""
    one = draw.choice([way for way in bit if left[way]])
    other = draw.choice([way for way in bit if left[one] & bit[way]])
    chosen = {way[0]: way for way in (one, other)}
    for kind in draw.sample(kinds, len(kinds)):
        there = sum(bit[way] for way in chosen.values())
        best = max(kind, key=lambda way: ((left[way] & there).bit_count(), draw.random()))
        chosen.setdefault(best[0], best)
    return [chosen[kind[0][0]] for kind in kinds]
