"""What an answer of vectors looks like: its fields, the form of its numbers, its usage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.checks import causes, look
from seatrial.checks.areas.embeddings import parts
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import embeddings, fields
from seatrial.reading.embeddings import Vector
from seatrial.records import Exchange, Expect, Finding, Level

FLOAT, BASE64 = "float", "base64"
UNFOUND = "a client looks for the vectors in data, and finds none"
QUARTER = "openai-node decodes whatever comes as base64: its vectors have a quarter of their width and mean nothing"
BY_FORM = "embeddings/base64-is-honoured"
"""The rule whose finding it is that base64 holds other numbers than come as floats."""

UNSTEADY = (parts.COMPANIONS + causes.SOME,)
UNIT = 0.01
"""How far the length of a vector may be from 1 and still be called 1."""


@rule(row="emb/1", level=Level.MUST, of=parts.VECTORS, source="OpenAPI document, CreateEmbeddingResponse, Embedding")
def answer_has_its_shape(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An answer is a list with the model's name and an entry for each input, in their order: "object": "embedding",
    its index, and a vector, all of one width."""
    if not isinstance(x.json, dict):
        got, judges = x.fault or x.json, (causes.DECODES,) if x.fault else ()
        yield violation("the body", expected="a JSON object", got=got, so=UNFOUND, causes=judges)
        return
    told = x.json
    if told.get("object") != "list":
        yield violation("object", expected='"list"', got=told.get("object", "no such key"))
    if not fields.string(told.get("model")):
        yield violation("model", expected="a name", got=told.get("model", "no such key"))
    found, wanted = embeddings.vectors(x), embeddings.wanted(x)
    if len(found) != wanted:
        got = f"{len(found)} entries" if isinstance(told.get("data"), list) else told.get("data", "no such key")
        so = "a client that goes by places stores a vector under another text, or fails"
        yield violation("data", expected=f"an array of {wanted}, an entry for each input", got=got, so=so)
    for vector in found:
        yield from _entry(x, vector)
    widths = sorted({len(v.values) for v in found if not v.wrong})
    if len(widths) > 1:
        so = "an index of one width cannot hold them"
        yield violation("data", expected="vectors of one width", got=f"widths {widths[:5]}", so=so)


