"""What two verifiers say of one output, and where they may part for a reason that is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


class Output(NamedTuple):
    """One output that is held against one thing that was asked.

    Attributes:
        kind: what was asked, ``keyword``; of calls and JSON the family of the item.
        truth: what the verifiers must know.
        value: the text; of calls the list of them, each a name and its arguments; of a schema a value.
        said: the text beside calls.
        how: ``right``, ``near``, ``hostile`` or ``model``: where it comes from.
    """

    area: str
    kind: str
    truth: Any
    value: Any
    how: str
    said: str = ""


class Opinions(NamedTuple):
    """What ours and the other one say of an output: whether it is as it should be."""

    output: Output
    ours: bool
    other: bool


@dataclass(frozen=True)
class Explained:
    """A reason why the two may part.

    Attributes:
        why: in words; which of the two is right for a probe of ours.
        holds: whether it is the reason for this one; so narrow that a slip of either is not taken for it.
    """

    area: str
    kind: str
    why: str
    holds: Callable[[Opinions], bool]


class Unheard(Exception):
    """The other verifier has no word on this: it knows no such thing, or falls over it."""
