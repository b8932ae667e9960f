"""Two models by the likeliest tokens that each tells with their log probabilities: how far apart are they?

Of a distribution over a whole vocabulary a server tells the head alone. :func:`divergence` takes the tokens that both
tell one by one, those that one of them tells together, and all others as one remainder. Merging outcomes never raises a
Kullback-Leibler divergence (the data processing inequality; Cover and Thomas, Elements of Information Theory, 2.8), and
what is not told of the other side is taken as it makes the divergence smallest: what comes out is a *lower bound* of
the true one. Both must be of one tokenizer. It is an alarm of damage and ranks nothing: near zero it does not go with
how well a model answers (arXiv 2606.19558).

:func:`permutation` asks whether two lots of answers to one and the same prompt are of one model, after the way of Log
Probability Tracking (arXiv 2512.03816): log probabilities are averaged token by token, and the mean distance of the two
averages is held against those of lots drawn by chance from both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

Tops = Mapping[str, float]
"""Log probabilities (natural) by token, of the likeliest tokens at one place."""

DRAWS = 2_000
LEAST = 1e-9
"""Probability of a remainder that is none by what was told: log probabilities are printed with few places."""


def divergence(first: Tops, second: Tops) -> float | None:
    """A lower bound of the Kullback-Leibler divergence of the second model from the first, in nats; None of nothing.

    Raises:
        ValueError: a log probability is not a finite number, or above 0.
    """
    _check(first)
    _check(second)
    if not first or not second:
        return None
    before, now = ({token: math.exp(value) for token, value in side.items()} for side in (first, second))
    shared = sorted(before.keys() & now.keys())
    held = math.fsum(_term(before[token], now[token]) for token in shared)
    rest, left = (max(LEAST, 1 - math.fsum(side[token] for token in shared)) for side in (before, now))
    alone = math.fsum(before[token] for token in before.keys() - now.keys())
    others = math.fsum(now[token] for token in now.keys() - before.keys())
    # What the first tells and the second does not is at most so likely there; the divergence falls up to its share.
    most = min(left - others, len(before.keys() - now.keys()) * min(now.values()))
    here = min(max(most, LEAST), left * alone / rest)
    bound = held + _term(alone, here) + _term(rest - alone, left - here)
    most = min(rest - alone, len(now.keys() - before.keys()) * min(before.values()))
    there = min(max(most, 0.0), rest * others / left)
    return max(0.0, bound, held + _term(there, others) + _term(rest - there, left - others))


def _term(p: float, q: float) -> float:
    return p * math.log(p / max(q, LEAST)) if p > 0 else 0.0


def likeliest(tops: Tops) -> str | None:
    """The likeliest token; of several that are as likely the first by its text. None of nothing."""
    return min(tops, key=lambda token: (-tops[token], token), default=None)


def permutation(first: Sequence[Tops], second: Sequence[Tops], draws: int = DRAWS, seed: int = 0) -> float:
    """The p value of "both lots of answers are of one model".

    Where an answer does not tell of a token that another does, the token is as likely there as the last that it tells.
    The value is (1 + k) / (1 + draws), k draws being as far apart: it is never 0 (Phipson and Smyth, 2010). The same on
    every machine: the generator is numpy's legacy one, whose numbers are frozen.

    Raises:
        ValueError: a lot is empty, an answer tells of no token, or a log probability is none.
    """
    if not first or not second:
        raise ValueError("no answers say nothing: there must be at least one on either side")
    both = _table([*first, *second])
    n = len(first)
    seen = _apart(both, n)
    generator, far = np.random.RandomState(seed), 0
    for _ in range(draws):
        far += bool(_apart(both[generator.permutation(len(both))], n) >= seen - 1e-12)
    return (1 + far) / (1 + draws)


def _table(answers: Sequence[Tops]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """A row an answer, a column a token."""
    for tops in answers:
        _check(tops)
        if not tops:
            raise ValueError("an answer without a token says nothing")
    tokens = sorted({token for tops in answers for token in tops})
    lowest = [min(tops.values()) for tops in answers]
    rows = [[tops.get(token, low) for token in tokens] for tops, low in zip(answers, lowest, strict=True)]
    return np.array(rows, dtype=np.float64)


def _apart(rows: np.ndarray[tuple[int, int], np.dtype[np.float64]], n: int) -> float:
    """The mean distance of the averages of the first n answers and of the others."""
    return float(np.abs(rows[:n].mean(axis=0) - rows[n:].mean(axis=0)).mean())


def _check(tops: Tops) -> None:
    if any(not math.isfinite(value) or value > 0 for value in tops.values()):
        raise ValueError("a log probability is a finite number, 0 at most")