@rule(
    row="emb/2",
    level=Level.MUST,
    of=parts.FORMS,
    source="OpenAPI document, encoding_format; openai-python asks for base64 by default; openai-node PR 2150",
)
def base64_is_honoured(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Asked for base64, each vector comes as base64 of 32-bit floats, lowest byte first, and they are the same numbers
    as those that come as floats."""
    packed, plain = xs.get(BASE64), xs.get(FLOAT)
    if packed is None or plain is None:
        yield no_evidence("the recording", expected="an answer in each form", got="one is missing")
        return
    if nothing := parts.no_object(packed):
        yield nothing
        return
    others = [v for v in embeddings.vectors(packed) if v.form != BASE64]
    if others:
        got = "a list of numbers" if others[0].form == FLOAT else others[0].wrong
        expected, lost = "base64, which was asked for", "encoding_format" if others[0].form == FLOAT else ""
        judges = (parts.SHAPE,) if others[0].wrong else ()
        yield violation(
            parts.place(others[0]), expected=expected, got=got, so=QUARTER, grave=True, about=BASE64, ignores=lost,
            causes=judges,
        )  # fmt: skip
        return
    if wrong := next((v for v in embeddings.vectors(packed) if v.wrong), None):
        expected, judges = "base64 of 32-bit floats", (parts.SHAPE,) if _is_torn(plain) else ()
        yield violation(parts.place(wrong), expected=expected, got=wrong.wrong, about=BASE64, causes=judges)
        return
    (left, nothing), (right, none) = parts.vectors(packed, finite=False), parts.vectors(plain)
    if nothing or none:
        yield from (each for each in (nothing, none) if each)
        return
    for a, b in zip(left, right, strict=False):
        if told := _other_numbers(a, b):
            expected, so = "the numbers that come as floats", "texts are found by one client and missed by another"
            yield violation(
                parts.place(a), expected=expected, got=told, so=so, grave=True, about=BASE64, causes=UNSTEADY
            )
            return


@rule(
    row="emb/3", part="float is honoured", level=Level.MUST, of=parts.VECTORS,
    source="OpenAPI document, encoding_format: float or base64, default float",
)  # fmt: skip
def float_is_honoured(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Asked for floats, or for no form, each vector comes as a list of numbers."""
    if fields.mapping(x.request_json).get("encoding_format", FLOAT) != FLOAT:
        return
    if nothing := parts.no_object(x):
        yield nothing
        return
    found = embeddings.vectors(x)
    if not found:
        yield no_evidence("data", expected="a vector to judge", got="none", causes=(parts.SHAPE,))
    other = next((v for v in found if v.form != FLOAT or v.wrong), None)
    if other is not None and other.form == BASE64 and not other.wrong:
        so = "a client without a decoder cannot read them"
        yield violation(parts.place(other), expected="a list of numbers", got="base64", so=so, grave=True)
    elif other is not None:
        judges = (parts.SHAPE,)
        yield no_evidence(parts.place(other), expected="a list of numbers", got=other.wrong, causes=judges)


@rule(
    row="emb/3", part="another format is refused", level=Level.MUST, of=parts.UNKNOWN_FORM, answer=False,
    source="OpenAPI document, encoding_format: enum; SGLang PR 30434",
)  # fmt: skip
def unknown_form_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A form that is neither float nor base64 is refused with a 4xx."""
    yield from look.not_refused(x, so="a client that misspells base64 decodes what is none")


@rule(
    row="emb/6", level=Level.SHOULD, of=parts.DIMENSIONS, optional=True,
    source="OpenAPI document, dimensions; OpenAI's guide to embeddings: shortened ones are normalised again",
)  # fmt: skip
def dimensions_are_honoured_or_refused(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """``dimensions`` gives vectors of that width, of length 1 where the whole ones are; or it is refused."""
    cut, whole = xs.get("cut"), xs.get("whole")
    if cut is None or whole is None:
        yield no_evidence("the recording", expected="the whole vector and a cut one", got="one is missing")
        return
    (short, nothing), (full, none) = parts.vectors(cut), parts.vectors(whole)
    if nothing or none:
        yield from (each for each in (nothing, none) if each)
        return
    asked = fields.integer(fields.mapping(cut.request_json).get("dimensions"))
    for vector in short:
        if len(vector.values) != asked:
            where, expected = f"cut: {parts.place(vector)}", f"{asked} numbers, or a 400"
            got, so = f"{len(vector.values)} numbers", "an index made for the width asked for refuses them"
            yield violation(where, expected=expected, got=got, so=so, grave=True, about="cut")
        elif all(abs(v.norm - 1) < UNIT for v in full) and not abs(vector.norm - 1) < UNIT:
            where, got = f"cut: {parts.place(vector)}", f"length {vector.norm:.3g}"
            so = "a client that takes the dot product for the cosine ranks by it wrongly"
            yield violation(where, expected="length 1, as the whole vector has", got=got, so=so, about="cut")


def _is_torn(x: Exchange) -> bool:
    """Whether vectors cannot be read of an answer in floats: the rule on the shape judges that."""
    return any(vector.wrong for vector in embeddings.vectors(x))


def _norms(evidence: Exchange | Mapping[str, Exchange], expect: Expect) -> dict[str, str]:
    """The lengths of the vectors, for whoever takes a dot product for a cosine."""
    exchanges = (
        [evidence] if isinstance(evidence, Exchange) else evidence.values() if isinstance(evidence, dict) else []
    )
    norms = [v.norm for x in exchanges for v in embeddings.vectors(x) if v.values]
    if not norms:
        return {}
    low, high = min(norms), max(norms)
    return {"length of the vectors": f"{low:.4g}" if high - low < UNIT else f"{low:.4g} to {high:.4g}"}


@rule(row="emb/7", level=Level.MAY, of=parts.VECTORS, source="llama.cpp test_embedding.py", figures=_norms)
def numbers_are_finite_and_not_all_zero(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The numbers of a vector are finite, and not all of them are 0."""
    if nothing := parts.no_object(x):
        yield nothing
        return
    found = [v for v in embeddings.vectors(x) if v.values]
    if not found:
        by = (parts.SHAPE, BY_FORM) if _asked(x) == BASE64 else (parts.SHAPE,)
        yield no_evidence("data", expected="a vector to judge", got="none", causes=by)
    for vector in found:
        strange = vector.strange
        if strange is not None:
            where, so = f"{parts.place(vector)}[{strange}]", "whatever is compared with it is as far as all else"
            judges = (BY_FORM,) if _asked(x) == BASE64 else ()
            yield violation(
                where, expected="a finite number", got=vector.values[strange], so=so, grave=True, causes=judges
            )
        elif not any(vector.values):
            so, got = "no text is near it, and none is far", f"{len(vector.values)} times 0"
            yield violation(parts.place(vector), expected="a number beside 0", got=got, so=so, grave=True)


@rule(row="emb/11", level=Level.MUST, of=parts.VECTORS, source="OpenAPI document, CreateEmbeddingResponse: usage")
def usage_is_of_the_prompt_alone(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """usage counts the tokens of all inputs, and its total is their count: none is generated."""
    if nothing := parts.no_object(x):
        yield nothing
        return
    usage = fields.mapping(x.json).get("usage")
    counts = {name: fields.integer(fields.mapping(usage).get(name)) for name in ("prompt_tokens", "total_tokens")}
    for name, count in counts.items():
        if count is None:
            got = fields.mapping(usage).get(name, "no such key") if isinstance(usage, dict) else usage
            so = "a client that adds up what it pays has nothing to add"
            yield violation(f"usage.{name}", expected="a whole number", got=got, so=so)
            return
    read, total = counts["prompt_tokens"] or 0, counts["total_tokens"]
    if read < parts.fewest_tokens(x):
        expected = f"{parts.fewest_tokens(x)} at least for all inputs: a word is a token, or nearly"
        yield violation("usage.prompt_tokens", expected=expected, got=read, so="accounts miss what was read")
    if total != read:
        expected = f"{read}, the tokens of the prompt"
        yield violation("usage.total_tokens", expected=expected, got=total, so="accounts hold what was never generated")


def _entry(x: Exchange, vector: Vector) -> Iterator[Finding]:
    """What is wrong with one entry; a form that was not asked for is judged elsewhere."""
    entry = fields.listing(fields.mapping(x.json).get("data"))[vector.position]
    where = f"data[{vector.position}]"
    if not isinstance(entry, dict):
        yield violation(where, expected="an object", got=entry)
        return
    if entry.get("object") != "embedding":
        yield violation(f"{where}.object", expected='"embedding"', got=entry.get("object", "no such key"))
    if fields.integer(vector.index) != vector.position:
        so = "a client that sorts by it, or does not, stores a vector under another text"
        got: Any = entry.get("index", "no such key")
        yield violation(f"{where}.index", expected=str(vector.position), got=got, so=so)
    if vector.wrong and not (vector.form == BASE64 and _asked(x) == BASE64):
        got = entry.get("embedding", "no such key")
        yield violation(parts.place(vector), expected="numbers", got=f"{vector.wrong}: {got}")
    elif not vector.wrong and not vector.values:
        yield violation(parts.place(vector), expected="numbers", got="none")


def _asked(x: Exchange) -> Any:
    return fields.mapping(x.request_json).get("encoding_format")


def _other_numbers(packed: Vector, plain: Vector) -> str:
    """How far two forms of one vector are from each other; empty where they are the same but for rounding."""
    if len(packed.values) != len(plain.values):
        return f"{len(packed.values)} numbers, not {len(plain.values)}"
    if not any(plain.values):
        return ""
    cosine = embeddings.cosine(packed, plain)
    if cosine is None or not cosine >= parts.ALIKE:
        near = "none" if cosine is None else f"{cosine:.4f}"
        return f"cosine {near}; first {packed.values[0]:.4g}, not {plain.values[0]:.4g}"
    if abs(packed.norm - plain.norm) > parts.LENGTHS * plain.norm:
        return f"length {packed.norm:.4g}, not {plain.norm:.4g}"
    return ""
