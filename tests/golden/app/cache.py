"""The prompts that were worked on: how much of a new one is known from them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import takewhile

KEPT = 64


class Prefixes:
    """Remembers the tokens of the latest prompts. One thread uses it: that of the server's loop."""

    def __init__(self) -> None:
        self._kept: deque[tuple[str, ...]] = deque(maxlen=KEPT)

    def known(self, prompt: Sequence[str]) -> int:
        """How many tokens of a prompt begin one that came before, at most all but its last; it is remembered now."""
        held = tuple(prompt)
        best = max((_common(held, before) for before in self._kept), default=0)
        self._kept.append(held)
        return min(best, len(held) - 1)


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
