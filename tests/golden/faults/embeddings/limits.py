"""What is empty, too long or too many, and is taken, cut or fatal."""

from __future__ import annotations

from tests.golden.edits import Json, failure, with_usage
from tests.golden.faults.embeddings.asked import UBATCH, empty, inputs, long, none, several
from tests.golden.items import Reply
from tests.golden.registry import Shot, embedding, fault
from tests.golden.validation import RefusedError

EMPTY_TEXT = "embeddings/empty-text-is-refused"
EMPTY_LIST = "embeddings/empty-list-is-refused"
TOO_LONG = "embeddings/text-too-long-is-refused"
MANY = "embeddings/many-inputs-are-answered-or-refused"
TOO_MANY = "embeddings/too-many-inputs-are-refused"
UNDECIDED = "embeddings/model-without-vectors-says-so"
LONG = "embeddings/text-of-the-announced-length-is-taken"


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
