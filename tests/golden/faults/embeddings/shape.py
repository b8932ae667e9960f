"""Answers without the shape of vectors."""

from __future__ import annotations

from dataclasses import replace

from tests.golden.app.embeddings import DIMENSIONS
from tests.golden.edits import Json, without
from tests.golden.faults.embeddings.asked import each, said, several, values
from tests.golden.items import Reply
from tests.golden.registry import Shot, embedding, fault

SHAPE = "embeddings/answer-has-its-shape"


@fault("embedding-index-from-one", caught_by=SHAPE, stage="embedding", when=embedding)
def embedding_index_from_one(body: Json, shot: Shot) -> Json:
    """Entries are counted from 1."""
    return each(body, lambda _, e: {**e, "index": e["index"] + 1})


@fault("vectors-nested", caught_by=SHAPE, stage="embedding", when=embedding)
def vectors_nested(body: Json, shot: Shot) -> Json:
    """Each vector is a list in a list, whatever form was asked for: one for each token, or each pooled one (llama.cpp's
    own route has it so)."""
    return each(body, lambda _, e: {**e, "embedding": [values(e)]})


@fault("vectors-as-text", caught_by=SHAPE, stage="embedding", when=embedding)
def vectors_as_text(body: Json, shot: Shot) -> Json:
    """A vector is the text of a list of numbers, whatever form was asked for."""
    return each(body, lambda _, e: {**e, "embedding": str(values(e))})


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


@fault("vectors-narrower-in-batches", caught_by=SHAPE, stage="embedding", when=several)
def vectors_narrower_in_batches(body: Json, shot: Shot) -> Json:
    """Each vector of a batch has a number less than the one before it: a buffer is cut into rows at the wrong
    places."""
    return each(body, lambda n, e: said(e, values(e)[: len(values(e)) - n]) if n else e)
