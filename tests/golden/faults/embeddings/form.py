"""Vectors in another form, or of another width."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable

from tests.golden.edits import Json, without
from tests.golden.faults.embeddings.asked import asks, each, said, values
from tests.golden.registry import Shot, embedding, fault

BASE64 = "embeddings/base64-is-honoured"
FLOAT = "embeddings/float-is-honoured"
FORM = "embeddings/unknown-form-is-refused"
DIMS = "embeddings/dimensions-are-honoured-or-refused"


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


@fault("base64-without-its-padding", caught_by=BASE64, stage="embedding", when=asks("encoding_format", "base64"))
def base64_without_its_padding(body: Json, shot: Shot) -> Json:
    """base64 comes without the signs that fill it up, as encoders for addresses leave them out (RFC 4648 3.2)."""
    return each(body, lambda _, entry: {**entry, "embedding": entry["embedding"].rstrip("=")})


@fault("floats-in-base64", caught_by=FLOAT, stage="body", when=asks("encoding_format", "float"))
def floats_in_base64(body: Json, shot: Shot) -> Json:
    """float is answered with base64."""
    return {**body, "encoding_format": "base64"}


@fault("base64-by-default", caught_by=FLOAT, stage="body", when=asks("encoding_format", None))
def base64_by_default(body: Json, shot: Shot) -> Json:
    """Where no form is named, base64 comes: the default of a client taken for that of the API."""
    return {**body, "encoding_format": "base64"} if isinstance(body, dict) else body


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
