"""Faults of vectors: another form, another width, another text's, or what should have been refused."""

from __future__ import annotations

import base64
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.golden import items
from tests.golden.app import embeddings
from tests.golden.app.embeddings import DIMENSIONS, identities
from tests.golden.edits import Json, failure, html, with_usage, without
from tests.golden.faults.context import crowded
from tests.golden.items import Piece, Reply
from tests.golden.registry import Call, Shot, embedding, fault
from tests.golden.validation import InsteadError, RefusedError

SHAPE = "embeddings/answer-has-its-shape"
BASE64 = "embeddings/base64-is-honoured"
FLOAT = "embeddings/float-is-honoured"
FORM = "embeddings/unknown-form-is-refused"
BATCH = "embeddings/batch-equals-its-parts"
IDS = "embeddings/token-ids-are-read-or-refused"
DIMS = "embeddings/dimensions-are-honoured-or-refused"
NUMBERS = "embeddings/numbers-are-finite-and-not-all-zero"
EMPTY_TEXT = "embeddings/empty-text-is-refused"
EMPTY_LIST = "embeddings/empty-list-is-refused"
TOO_LONG = "embeddings/text-too-long-is-refused"
MANY = "embeddings/many-inputs-are-answered-or-refused"
TOO_MANY = "embeddings/too-many-inputs-are-refused"
AT_ONCE = "embeddings/vectors-do-not-depend-on-other-requests"
COMPANY = "embeddings/vectors-do-not-depend-on-company"
UNDECIDED = "embeddings/model-without-vectors-says-so"
USAGE = "embeddings/usage-is-of-the-prompt-alone"
LONG = "embeddings/text-of-the-announced-length-is-taken"

UBATCH = 512
SPOILT = random.Random("spoilt")
OTHER = [SPOILT.gauss(0, 1) for _ in range(DIMENSIONS)]


def inputs(body: Json) -> list[Any]:
    """The inputs of a request, one or several."""
    given = body.get("input")
    return given if isinstance(given, list) and not is_ids(given) else [given]


def is_ids(given: Any) -> bool:
    return isinstance(given, list) and bool(given) and all(type(each) is int for each in given)


def asks(name: str, *values: Any) -> Callable[[Call], bool]:
    """A request for vectors that says one of these of a parameter; anything at all where none is named."""
    return lambda call: embedding(call) and (call.says(name) in values if values else call.says(name) is not None)


def with_ids(call: Call) -> bool:
    return embedding(call) and (is_ids(call.says("input")) or any(map(is_ids, inputs({"input": call.says("input")}))))


def several(call: Call) -> bool:
    return embedding(call) and isinstance(call.says("input"), list) and len(inputs({"input": call.says("input")})) > 1


def long(call: Call) -> bool:
    """One of its texts is longer than a batch that is computed at once."""
    given = inputs({"input": call.says("input")})
    return embedding(call) and any(isinstance(each, str) and len(identities(each)) > UBATCH for each in given)


def empty(call: Call) -> bool:
    return embedding(call) and call.says("input") == ""


def none(call: Call) -> bool:
    return embedding(call) and call.says("input") == []


def values(entry: Json) -> list[float]:
    """The numbers of an entry, whatever its form."""
    sent = entry["embedding"]
    if isinstance(sent, str):
        data = base64.b64decode(sent)
        return list(struct.unpack(f"<{len(data) // 4}f", data))
    return list(sent)


def said(entry: Json, numbers: list[float]) -> Json:
    """The entry with other numbers, in its form."""
    packed = base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    return {**entry, "embedding": packed if isinstance(entry["embedding"], str) else numbers}


def each(body: Json, change: Callable[[int, Json], Json]) -> Json:
    """With each entry changed."""
    return {**body, "data": [change(n, entry) for n, entry in enumerate(body["data"])]}


# shape


@fault("embedding-index-from-one", caught_by=SHAPE, stage="embedding", when=embedding)
def embedding_index_from_one(body: Json, shot: Shot) -> Json:
    """Entries are counted from 1."""
    return each(body, lambda _, e: {**e, "index": e["index"] + 1})


@fault("embeddings-reversed", caught_by=SHAPE, stage="embedding", when=several)
def embeddings_reversed(body: Json, shot: Shot) -> Json:
    """The entries of a batch come as they are done, the last one first."""
    return {**body, "data": body["data"][::-1]}


