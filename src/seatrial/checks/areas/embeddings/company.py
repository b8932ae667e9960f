"""What a vector may depend on: its own input, and nothing beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from seatrial.checks import causes
from seatrial.checks.areas.embeddings import parts
from seatrial.checks.findings import about, no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import embeddings
from seatrial.reading.embeddings import Vector
from seatrial.records import Exchange, Expect, Finding, Level

Told = dict[str, dict[str, Vector]]
"""By name of the request and by input: its vector."""

PARTS = ("one", "two", "batch")
MOVED = "what was stored in batches is not found by what is asked alone"


@rule(row="emb/4", level=Level.MUST, of=parts.COMPANY, source="OpenAPI document, input: an array is several inputs")
def batch_equals_its_parts(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Each vector of a batch is that of its input alone, of the same length and at its input's place; and two texts do
    not share one."""
    told, nothing = _told(xs)
    if nothing:
        yield nothing
        return
    alone = _alone(told)
    if shared := _shared(alone):
        so = "nothing is told from anything: every search finds all texts alike"
        where, expected = "two texts, each asked for alone", "a vector of its own for each"
        got = f"one and the same for {shared[0]} and {shared[1]}"
        yield violation(where, expected=expected, got=got, so=so, grave=True, about="two")
        return
    for text, vector in told.get("batch", {}).items():
        if text not in alone:
            yield no_evidence("the recording", expected="the input alone", got="not asked", about="batch")
            continue
        cosine, other = embeddings.cosine(vector, alone[text]), _other(text, vector, alone)
        if cosine is not None and cosine >= parts.ALIKE:
            yield from _length(vector, alone[text])
            continue
        swapped = f": it is that of input {other}" if other else ""
        where = f"batch: {parts.place(vector)}"
        expected, got = "the vector of its input alone", f"cosine {_said(cosine)} with it{swapped}"
        yield violation(
            where, expected=expected, got=got, so=MOVED, grave=True, about="batch",
            causes=(*((parts.COMPANIONS,) if _unsteady(told) else ()), *((parts.SHAPE,) if _misplaced(xs) else ()),
                    *_uneven(xs["batch"])),
        )  # fmt: skip


def _length(vector: Vector, alone: Vector) -> Iterator[Finding]:
    """A finding where a vector of a batch is longer or shorter than that of its input alone."""
    if abs(vector.norm - alone.norm) > parts.LENGTHS * alone.norm:
        so = "an index that takes the dot product ranks what came in batches above or below all else"
        where, got = f"batch: {parts.place(vector)}", f"{vector.norm:.3g}"
        yield violation(where, expected=f"a length of {alone.norm:.3g}, as alone", got=got, so=so, about="batch")


