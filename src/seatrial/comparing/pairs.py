"""Which questions make a pair: the same item of the same probe and seed, judged on both endpoints.

A question that either side gave no word on makes none: nobody answered, it was cut, thinking ate the budget. Those that
the candidate owes are kept apart, for the worst that they can hide. What it declines and the incumbent can do is lost:
a server that lacks a capability is not excused by saying so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from seatrial.records import Flip, ItemOutcome, ItemWord, Judged
from seatrial.statistics.sides.paired import PairedTable

Key = tuple[str, int, str]

JUDGED = frozenset({ItemWord.GOOD, ItemWord.BAD})

ONE_ALONE = "asked of only one of the two"


@dataclass(frozen=True, slots=True)
class Pair:
    """One question on both endpoints."""

    incumbent: ItemOutcome
    candidate: ItemOutcome

    @property
    def good(self) -> tuple[bool, bool]:
        """Whether the incumbent, and whether the candidate answered it well."""
        return self.incumbent.word is ItemWord.GOOD, self.candidate.word is ItemWord.GOOD


@dataclass(frozen=True, slots=True)
class Matched:
    """The pairs of one probe, in the order of their questions.

    Attributes:
        beside: questions that make no pair, by reason.
        silent: the questions that the incumbent answered, and the candidate was asked and gave no word on.
    """

    probe: str
    pairs: tuple[Pair, ...]
    beside: Mapping[str, int] = field(default_factory=dict)
    silent: tuple[Pair, ...] = ()

    def at_worst(self) -> Matched:
        """With each answer that the candidate owes taken for a bad one."""
        return replace(self, pairs=self.pairs + self.silent, silent=())

    def table(self) -> PairedTable:
        """The two-by-two table."""
        counted = Counter(pair.good for pair in self.pairs)
        return PairedTable(counted[True, True], counted[True, False], counted[False, True], counted[False, False])

    def families(self) -> dict[str, list[float]]:
        """By family, of each pair the candidate's good less the incumbent's: -1, 0 or 1."""
        found: dict[str, list[float]] = {}
        for pair in self.pairs:
            before, now = pair.good
            found.setdefault(pair.incumbent.family, []).append(float(now - before))
        return found

    def flips(self) -> tuple[Flip, ...]:
        """The pairs that differ, those that were lost first."""
        told = (_flip(pair) for pair in self.pairs if pair.good[0] != pair.good[1])
        return tuple(sorted(told, key=lambda flip: (not flip.lost, flip.item)))


def items(cases: Iterable[Judged]) -> dict[Key, ItemOutcome]:
    """Every item of judged cases, by probe, seed and name."""
    return {(item.probe, item.seed, item.item): item for case in cases for item in case.items}


def match(incumbent: Mapping[Key, ItemOutcome], candidate: Mapping[Key, ItemOutcome]) -> dict[str, Matched]:
    """The pairs of each probe that either was asked, by the probe's name."""
    pairs: dict[str, list[Pair]] = {}
    beside: dict[str, Counter[str]] = {}
    silent: dict[str, list[Pair]] = {}
    for key in sorted(incumbent.keys() | candidate.keys()):
        probe, before, now = key[0], incumbent.get(key), candidate.get(key)
        found, out = pairs.setdefault(probe, []), beside.setdefault(probe, Counter())
        if before is None or now is None:
            out[ONE_ALONE] += 1
        elif before.word not in JUDGED:
            out[f"incumbent: {before.word}"] += 1
        elif now.word in JUDGED or now.word is ItemWord.DECLINED:
            found.append(Pair(before, now))
        else:
            out[f"candidate: {now.word}"] += 1
            silent.setdefault(probe, []).append(Pair(before, now))
    return {
        probe: Matched(probe, tuple(found), dict(sorted(beside[probe].items())), tuple(silent.get(probe, ())))
        for probe, found in sorted(pairs.items())
    }


def _flip(pair: Pair) -> Flip:
    before, now = pair.incumbent, pair.candidate
    lost = pair.good[0]
    bad = now if lost else before
    return Flip(
        item=before.item,
        family=before.family,
        lost=lost,
        why=bad.why or str(bad.word),
        incumbent=next(iter(before.exchanges), ""),
        candidate=next(iter(now.exchanges), ""),
    )
