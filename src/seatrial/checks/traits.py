"""The words by which rules and scenarios find each other.

A scenario carries traits; a rule names those it needs (``of``) and those that keep it away (``unless``). A trait is
declared once, by :func:`trait`, as a constant of the area that needs it; those that several areas read stand here. What
nobody declared is an error where a rule is registered, and a type error in a scenario.

The transport reads two of them: what is ``chat`` and not ``faulty`` is a valid chat request, whose caps it may scale
and whose off-switch for thinking it may add.
"""

from __future__ import annotations


class Trait(str):
    """One trait. Made by :func:`trait` alone."""

    __slots__ = ("own",)
    own: bool


Traits = frozenset[Trait]

DECLARED: dict[str, Trait] = {}
"""Every trait by its word; filled by importing the modules that declare them."""

NONE: Traits = frozenset()


def trait(word: str, *, own: bool = False) -> Traits:
    """Declare a trait, and give it as a set, so that ``CHAT | trait("stream")`` is what a rule or a scenario needs.

    Args:
        own: a scenario that bears it is for the rules that name it, and for no others.

    Raises:
        ValueError: the word is declared already.
    """
    if word in DECLARED:
        raise ValueError(f"the trait {word} is declared twice")
    made = DECLARED[word] = Trait(word)
    made.own = own
    return frozenset({made})


CHAT = trait("chat")
"""A valid chat completion."""

STREAM = CHAT | trait("stream")
"""Its answer is an event stream."""

USAGE = STREAM | trait("usage")
"""A stream that was asked for its usage."""

COUNTED = CHAT | trait("counted")
"""The answer has to say its usage: every plain one, and streams asked for it."""

JSON = trait("json")
"""The answer is 200 and JSON."""

SEVERAL = trait("n")
"""More than one choice is asked for."""

FAULTY = trait("faulty")
"""A request a server has to refuse (``bad``), then one it has to answer (``good``)."""

KILLER = trait("killer")
"""This request has ended servers: sent last of its hazard."""

ANSWERS = trait("answers", own=True)
"""The answers to the questions of behaviour, as many as the budget buys."""
