"""Vectors that hang on other texts, other requests or chance."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.golden import items
from tests.golden.app import embeddings
from tests.golden.edits import Json
from tests.golden.faults.context import crowded
from tests.golden.faults.embeddings.asked import OTHER, each, is_ids, said, several, values, with_ids
from tests.golden.items import Piece, Reply
from tests.golden.registry import Shot, embedding, fault

BATCH = "embeddings/batch-equals-its-parts"
IDS = "embeddings/token-ids-are-read-or-refused"
AT_ONCE = "embeddings/vectors-do-not-depend-on-other-requests"
COMPANY = "embeddings/vectors-do-not-depend-on-company"


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


@fault("batch-not-normalised", caught_by=BATCH, stage="embedding", when=several)
def batch_not_normalised(body: Json, shot: Shot) -> Json:
    """A vector that is asked for alone is normalised, and those of a batch are not (dapr-agents issue 675 has it the
    other way round)."""
    return each(body, lambda _, e: said(e, [17.5 * value for value in values(e)]))


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
