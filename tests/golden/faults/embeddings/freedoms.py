"""What is unusual and right, and what is refused honestly."""

from __future__ import annotations

import random

from tests.golden.edits import Json, html, with_usage
from tests.golden.faults.embeddings.asked import asks, each, said, several, values, with_ids
from tests.golden.registry import Shot, embedding, fault, freedom
from tests.golden.validation import InsteadError, RefusedError


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


@freedom(
    "vectors-not-normalised",
    stage="embedding",
    when=embedding,
    of="length of vectors",
    source="OpenAPI document, Embedding: nothing is said of the length of a vector",
)
def vectors_not_normalised(body: Json, shot: Shot) -> Json:
    """Vectors are as long as the model makes them."""
    return each(body, lambda _, e: said(e, [17.5 * value for value in values(e)]))


@freedom(
    "vectors-rounded",
    stage="embedding",
    when=embedding,
    of="digits of vectors",
    source="RFC 8259 6: precision is the writer's",
)
def vectors_rounded(body: Json, shot: Shot) -> Json:
    """Floats are written with seven digits."""
    return each(body, lambda _, e: e if isinstance(e["embedding"], str) else said(e, [round(v, 7) for v in values(e)]))


@freedom(
    "vectors-stir",
    stage="embedding",
    when=several,
    of="batches of vectors",
    source="llama.cpp with weights of four bits: measured",
)
def vectors_stir(body: Json, shot: Shot) -> Json:
    """In a batch vectors differ a little: weights of four bits are computed another way (cosine 0.998, measured)."""
    draw = random.Random(shot.draw.random())
    return each(body, lambda _, e: said(e, [value * (1 + draw.gauss(0, 0.06)) for value in values(e)]))


@freedom(
    "vectors-count-their-frame",
    stage="embedding",
    when=embedding,
    of="tokens of vectors",
    source="OpenAPI document, CreateEmbeddingResponse, usage: the tokens of the prompt, with those that frame a text",
)
def vectors_count_their_frame(body: Json, shot: Shot) -> Json:
    """usage counts the tokens that stand around each input, and one for the request."""
    more = 2 * len(body["data"]) + 1
    return with_usage(body, prompt_tokens=lambda n: n + more, total_tokens=lambda n: n + more)


@freedom(
    "embeddings-with-more",
    stage="embedding",
    when=embedding,
    of="fields of vectors",
    source="OpenAPI document: no schema of an answer says additionalProperties: false",
)
def embeddings_with_more(body: Json, shot: Shot) -> Json:
    """There are more fields than the specification names, as in vLLM."""
    usage = {**body["usage"], "completion_tokens": 0, "prompt_tokens_details": None}
    return {**body, "id": "embd-1", "created": 1_760_000_000, "usage": usage}
