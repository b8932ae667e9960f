"""The words by which rules and scenarios find each other.

A scenario carries traits; a rule names those it needs (``of``) and those that keep it away (``unless``). A trait is
declared once, by :func:`trait`, as a constant of the area that needs it; those that several areas read stand here. What
nobody declared is an error where a rule is registered, and a type error in a scenario.

Whoever sends reads four of them, by :func:`is_valid_chat` and :func:`is_killer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.records import Exchange, Request, Scenario

REFUSED = 400
"""The lowest status of a refusal."""


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


VALID = trait("valid")
"""Every request of it has to be answered, but one that is named ``refused``."""

CHAT = VALID | trait("chat")
"""A valid chat completion."""

STREAM = CHAT | trait("stream")
"""Its answer is an event stream."""

USAGE = STREAM | trait("usage")
"""A stream that was asked for its usage."""

COUNTED = CHAT | trait("counted")
"""The answer has to say its usage: every plain one, and streams asked for it."""

JSON = VALID | trait("json")
"""The answer is 200 and JSON."""

SEVERAL = trait("n")
"""More than one choice is asked for."""

FAULTY = trait("faulty")
"""A request a server has to refuse (``bad``), then one it has to answer (``good``)."""

KILLER = trait("killer")
"""This request has ended servers: sent last of its hazard."""

DECLINABLE = trait("declinable")
"""A chat with a feature that a server may decline by itself: its rules alone say what a refusal means."""

ANSWERS = trait("answers", own=True)
"""The answers to the questions of behaviour, as many as the budget buys."""


WHOLE_RUN = trait("whole-run", own=True)
"""Beside its own answers, all that came from the endpoint in this run before: each by its id."""


def is_valid_chat(scenario: Scenario) -> bool:
    """Whether its requests are valid chats: then whoever sends them may scale their caps and switch thinking off."""
    return (scenario.traits >= CHAT or scenario.traits >= DECLINABLE) and not scenario.traits >= FAULTY


def due(scenario: Scenario, got: Mapping[str, Exchange]) -> Iterator[tuple[str, Request]]:
    """The requests of a scenario in order, by name; parts of a request only where it was refused.

    Args:
        got: the answers so far, to which whoever sends adds each.
    """
    yield from scenario.requests.items()
    for name, request in scenario.apart.items():
        whole = got.get(name.partition(":")[0])
        if whole is not None and whole.status is not None and whole.status >= REFUSED:
            yield name, request


def is_killer(scenario: Scenario) -> bool:
    """Whether its request has ended servers: it is sent alone, when all before it is judged."""
    return scenario.traits >= KILLER
