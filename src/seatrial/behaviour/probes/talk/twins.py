"""What two servers are asked that should be one model made faster, and how an answer of theirs is read.

Ordinary questions at temperature 0, one at a time, with the prompt cache off where a request can say so: what is left
to chance then is the arithmetic alone. The likeliest tokens are asked for with their chances, so that where two answers
part it shows how near to each other the two words were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from seatrial.behaviour.answers import read
from seatrial.behaviour.items import Maker, ProbeItem
from seatrial.behaviour.probes.talk.questions import TALK
from seatrial.reading import chat
from seatrial.reading.fields import integer, listing, mapping, real
from seatrial.records import Exchange, Request

QUESTIONS = 64
"""So many of them tell, four times in five, a server that answers a tenth of them otherwise."""

LONGEST = 40
"""Tokens of an answer."""

LIKELIEST = 5
"""Tokens of each place that are told with their chances, where a server tells them."""

CHANCES: Mapping[str, Any] = {"logprobs": True, "top_logprobs": LIKELIEST}

SCENARIO = "same/answers"
"""The name of the scenario in the record."""

SETTING = "twins"
"""Among the settings of a case: the ids of the exchanges by question, as asked *first* and *again*; and whether they
were asked past the cache (*uncached*)."""


def _make(family: str, draw: Random) -> ProbeItem:
    return ProbeItem(family, {**TALK.make(family, draw).body, "temperature": 0, "max_tokens": LONGEST})


TWINS = Maker("twins", turn=900, families=("essay", "reason"), make=_make, tokens=LONGEST)


def asked(seed: int, number: int, *, chances: bool, uncached: Mapping[str, Any]) -> Request:
    """What is sent.

    Args:
        chances: the likeliest tokens are asked for too.
        uncached: what switches the server's prompt cache off.
    """
    made = TWINS.request(seed, number)
    return Request(body={**made.body, **uncached, **(CHANCES if chances else {})})


@dataclass(frozen=True, slots=True)
class ToldToken:
    """One token, and how far it was ahead of the next likely one, as natural logarithms; None: not told."""

    token: str
    ahead: float | None


@dataclass(frozen=True, slots=True)
class Greedy:
    """An answer at temperature 0.

    Attributes:
        text: of thought and of content.
        steps: of that text; none where no chances were told, or those of a part of it alone.
        drafted, accepted: tokens that a draft proposed, and those that were taken; 0 where it is not told.
        wrong: why it is no answer to compare; empty where it is one.
    """

    id: str
    text: str = ""
    finish: str = ""
    steps: tuple[ToldToken, ...] = ()
    drafted: int = 0
    accepted: int = 0
    wrong: str = ""


def heard(x: Exchange) -> Greedy:
    """Read one."""
    said = read(x)
    if wrong := said.silent or said.trouble:
        return Greedy(x.id, wrong=wrong)
    found = chat.answers(x).get(0)
    steps = tuple(_steps(found.logprobs)) if found is not None else ()
    if "".join(step.token for step in steps) != said.reasoning + said.content:
        steps = ()  # a token that is half a character, or chances of something else: no place can be told
    drafted, accepted = _drafts(x)
    return Greedy(x.id, said.reasoning + said.content, said.finish, steps, drafted, accepted)


def _steps(told: list[Any]) -> Iterator[ToldToken]:
    for entry in map(mapping, told):
        token, chance = entry.get("token"), real(entry.get("logprob"))
        told_ones = (each for each in map(mapping, listing(entry.get("top_logprobs"))) if each.get("token") != token)
        others = [value for each in told_ones if (value := real(each.get("logprob"))) is not None]
        ahead = chance - max(others) if chance is not None and others else None
        yield ToldToken(token if isinstance(token, str) else "", real(ahead))


def _drafts(x: Exchange) -> tuple[int, int]:
    """Tokens drafted and taken, as the last part of an answer tells that does."""
    for body in (x.json, *(chunk.json for chunk in reversed(x.chunks))):
        timings = mapping(mapping(body).get("timings"))
        if drafted := integer(timings.get("draft_n")):
            return max(drafted, 0), max(integer(timings.get("draft_n_accepted")) or 0, 0)
    return 0, 0
