"""Reading an answer that was to be JSON of a schema: what was asked for, and what its text decodes to."""

from __future__ import annotations

import json
import re
from typing import Any

from seatrial.reading.fields import mapping
from seatrial.records import Exchange

WORDS = ("true", "false", "null")
NUMBER = re.compile(r"-|\.\d*|(?:\.\d+)?[eE][+-]?\d*")
"""What is left of a number that the decoder reads a part of, or none."""

ESCAPE = re.compile(r"\\?u?[0-9a-fA-F]{0,4}")
"""What is left of an escape; the decoder stops before its backslash, or within it."""

AFTER = "more after the JSON"
"""What is said of a text that goes on behind whole JSON."""

FENCE = re.compile(r"\s*```")


def form(x: Exchange) -> dict[str, Any]:
    """The ``response_format`` of a request; empty where it has none."""
    return mapping(mapping(x.request_json).get("response_format"))


def schema(x: Exchange) -> Any:
    """The schema that a request binds its answer to; of any type, None where it names none."""
    return mapping(form(x).get("json_schema")).get("schema")


class _ConstantError(ValueError):
    pass


def _constant(name: str) -> Any:
    raise _ConstantError(f"{name} is no JSON")


def decoded(text: str) -> tuple[Any, str]:
    """(value, why it is no JSON) of a text; what is wrong is empty where nothing is."""

    try:
        return json.loads(text, parse_constant=_constant), ""
    except (ValueError, RecursionError) as error:
        return None, _told(text) or str(error)


def is_begun(text: str, *, kind: Any = None) -> bool:
    """Whether a text that was cut may have become JSON, had it gone on.

    Args:
        kind: the ``type`` that its schema names.
    """
    opens = {"object": "{", "array": "[", "string": '"'}.get(kind if isinstance(kind, str) else "", "")
    if opens and not opens.startswith(text.lstrip()[:1]):
        return False
    try:
        json.loads(text, parse_constant=_constant)
    except _ConstantError:
        return False
    except json.JSONDecodeError as error:
        return _goes_on(error.msg, text[error.pos :])
    except (ValueError, RecursionError):
        return True
    return True


def _goes_on(wrong: str, rest: str) -> bool:
    """Whether what the decoder stumbles over is the end of the text, and no fault within it."""
    if not rest.strip() or wrong.startswith("Unterminated string"):
        return True
    if wrong.startswith("Invalid \\"):
        return bool(ESCAPE.fullmatch(rest))
    return any(word.startswith(rest) for word in WORDS) or bool(NUMBER.fullmatch(rest))


def _told(text: str) -> str:
    """What a text is in place of JSON, where that is one of the usual things."""
    if not text.strip():
        return "no text" if not text else "white space alone"
    if FENCE.match(text):
        return "JSON in a fence of Markdown" if "{" in text or "[" in text else "a fence of Markdown"
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if start < 0:
        return ""
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return ""
    if text[:start].strip():
        return "words before the JSON"
    return AFTER if text[end:].strip() else ""
