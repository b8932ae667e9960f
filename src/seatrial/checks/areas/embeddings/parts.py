"""The traits of scenarios that ask for vectors, and what every rule on them asks first."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import no_evidence
from seatrial.checks.traits import trait
from seatrial.reading import embeddings, fields
from seatrial.reading.embeddings import Vector
from seatrial.records import Exchange, Finding

VECTORS = traits.VALID | trait("vectors")
"""Every request of it is a valid one for vectors."""

FORMS = VECTORS | trait("forms")
"""The same inputs as ``float`` and as ``base64``: requests of these names."""

COMPANY = VECTORS | trait("company")
"""Inputs alone (``one``, ``two``), one of them ``again``, both in a ``batch``, and beside others (``company``)."""

AT_ONCE = VECTORS | trait("vectors-at-once")
"""Two inputs asked for several times, all at once; the first of them twice before the other."""

TOKEN_IDS = trait("token-ids")
"""Lists of token ids as input: one (``one``), and several with the same one among them (``several``)."""

DIMENSIONS = trait("dimensions")
"""The same input in full width (``whole``) and with ``dimensions`` (``cut``)."""

UNKNOWN_FORM = traits.FAULTY | trait("unknown-form")
"""An ``encoding_format`` that nobody knows."""

EMPTY_TEXT = traits.FAULTY | trait("empty-text")
EMPTY_LIST = traits.FAULTY | trait("empty-list")

TOO_LONG = traits.FAULTY | trait("too-long")
"""Two texts longer than any model of vectors reads, alike in their first half and no further."""

MANY = trait("many-inputs")
"""More inputs than some servers take, and not more than the specification allows."""

TOO_MANY = traits.FAULTY | trait("too-many-inputs")
"""More inputs than the specification allows."""

ANNOUNCED = trait("long-text")
"""One long text."""

UNDECIDED = trait("undecided-model")
"""A request for vectors to a model of which nobody knows whether it gives any."""

SHAPE = causes.VECTORS
WHOLE = "embeddings/numbers-are-finite-and-not-all-zero"
USAGE = "embeddings/usage-is-of-the-prompt-alone"
BATCH = "embeddings/batch-equals-its-parts"
COMPANIONS = "embeddings/vectors-do-not-depend-on-company"

ALIKE = 0.99
"""The least cosine between two vectors of one input. Rounding moves it by what is computed beside: to 0.9995 in half
precision (FlagEmbedding #542), to 0.998 with weights of four bits (measured); two short texts are at 0.93 at most."""

LENGTHS = 0.1
"""By how much of itself the length of a vector may differ between two forms of it."""

FEWEST = 0.75
"""Tokens a word, at the least: but for a few vocabularies that have tokens of two words, each takes one or more."""


def no_object(x: Exchange) -> Finding | None:
    """Why there is no JSON object to judge, or None; that it has to be one is judged by the rule on the shape."""
    nothing = look.no_object(x)
    return nothing and replace(nothing, causes=(*nothing.causes, SHAPE, SHAPE + causes.SOME))


def vectors(x: Exchange, *, finite: bool = True) -> tuple[list[Vector], Finding | None]:
    """The vectors of an answer that can be read, as many as were asked for, in their order; or why there are none.

    What hinders reading is judged by the rule on the shape, and what is no number by that on the numbers; where
    ``finite`` is False it is read all the same.
    """
    if nothing := no_object(x):
        return [], nothing
    found, wanted = embeddings.vectors(x), embeddings.wanted(x)
    wrong = next((v for v in found if v.wrong or not v.values), None)
    if len(found) != wanted or wrong is not None:
        why = f"{len(found)} entries" if wrong is None else f"{place(wrong)}: {wrong.wrong or 'no number'}"
        causes_ = (SHAPE, SHAPE + causes.SOME)
        return [], no_evidence("data", expected=f"{wanted} vectors to judge", got=why, causes=causes_)
    if strange := next((v for v in found if finite and v.strange is not None), None):
        judges = (WHOLE, WHOLE + causes.SOME)
        got = strange.values[strange.strange or 0]
        return [], no_evidence(place(strange), expected="finite numbers to judge", got=got, causes=judges)
    return found, None


def place(vector: Vector) -> str:
    """Where a vector stands in an answer."""
    return f"data[{vector.position}].embedding"


def inputs(x: Exchange) -> list[Any]:
    """The inputs of a request, one or several; a list of token ids is one input."""
    given = fields.mapping(x.request_json).get("input")
    return given if isinstance(given, list) and embeddings.wanted(x) == len(given) and not _ids(given) else [given]


def prompt_tokens(x: Exchange) -> int | None:
    """Tokens that an answer says it has read."""
    return fields.integer(fields.mapping(fields.mapping(x.json).get("usage")).get("prompt_tokens"))


def fewest_tokens(x: Exchange) -> int:
    """How many tokens the inputs of a request are at least: one each, a share of their words, all ids."""
    given = inputs(x)
    texts = sum(len(each.split()) for each in given if isinstance(each, str))
    ids = sum(len(each) for each in given if isinstance(each, list))
    return max(embeddings.wanted(x), int(FEWEST * texts) + ids)


def words(x: Exchange) -> int:
    """Words of the longest input of a request: a common word is a token at least."""
    return max((len(each.split()) for each in inputs(x) if isinstance(each, str)), default=0)


def _ids(given: list[Any]) -> bool:
    return bool(given) and all(fields.integer(each) is not None for each in given)