@fault("embeddings-of-the-first", caught_by=SHAPE, stage="embedding", when=several)
def embeddings_of_the_first(body: Json, shot: Shot) -> Json:
    """Of a batch the first input alone is answered."""
    return {**body, "data": body["data"][:1]}


@fault("embeddings-under-another-key", caught_by=SHAPE, stage="embedding", when=embedding)
def embeddings_under_another_key(body: Json, shot: Shot) -> Json:
    """The vectors stand bare under "embeddings", as in Ollama's own API."""
    return {**without(body, "data", "object"), "embeddings": [entry["embedding"] for entry in body["data"]]}


@fault("embeddings-in-a-bare-list", caught_by=SHAPE, stage="reply", when=embedding)
def embeddings_in_a_bare_list(reply: Reply, shot: Shot) -> Reply:
    """The answer is the list of vectors, as TEI's own route gives it."""
    told = reply.payload
    if not isinstance(told, dict) or "data" not in told:
        return reply
    return replace(reply, payload=[entry["embedding"] for entry in told["data"]])


@fault("vectors-of-null", caught_by=SHAPE, stage="embedding", when=embedding)
def vectors_of_null(body: Json, shot: Shot) -> Json:
    """Numbers that are none are written as null (llama.cpp 14812)."""
    return each(body, lambda _, e: e if isinstance(e["embedding"], str) else {**e, "embedding": [None] * DIMENSIONS})


# form


@fault("base64-ignored", caught_by=BASE64, stage="body", when=asks("encoding_format", "base64"))
def base64_ignored(body: Json, shot: Shot) -> Json:
    """base64 is answered with floats (LM Studio bug tracker 756, runpod worker-infinity-embedding 30)."""
    return without(body, "encoding_format")


def _packed(code: str) -> Callable[[int, Json], Json]:
    def change(_: int, entry: Json) -> Json:
        numbers = values(entry)
        return {**entry, "embedding": base64.b64encode(struct.pack(code.format(len(numbers)), *numbers)).decode()}

    return change


@fault("base64-of-doubles", caught_by=BASE64, stage="embedding", when=asks("encoding_format", "base64"))
def base64_of_doubles(body: Json, shot: Shot) -> Json:
    """base64 is of 64-bit floats (docs-mcp-server 469: another width than the index has)."""
    return each(body, _packed("<{}d"))


@fault("base64-highest-byte-first", caught_by=BASE64, stage="embedding", when=asks("encoding_format", "base64"))
def base64_highest_byte_first(body: Json, shot: Shot) -> Json:
    """base64 is of floats in the byte order of the network."""
    return each(body, _packed(">{}f"))


@fault("floats-in-base64", caught_by=FLOAT, stage="body", when=asks("encoding_format", "float"))
def floats_in_base64(body: Json, shot: Shot) -> Json:
    """float is answered with base64."""
    return {**body, "encoding_format": "base64"}


@fault("base64-by-default", caught_by=FLOAT, stage="body", when=asks("encoding_format", None))
def base64_by_default(body: Json, shot: Shot) -> Json:
    """Where no form is named, base64 comes: the default of a client taken for that of the API."""
    return {**body, "encoding_format": "base64"}


@fault("unknown-form-taken", caught_by=FORM, stage="body", when=embedding)
def unknown_form_taken(body: Json, shot: Shot) -> Json:
    """A form that nobody knows is answered with floats (SGLang PR 30434)."""
    return body if body.get("encoding_format") in (None, "float", "base64") else without(body, "encoding_format")


@fault("unknown-form-as-base64", caught_by=FORM, stage="body", when=embedding)
def unknown_form_as_base64(body: Json, shot: Shot) -> Json:
    """Every form but float is base64."""
    known = body.get("encoding_format") in (None, "float", "base64")
    return body if known else {**body, "encoding_format": "base64"}


@fault("dimensions-ignored", caught_by=DIMS, stage="body", when=asks("dimensions"))
def dimensions_ignored(body: Json, shot: Shot) -> Json:
    """dimensions is taken and ignored (LiteLLM passes it on unchecked)."""
    return without(body, "dimensions")


