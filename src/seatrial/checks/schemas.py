"""JSON held against a JSON Schema: what of it does not fit. Nothing outside of the schema is ever read."""

from __future__ import annotations

import functools
import json
from typing import Any

import jsonschema_rs
import msgspec

MOST = 5
"""Misfits of one value that are told."""


class Misfit(msgspec.Struct, frozen=True):
    """One thing that does not fit.

    Attributes:
        where: the place in the value, as ``.city[2]``; empty at its root.
        keyword: of the schema, that says so.
        message: what is wrong, in words.
    """

    where: str
    keyword: str
    message: str


class UnreadableError(ValueError):
    """A schema cannot be read, so that nothing can be held against it."""


def misfits(schema: Any, value: Any) -> list[Misfit]:
    """What of a value does not fit a schema; nothing where it validates.

    Raises:
        UnreadableError: the schema, or the value, is none that JSON Schema knows.
    """
    found = []
    try:
        for error in _validator(json.dumps(schema)).iter_errors(value):
            path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
            at = error.schema_path
            keyword = next((str(part) for part in reversed(at) if isinstance(part, str)), "")
            found.append(Misfit(path, keyword, error.message))
            if len(found) == MOST:
                break
    except (ValueError, RecursionError) as error:
        raise UnreadableError(str(error).partition("\n")[0]) from error
    return found


def fits(schema: Any, value: Any) -> bool:
    """Whether a value validates; what cannot be held against a schema does not."""
    try:
        return not misfits(schema, value)
    except UnreadableError:
        return False


def unreadable(schema: Any) -> str:
    """Why nothing can be held against a schema; empty where something can."""
    try:
        misfits(schema, None)
    except UnreadableError as error:
        return str(error)
    return ""


@functools.lru_cache(maxsize=64)
def _validator(text: str) -> Any:
    return jsonschema_rs.Draft202012Validator(json.loads(text), validate_formats=True, retriever=_nothing)


def _nothing(uri: str) -> Any:
    raise ValueError(f"{uri[:80]} is outside of the schema")
