"""Stretches of time: joined, taken from each other, and how long they are together. Any unit; ends are not within."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ends = NDArray[np.int64]
Stretches = tuple[Ends, Ends]
"""When each stretch begins, and when it ends."""


def joined(stretches: Stretches) -> Stretches:
    """The same time in stretches that are in order and do not touch."""
    since, until = stretches
    there = until > since
    order = np.argsort(since[there], kind="stable")
    since, until = since[there][order], np.maximum.accumulate(until[there][order])
    first = np.flatnonzero(np.concatenate([np.ones(min(len(since), 1), np.bool_), since[1:] > until[:-1]]))
    return since[first], until[np.append(first[1:], len(since))[: len(first)] - 1]


def without(stretches: Stretches, taken: Stretches) -> Stretches:
    """What is left of some stretches where others are taken away, in order."""
    since, until = joined(stretches)
    begin, end = joined(taken)
    free_from, free_to = np.append(np.iinfo(np.int64).min, end), np.append(begin, np.iinfo(np.int64).max)
    first, last = np.searchsorted(free_to, since, side="right"), np.searchsorted(free_from, until, side="left")
    many = last - first  # of the free times, those that a stretch reaches into
    mine = np.repeat(np.arange(len(since)), many)
    free = np.arange(len(mine)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(first, many)
    return np.maximum(since[mine], free_from[free]), np.minimum(until[mine], free_to[free])