@fault("dimensions-cut-only", caught_by=DIMS, stage="embedding", when=asks("dimensions"))
def dimensions_cut_only(body: Json, shot: Shot) -> Json:
    """A shortened vector is not normalised again."""
    return each(body, lambda _, e: said(e, [0.7 * value for value in values(e)]))


# numbers


@fault("vectors-of-zeros", caught_by=NUMBERS, stage="embedding", when=embedding)
def vectors_of_zeros(body: Json, shot: Shot) -> Json:
    """Every vector is zero (a pooling that reads nothing)."""
    return each(body, lambda _, e: said(e, [0.0] * len(values(e))))


@fault("vectors-of-zeros-in-batches", caught_by=NUMBERS, stage="embedding", when=several)
def vectors_of_zeros_in_batches(body: Json, shot: Shot) -> Json:
    """All vectors of a batch but the first are zero."""
    return each(body, lambda n, e: said(e, [0.0] * len(values(e))) if n else e)


@fault("embedding-usage-of-the-first", caught_by=USAGE, stage="embedding", when=several)
def embedding_usage_of_the_first(body: Json, shot: Shot) -> Json:
    """Of a batch the tokens of the first input are counted."""
    first = inputs(shot.call.body)[0]
    read = len(first) if is_ids(first) else len(identities(first))
    return with_usage(body, prompt_tokens=lambda n: read, total_tokens=lambda n: read)


@fault("embedding-total-doubled", caught_by=USAGE, stage="embedding", when=embedding)
def embedding_total_doubled(body: Json, shot: Shot) -> Json:
    """The total holds the tokens of the prompt twice."""
    return with_usage(body, total_tokens=lambda n: 2 * n)


@fault("embedding-usage-missing", caught_by=USAGE, stage="embedding", when=embedding)
def embedding_usage_missing(body: Json, shot: Shot) -> Json:
    """An answer of vectors has no usage."""
    return without(body, "usage")


@fault("embedding-usage-of-nothing", caught_by=USAGE, stage="embedding", when=embedding)
def embedding_usage_of_nothing(body: Json, shot: Shot) -> Json:
    """Usage counts nothing (mlx servers answer zeros)."""
    return with_usage(body, prompt_tokens=lambda n: 0, total_tokens=lambda n: 0)


# company


@fault("batch-pooled", caught_by=BATCH, stage="embedding", when=several)
def batch_pooled(body: Json, shot: Shot) -> Json:
    """The texts of a batch are pooled into one another (llm2vec 68: padding that is read)."""
    columns = list(zip(*map(values, body["data"]), strict=True))
    mean = [sum(column) / len(column) for column in columns]
    return each(body, lambda _, e: said(e, [(a + b) / 2 for a, b in zip(values(e), mean, strict=True)]))


@fault("batch-crossed", caught_by=BATCH, stage="embedding", when=several)
def batch_crossed(body: Json, shot: Shot) -> Json:
    """The vectors of a batch stand under each other's index, as they were done."""
    turned = [values(e) for e in body["data"]][::-1]
    return each(body, lambda n, e: said(e, turned[n]))


@fault("vectors-by-place", caught_by=COMPANY, stage="embedding", when=several)
def vectors_by_place(body: Json, shot: Shot) -> Json:
    """The third text of a batch and those after it are read with what is left of others."""
    if len(body["data"]) < 3:
        return body
    return each(
        body, lambda n, e: said(e, [a + 0.1 * b for a, b in zip(values(e), OTHER, strict=False)]) if n > 1 else e
    )


@fault("vectors-all-alike", caught_by=BATCH, stage="embedding", when=embedding)
def vectors_all_alike(body: Json, shot: Shot) -> Json:
    """Every text has the same vector: the prompt never reaches the model (LocalAI 6257)."""
    return each(body, lambda _, e: said(e, OTHER[: len(values(e))]))


@fault("vectors-of-the-first-token", caught_by=BATCH, stage="embedding", when=embedding)
def vectors_of_the_first_token(body: Json, shot: Shot) -> Json:
    """A vector is that of the token every text begins with: pooled as a model does that looks at both sides."""
    return each(body, lambda _, e: said(e, embeddings.vector([1], len(values(e)))))


@fault("vectors-of-chance", caught_by=COMPANY, stage="embedding", when=embedding)
def vectors_of_chance(body: Json, shot: Shot) -> Json:
    """A vector is another one each time: a dropout that was left on."""
    draw = random.Random(shot.draw.random())
    return each(body, lambda _, e: said(e, [value + draw.gauss(0, 0.1) for value in values(e)]))


