"""How rare a fault may be and still be found: for faults of which one is enough.

Of n independent tries each goes wrong with the chance p. At least one does with the chance 1 - (1 - p)^n, so that the
smallest p that is found with the chance c is p = 1 - (1 - c)^(1/n): for c = 0.95 about 3/n, the rule of three (Hanley
and Lippman-Hand, JAMA 1983).
"""

from __future__ import annotations

FOUND = 0.95


def smallest(n: int, found: float = FOUND) -> float:
    """The smallest rate of a fault that n tries show with a chance of ``found``.

    Raises:
        ValueError: n is less than 1, or the chance lies outside (0, 1).
    """
    if n < 1 or not 0 < found < 1:
        raise ValueError(f"no rate is found by {n} tries with a chance of {found}")
    return float(1 - (1 - found) ** (1 / n))
