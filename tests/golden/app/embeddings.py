"""Embeddings of the golden server: unit vectors that depend on the tokens of one input and on nothing else."""

from __future__ import annotations

import base64
import math
import random
import struct
import zlib
from functools import lru_cache
from typing import Any

from tests.golden import answers
from tests.golden.chat import CONTEXT
from tests.golden.truth import Truth
from tests.golden.validation import MODEL, RefusedError, check_named

VOCABULARY, DIMENSIONS, MOST_INPUTS = 50_000, 64, 2048
LENGTH = CONTEXT
"""Tokens that one input may have; ``/v1/models`` tells it."""


def reply(body: Any, truth: Truth) -> dict[str, Any]:
    """The answer to a request for embeddings.

    Raises:
        RefusedError: it is not well-formed, or an input is empty or too long.
    """
    asked = _checked(body)
    inputs = _inputs(asked["input"])
    dimensions, form = asked.get("dimensions") or DIMENSIONS, asked.get("encoding_format") or "float"
    data = []
    for index, ids in enumerate(inputs):
        made = vector(ids, dimensions)
        given = base64.b64encode(struct.pack(f"<{dimensions}f", *made)).decode() if form == "base64" else made
        data.append({"object": "embedding", "index": index, "embedding": given})
    read = sum(map(len, inputs))
    truth.count("embedded", len(inputs))
    truth.count("embedded_tokens", read)
    usage = {"prompt_tokens": read, "total_tokens": read}
    return {"object": "list", "data": data, "model": MODEL, "usage": usage}


def vector(ids: list[int], dimensions: int = DIMENSIONS) -> list[float]:
    """A unit vector of 32-bit numbers: the sum of what each token stands for, cut to the dimensions asked for."""
    summed = [0.0] * DIMENSIONS
    for place, token in enumerate(ids):
        weight = 1 + 0.1 * math.cos(place)
        for n, value in enumerate(_meaning(token)):
            summed[n] += weight * value
    cut = summed[:dimensions]
    length = math.sqrt(sum(value * value for value in cut))
    return list(struct.unpack(f"<{dimensions}f", struct.pack(f"<{dimensions}f", *(value / length for value in cut))))


def identities(text: str) -> list[int]:
    """The ids of a text's tokens; the case of letters and the space before a word make no difference."""
    return [zlib.crc32(token.strip().lower().encode("utf-8", "replace")) % VOCABULARY for token in answers.tokens(text)]


@lru_cache(maxsize=4096)
def _meaning(token: int) -> tuple[float, ...]:
    draw = random.Random(f"embedding\0{token}")
    return tuple(draw.gauss(0.05, 1) for _ in range(DIMENSIONS))


def _checked(body: Any) -> dict[str, Any]:
    body, named = check_named(body)
    dimensions = body.get("dimensions")
    if dimensions is not None and (type(dimensions) is not int or not 1 <= dimensions <= DIMENSIONS):
        raise RefusedError(f"dimensions must be an integer from 1 to {DIMENSIONS}", param="dimensions")
    if body.get("encoding_format") not in (None, "float", "base64"):
        raise RefusedError('encoding_format must be "float" or "base64"', param="encoding_format")
    if body.get("input") is None:
        raise RefusedError("input is needed", param="input")
    if named != MODEL:
        missing = f"the model {named[:200]!r} does not exist"
        raise RefusedError(missing, param="model", code="model_not_found", status=404)
    return body


def _inputs(given: Any) -> list[list[int]]:
    """The ids of each input: of a text, of several, of one list of ids, or of several."""
    several = given if isinstance(given, list) and not _ids(given) else [given]
    if not 1 <= len(several) <= MOST_INPUTS:
        raise RefusedError(f"input must hold 1 to {MOST_INPUTS} inputs, not {len(several)}", param="input")
    if len({type(each) for each in several}) > 1:
        raise RefusedError("input must be texts or lists of token ids, not both", param="input")
    return [_one(each) for each in several]


def _one(each: Any) -> list[int]:
    if isinstance(each, str):
        found = identities(each)
    elif isinstance(each, list) and (_ids(each) or not each):
        found = each
    else:
        raise RefusedError("an input must be a text or a list of token ids", param="input")
    if not found or (isinstance(each, str) and not each.strip()):
        raise RefusedError("an input must not be empty", param="input")
    if any(not 0 <= token < VOCABULARY for token in found):
        raise RefusedError(f"token ids must be from 0 to {VOCABULARY - 1}", param="input")
    if len(found) > LENGTH:
        message = f"an input may have {LENGTH} tokens, and one has {len(found)}"
        raise RefusedError(message, param="input", code="context_length_exceeded")
    return found


def _ids(value: list[Any]) -> bool:
    return bool(value) and all(type(each) is int for each in value)