@fault("vectors-mixed-at-once", caught_by=AT_ONCE, stage="wire", when=embedding)
def vectors_mixed_at_once(pieces: Iterator[Piece], shot: Shot) -> Iterator[Piece]:
    """Requests that are served together read what others have left."""

    def mixed() -> Iterator[Piece]:
        told = embeddings.reply(shot.call.body, shot.truth)
        draw = random.Random(shot.draw.random())
        spoilt = each(told, lambda _, e: said(e, [value + draw.gauss(0, 0.1) for value in values(e)]))
        yield from items.whole(Reply(200, spoilt), bodiless=False, close=True)

    return crowded(pieces, shot, mixed())


@fault("ids-one-by-one", caught_by=IDS, stage="body", when=with_ids)
def ids_one_by_one(body: Json, shot: Shot) -> Json:
    """A list of token ids is taken for as many inputs."""
    return {**body, "input": [[token] for token in body["input"]]} if is_ids(body["input"]) else body


@fault("ids-not-read", caught_by=IDS, stage="body", when=with_ids)
def ids_not_read(body: Json, shot: Shot) -> Json:
    """All lists of ids are read as the same text."""
    same = [1, 2]
    return {**body, "input": same if is_ids(body["input"]) else [same for _ in body["input"]]}


# limits


@fault("empty-text-embedded", caught_by=EMPTY_TEXT, stage="body", when=empty)
def empty_text_embedded(body: Json, shot: Shot) -> Json:
    """An empty text has a vector (llama.cpp's own test wants it)."""
    return {**body, "input": "."}


@fault("empty-list-answered", caught_by=EMPTY_LIST, stage="reply", when=none)
def empty_list_answered(reply: Reply, shot: Shot) -> Reply:
    """An empty list of inputs gets an empty list of vectors."""
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    return Reply(200, {"object": "list", "data": [], "model": shot.call.says("model"), "usage": usage})


def _cut(body: Json, most: int) -> Json:
    cut = [" ".join(text.split()[:most]) if isinstance(text, str) else text for text in inputs(body)]
    return body if cut == inputs(body) else {**body, "input": cut}


@fault("long-text-cut", caught_by=TOO_LONG, stage="body", when=embedding)
def long_text_cut(body: Json, shot: Shot) -> Json:
    """A long text is cut to what the model reads, in silence (TEI with auto-truncate)."""
    return _cut(body, 4096)


@fault("long-text-cut-and-counted", caught_by=TOO_LONG, stage=("body", "embedding"), when=embedding)
def long_text_cut_and_counted(body: Json, shot: Shot) -> Json:
    """A long text is cut in silence, and usage counts all of it."""
    if "data" not in body:
        shot.scratch["words"] = sum(len(text.split()) for text in inputs(body) if isinstance(text, str))
        return _cut(body, 4096)
    if shot.scratch["words"] < 4096:
        return body
    return with_usage(body, prompt_tokens=lambda n: shot.scratch["words"], total_tokens=lambda n: shot.scratch["words"])


@fault("batch-of-32", caught_by=MANY, stage="embedding", when=several)
def batch_of_32(body: Json, shot: Shot) -> Json:
    """The inputs beyond 32 are left out."""
    return {**body, "data": body["data"][:32]} if len(body["data"]) > 32 else body


@fault("batch-of-32-only", caught_by=MANY, stage="reply", when=several)
def batch_of_32_only(reply: Reply, shot: Shot) -> Reply:
    """More than 32 inputs end in a 500."""
    return failure() if len(inputs({"input": shot.call.says("input")})) > 32 else reply


@fault("batch-of-2048", caught_by=TOO_MANY, stage="body", when=several)
def batch_of_2048(body: Json, shot: Shot) -> Json:
    """The inputs beyond 2048 are left out."""
    return {**body, "input": body["input"][:2048]} if len(body["input"]) > 2048 else body


@fault("no-embeddings-named-500", caught_by=UNDECIDED, stage="reply", when=embedding)
def no_embeddings_named_500(reply: Reply, shot: Shot) -> Reply:
    """A model without vectors answers with a 500 that says so."""
    return failure(500, "embeddings are not supported by this model")


