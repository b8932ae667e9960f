"""Numbers and counts that are none."""

from __future__ import annotations

from tests.golden.app.embeddings import identities
from tests.golden.edits import Json, with_usage, without
from tests.golden.faults.embeddings.asked import each, inputs, is_ids, said, several, values
from tests.golden.registry import Shot, embedding, fault

NUMBERS = "embeddings/numbers-are-finite-and-not-all-zero"
COUNTS = "embeddings/batch-counts-no-more-than-its-parts"
USAGE = "embeddings/usage-is-of-the-prompt-alone"


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


@fault(
    "embedding-usage-padded",
    caught_by=COUNTS,
    stage="embedding",
    when=several,
)
def embedding_usage_padded(body: Json, shot: Shot) -> Json:
    """Each input of a batch is counted as long as the longest (ms-swift pull request 10094: padding is counted)."""
    read = [len(given) if is_ids(given) else len(identities(given)) for given in inputs(shot.call.body)]
    padded = len(read) * max(read)
    return with_usage(body, prompt_tokens=lambda n: padded, total_tokens=lambda n: padded)


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
