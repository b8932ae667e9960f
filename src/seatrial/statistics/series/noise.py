"""What noise that remembers itself leaves of a mean: the long-run variance of a series.

A server's minutes resemble each other: n of them say less than n independent ones. Tests that count them as n call a
clean night a decay in up to 95 of 100 (Mann-Kendall, phi 0.95). Of three estimates the largest is taken, for each is
too small somewhere:

- the first-order autoregression, its phi corrected for its bias (Kendall 1954) and raised by two standard errors;
- the same over the means of blocks, which sees slow noise under fast noise;
- the series projected on its lowest cosines (Lazarus, Lewis, Stock and Watson, JBES 2018), which supposes no model.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COSINES = 12
FREEDOM = COSINES - 1
"""Degrees of freedom of a t statistic over such a variance."""

BLOCKS = 48
CLOSEST = 0.99
"""The largest phi that is supposed: beyond it a series is no noise about anything."""


def long_run_variance(noise: Floats) -> float:
    """n times the variance of the mean of n values, for residuals in order of time. At least 16 values are wanted."""
    centred = noise - noise.mean()
    width = max(4, len(noise) // BLOCKS)
    blocks = centred[: len(noise) // width * width].reshape(-1, width).mean(axis=1)
    return max(_autoregressive(centred), width * _autoregressive(blocks - blocks.mean()), _cosines(centred))


def memory(noise: Floats) -> float:
    """The first autocorrelation, phi, corrected for its bias; 0 where there is none, or no variance."""
    centred = noise - noise.mean()
    square = float(centred @ centred)
    if square <= 0 or len(noise) < 4:
        return 0.0
    raw = float(centred[1:] @ centred[:-1]) / square
    return min(max(raw + (2 + 4 * raw) / len(noise), 0.0), CLOSEST)


def _autoregressive(noise: Floats) -> float:
    n = len(noise)
    phi = memory(noise)
    phi = min(phi + 2 * math.sqrt(max(1 - phi * phi, 0) / n), CLOSEST)
    return float(noise @ noise) / n * (1 + phi) / (1 - phi)


def _cosines(noise: Floats) -> float:
    """Two of them are lost to what was fitted before: the mean and a trend."""
    at = (np.arange(len(noise)) + 0.5) / len(noise)
    waves = math.sqrt(2 / len(noise)) * np.cos(np.pi * np.outer(np.arange(1, COSINES + 1), at))
    seen = waves @ noise
    return float(seen @ seen) / FREEDOM