@fault("no-embeddings-in-silence", caught_by=UNDECIDED, stage="embedding", when=embedding)
def no_embeddings_in_silence(body: Json, shot: Shot) -> Json:
    """A model without vectors answers with an empty list."""
    return {**body, "data": []}


@fault("long-text-500", caught_by=LONG, stage="reply", when=long)
def long_text_500(reply: Reply, shot: Shot) -> Reply:
    """A text longer than the physical batch ends in a 500 (llama.cpp 25293, lemonade 3591)."""
    return failure(500, "input is too large to process. increase the physical batch size (current batch size: 512)")


@fault("long-text-cut-at-512", caught_by=LONG, stage="body", when=embedding)
def long_text_cut_at_512(body: Json, shot: Shot) -> Json:
    """What the model was made for is read of a text, and not what the server announces."""
    return _cut(body, UBATCH)


@fault("long-text-refused", caught_by=LONG, stage="body", when=long)
def long_text_refused(body: Json, shot: Shot) -> Json:
    """A text within the length that is announced is refused."""
    shot.fire()
    raise RefusedError(f"an input may have {UBATCH} tokens", param="input")


# honest, and legal


@fault("ids-refused", stage="body", when=with_ids, family="honest")
def ids_refused(body: Json, shot: Shot) -> Json:
    """Token ids are refused with a 422."""
    shot.fire()
    raise RefusedError("input must be text", param="input", status=422)


@fault("dimensions-refused", stage="body", when=asks("dimensions"), family="honest")
def dimensions_refused(body: Json, shot: Shot) -> Json:
    """dimensions is refused: this model's vectors cannot be cut."""
    shot.fire()
    raise RefusedError("this model does not support matryoshka representation", param="dimensions")


@fault("many-inputs-refused", stage="body", when=several, family="honest")
def many_inputs_refused(body: Json, shot: Shot) -> Json:
    """More than 32 inputs are refused with a 422 (TEI's default)."""
    if len(body["input"]) <= 32:
        return body
    shot.fire()
    raise RefusedError("batch size exceeds the maximum allowed batch size 32", param="input", status=422)


@fault("no-embeddings-in-words", stage="body", when=embedding, family="honest")
def no_embeddings_in_words(body: Json, shot: Shot) -> Json:
    """The page of a gateway says that there is no such route."""
    shot.fire()
    raise InsteadError(html(405, "Method Not Allowed"))


@fault(
    "vectors-not-normalised",
    stage="embedding",
    when=embedding,
    family="legal",
    of="length of vectors",
    source="OpenAPI document, Embedding: nothing is said of the length of a vector",
)
def vectors_not_normalised(body: Json, shot: Shot) -> Json:
    """Vectors are as long as the model makes them."""
    return each(body, lambda _, e: said(e, [17.5 * value for value in values(e)]))


@fault(
    "vectors-rounded",
    stage="embedding",
    when=embedding,
    family="legal",
    of="digits of vectors",
    source="RFC 8259 6: precision is the writer's",
)
def vectors_rounded(body: Json, shot: Shot) -> Json:
    """Floats are written with seven digits."""
    return each(body, lambda _, e: e if isinstance(e["embedding"], str) else said(e, [round(v, 7) for v in values(e)]))


@fault(
    "vectors-stir",
    stage="embedding",
    when=several,
    family="legal",
    of="batches of vectors",
    source="llama.cpp with weights of four bits: measured",
)
def vectors_stir(body: Json, shot: Shot) -> Json:
    """In a batch vectors differ a little: weights of four bits are computed another way (cosine 0.998, measured)."""
    draw = random.Random(shot.draw.random())
    return each(body, lambda _, e: said(e, [value * (1 + draw.gauss(0, 0.06)) for value in values(e)]))


@fault(
    "embeddings-with-more",
    stage="embedding",
    when=embedding,
    family="legal",
    of="fields of vectors",
    source="OpenAPI document: no schema of an answer says additionalProperties: false",
)
def embeddings_with_more(body: Json, shot: Shot) -> Json:
    """There are more fields than the specification names, as in vLLM."""
    usage = {**body["usage"], "completion_tokens": 0, "prompt_tokens_details": None}
    return {**body, "id": "embd-1", "created": 1_760_000_000, "usage": usage}
