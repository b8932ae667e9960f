"""Stretches of time: joined, taken from each other, and how long they are together. Any unit; ends are not within."""

from __future__ import annotations

from collections.abc import Iterable

Stretch = tuple[int, int]


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in stretches that are in order and do not touch."""
    found: list[Stretch] = []
    for since, until in sorted(each for each in stretches if each[1] > each[0]):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return found


def without(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> list[Stretch]:
    """What is left of some stretches where others are taken away."""
    left: list[Stretch] = []
    away = joined(taken)
    first = 0
    for since, until in joined(stretches):
        while first < len(away) and away[first][1] <= since:
            first += 1
        at, n = since, first
        while n < len(away) and away[n][0] < until:
            if away[n][0] > at:
                left.append((at, away[n][0]))
            at = max(at, away[n][1])
            n += 1
        if at < until:
            left.append((at, until))
    return left
