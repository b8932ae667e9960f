"""Which requests ask for vectors, and the numbers of an answer."""

from __future__ import annotations

import base64
import random
import struct
from collections.abc import Callable
from typing import Any

from tests.golden.app.embeddings import DIMENSIONS, identities
from tests.golden.edits import Json
from tests.golden.registry import Call, embedding

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
