"""Vectors."""

import pytest
from msgspec.structs import replace

from seatrial.checks import traits
from seatrial.checks.areas.embeddings import parts
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.checks.traits import Traits
from seatrial.records import Hazard, Request, Scenario, Words
from suites.conformance.scenarios import FirstAsk, Judge, Send, embed, faulty, full, optional

SEA, SHIP, RAIN = "the sea", "a ship in the harbour", "rain over the hills"
IDS, OTHER_IDS = [2005, 3014, 4052], [1037, 2911]
"""Ids that are words in any vocabulary of more than five thousand."""

WIDTH = 32
"""Fewer numbers than any model has, and as few as models that can be cut give."""

PHYSICAL = 600
"""Words: more tokens than the batch that llama.cpp computes at once by default."""

ANY = 2**30
"""The longest context that ``embeddings-longer`` is made for: any that is told."""

BEYOND = 34_000
"""Words: more than any model of vectors reads."""


def asked(given: object, **body: object) -> Request:
    return Request(path="/embeddings", body={"model": None, "input": given, **body})


def vectors(of: Traits, **requests: Request) -> Scenario:
    """Several requests for vectors by name."""
    return optional(Scenario(requests=requests, traits=of), FirstAsk.EMBEDDINGS)


def refusable(bad: Request, of: Traits) -> Scenario:
    """A request for vectors that has to be refused, and a good one after it."""
    return faulty(bad, of=of, asked=FirstAsk.EMBEDDINGS)


def heavy(bad: Request, of: Traits) -> Scenario:
    """The same, where a server that can do it needs its time."""
    return replace(refusable(bad, of), hazard=Hazard.HEAVY, deadline_s=120)


def words(n: int) -> str:
    return "sea " * (n - 1) + "sea"


EMBEDDINGS = {
    "embeddings-asked": embed(SEA, of=parts.VECTORS),
    "embeddings-forms": vectors(
        parts.FORMS | traits.JSON,
        float=asked([SEA, SHIP], encoding_format="float"),
        base64=asked([SEA, SHIP], encoding_format="base64"),
    ),
    "embeddings-form-unknown": refusable(asked(SEA, encoding_format="base63"), parts.UNKNOWN_FORM),
    "embeddings-company": vectors(
        parts.COMPANY | traits.JSON,
        one=asked(SEA),
        two=asked([SHIP]),
        batch=asked([SEA, SHIP]),
        again=asked(SEA),
        company=asked([RAIN, SHIP, SEA]),
    ),
    "embeddings-at-once": replace(
        vectors(
            parts.AT_ONCE | traits.JSON,
            **{f"n{n}": asked(text) for n, text in enumerate((SEA, SEA, SHIP, SEA, SHIP, SHIP), 1)},
        ),
        at_once=True,
    ),
    "embeddings-ids": vectors(parts.TOKEN_IDS, one=asked(IDS), several=asked([OTHER_IDS, IDS])),
    "embeddings-dimensions": vectors(parts.DIMENSIONS, whole=asked(SEA), cut=asked(SEA, dimensions=WIDTH)),
    "embeddings-empty-text": refusable(asked(""), parts.EMPTY_TEXT),
    "embeddings-empty-list": refusable(asked([]), parts.EMPTY_LIST),
    "embeddings-too-long": heavy(asked([words(BEYOND), words(BEYOND // 2) + " stone" * (BEYOND // 2)]), parts.TOO_LONG),
    "embeddings-many": vectors(parts.MANY, only=asked(["sea"] * 33)),
    "embeddings-too-many": full(heavy(asked(["sea"] * 2049), parts.TOO_MANY)),
    "embeddings-undecided": Scenario(requests={"only": asked(SEA)}, traits=parts.UNDECIDED),
    "embeddings-long": vectors(parts.ANNOUNCED, only=asked(words(PHYSICAL))),
    "embeddings-longer": full(replace(vectors(parts.ANNOUNCED, only=asked(Words(share=0.6))), within=ANY)),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(EMBEDDINGS))
def test_embeddings(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(EMBEDDINGS[scenario]))