@rule(
    row="emb/13", level=Level.SHOULD, of=parts.COMPANY,
    source="OpenAPI document, CreateEmbeddingResponse, usage: the tokens of the prompt; ms-swift pull request 10094",
)  # fmt: skip
def batch_counts_no_more_than_its_parts(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A batch has no more tokens in its usage than its inputs have when each is asked for alone: padding is no text."""
    counts = {name: parts.prompt_tokens(xs[name]) for name in PARTS if name in xs}
    told = {name: count for name, count in counts.items() if count is not None}
    if len(told) < len(PARTS):
        lacking = next((name for name in PARTS if name not in told), "")
        yield no_evidence(f"{lacking}: usage.prompt_tokens", expected="a count", got="none", causes=(parts.USAGE,))
    elif told["batch"] > (apart := told["one"] + told["two"]):
        so = "accounts hold tokens that nobody sent, and more of them the less alike the texts of a batch are"
        where, expected = "batch: usage.prompt_tokens", f"{apart} at most, as of both alone"
        yield violation(where, expected=expected, got=told["batch"], so=so, about="batch")


@rule(row="emb/9", level=Level.SHOULD, of=parts.COMPANY, source="llm2vec #68: a vector by the size of its batch")
def vectors_do_not_depend_on_company(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The vector of an input is the same each time it is asked for, whatever stands beside it and wherever."""
    told, nothing = _told(xs)
    if nothing:
        yield nothing
        return
    if not {"one", "again", "company"} <= told.keys():
        yield no_evidence("the recording", expected="an input again, and beside others", got=", ".join(told))
        return
    if again := _unsteady(told):
        so = "an index that is filled twice holds two answers to one question"
        where, expected = f"again: {parts.place(told['again'][again])}", "the vector of the same request before"
        got = f"cosine {_said(embeddings.cosine(told['again'][again], told['one'][again]))} with it"
        yield violation(where, expected=expected, got=got, so=so, about="again", grave=True)
        return
    alone, batch = _alone(told), told.get("batch", {})
    for text, vector in told["company"].items():
        before = batch.get(text) or alone.get(text)
        cosine = None if before is None else embeddings.cosine(vector, before)
        if before is None or (cosine is not None and cosine >= parts.ALIKE):
            continue
        judged = embeddings.cosine(batch[text], alone[text]) if text in batch and text in alone else 1.0
        judges = (*(() if judged is not None and judged >= parts.ALIKE else (parts.BATCH,)), *_uneven(xs["company"]))
        where, expected = f"company: {parts.place(vector)}", "the vector of its input beside other ones"
        got = f"cosine {_said(cosine)} with it"
        yield violation(where, expected=expected, got=got, so=MOVED, grave=True, about="company", causes=judges)


@rule(row="emb/9", level=Level.SHOULD, of=parts.AT_ONCE, source="llm2vec #68: a vector by the size of its batch")
def vectors_do_not_depend_on_other_requests(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The vector of an input is the same for each of several requests that come at once."""
    told, nothing = _told(xs)
    if nothing:
        yield nothing
        return
    first: dict[str, Vector] = {}
    compared = False
    for name, found in told.items():
        for text, vector in found.items():
            before = first.setdefault(text, vector)
            cosine = embeddings.cosine(vector, before)
            compared = compared or before is not vector
            if cosine is None or cosine < parts.ALIKE:
                where, expected = f"{name}: {parts.place(vector)}", "the vector of the same request beside it"
                so, judges = "an index depends on who else was served", (parts.COMPANIONS + causes.SOME,)
                got = f"cosine {_said(cosine)} with it"
                yield violation(where, expected=expected, got=got, so=so, grave=True, about=name, causes=judges)
    if not compared:
        yield no_evidence("the recording", expected="one input asked for twice", got=", ".join(told) or "nothing")


@rule(
    row="emb/5", part=("one list of ids", "several lists of ids"), level=Level.SHOULD, of=parts.TOKEN_IDS,
    optional=True, source="OpenAPI document, input: array of integers, array of arrays; LangChain sends ids",
)  # fmt: skip
def token_ids_are_read_or_refused(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A list of token ids is one input, several lists are several, and their vectors are those of their ids; or they
    are refused."""
    told: Told = {}
    for name, x in xs.items():
        found, nothing = parts.vectors(x)
        wanted, given = embeddings.wanted(x), len(embeddings.vectors(x))
        if given and given != wanted:
            so = "a client that sends ids, as LangChain does, stores vectors under other texts"
            expected = f"{wanted}: a list of ids is one input"
            yield violation(
                f"{name}: data", expected=expected, got=f"{given} entries", so=so, grave=True, about=name,
                causes=(parts.SHAPE + causes.SOME,),
            )  # fmt: skip
            return
        if nothing:
            yield about(name, nothing)
            return
        told[name] = _by_input(x, found)
    alone = told.get("one", {})
    for ids, vector in told.get("several", {}).items():
        cosine = embeddings.cosine(vector, alone[ids]) if ids in alone else None
        if ids in alone and (cosine is None or cosine < parts.ALIKE):
            where, expected, got = f"several: {parts.place(vector)}", "that of the same ids alone", _said(cosine)
            judges = (parts.COMPANIONS + causes.SOME, parts.BATCH + causes.SOME)
            yield violation(
                where, expected=expected, got=f"cosine {got}", so=MOVED, grave=True, about="several", causes=judges
            )
        elif ids not in alone and any(embeddings.same(vector, other) for other in alone.values()):
            where, expected = f"several: {parts.place(vector)}", "a vector of its own ids"
            got, so = "that of other ids", "every text has the same vector"
            also = tuple(each + causes.SOME for each in (parts.WHOLE, parts.BATCH, parts.SHAPE))
            yield violation(where, expected=expected, got=got, so=so, grave=True, about="several", causes=also)


def _told(xs: Mapping[str, Exchange]) -> tuple[Told, Finding | None]:
    told: Told = {}
    for name, x in xs.items():
        found, nothing = parts.vectors(x)
        if nothing is None and (empty := next((v for v in found if not any(v.values)), None)):
            where, judges = parts.place(empty), (parts.WHOLE,)
            nothing = no_evidence(where, expected="a vector with a direction", got="zeros", causes=judges)
        if nothing is not None:
            return {}, about(name, nothing)
        told[name] = _by_input(x, found)
    return told, None


def _by_input(x: Exchange, found: list[Vector]) -> dict[str, Vector]:
    return {_key(given): vector for given, vector in zip(parts.inputs(x), found, strict=False)}


def _key(given: Any) -> str:
    return json.dumps(given, ensure_ascii=False)


def _alone(told: Told) -> dict[str, Vector]:
    """The vectors of inputs that were asked for alone, the first of each."""
    alone: dict[str, Vector] = {}
    for found in told.values():
        if len(found) == 1:
            alone = found | alone
    return alone


def _shared(alone: dict[str, Vector]) -> tuple[str, str] | None:
    """Two inputs that have the same vector, or None."""
    pairs = combinations(alone.items(), 2)
    return next(((one[0], other[0]) for one, other in pairs if embeddings.same(one[1], other[1])), None)


def _misplaced(xs: Mapping[str, Exchange]) -> bool:
    """Whether an entry of the batch says that its place is another one: the rule on the shape judges that."""
    return any(v.index != v.position for v in embeddings.vectors(xs["batch"]))


def _uneven(x: Exchange) -> tuple[str, ...]:
    """The rule whose finding it is that the vectors of one answer are not of one width; none where they are."""
    return (parts.SHAPE,) if len({len(v.values) for v in embeddings.vectors(x)}) > 1 else ()


def _unsteady(told: Told) -> str:
    """The input whose vector changed though the same request was sent again; empty where none did."""
    for text, vector in told.get("again", {}).items():
        cosine = embeddings.cosine(vector, told["one"][text]) if text in told.get("one", {}) else 1.0
        if cosine is None or cosine < parts.ALIKE:
            return text
    return ""


def _other(text: str, vector: Vector, alone: dict[str, Vector]) -> str:
    """The input whose vector stands in this one's place; empty where it is nobody's."""
    for other, theirs in alone.items():
        cosine = embeddings.cosine(vector, theirs)
        if other != text and cosine is not None and cosine >= parts.ALIKE:
            return other
    return ""


def _said(cosine: float | None) -> str:
    return "none" if cosine is None else f"{cosine:.4f}"
