"""The settings of a client as text, ready to paste: the body of its table with values put in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.clients.profile import Settings

_VALUE = re.compile(r"\{([a-z_]+)\}")
_ABSENT = object()


class Code(str):
    """A value that is an expression of the client's language, and no text in it."""

    __slots__ = ()


def pasted(settings: Settings, values: Mapping[str, Any]) -> str:
    """The text that a user pastes.

    Args:
        values: by the name that the body calls them by; None, or absent: the key is left out.
    """
    body = _filled(settings.body, {name: value for name, value in values.items() if value is not None})
    if settings.form == "json":
        return json.dumps(body, indent=2, ensure_ascii=False)
    rows = (f"    {name}={value if isinstance(value, Code) else repr(value)},\n" for name, value in body.items())
    return f"{settings.call}(\n{''.join(rows)})"


def key(settings: Settings, variable: str) -> str:
    """How the key is written: by its variable, which holds it in the client's environment too, or as none."""
    if not variable:
        return settings.no_key
    said = settings.key.replace("{variable}", variable)
    return Code(said) if settings.form == "call" else said


def named(settings: Settings, value: str) -> str:
    """What a user calls the setting whose value is known by this name; the name itself where none is."""
    return next((key for key, each in _leaves(settings.body) if each == f"{{{value}}}"), value)


def _leaves(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in body.items():
        inner = value if isinstance(value, list) else [value]
        for each in inner:
            yield from _leaves(each) if isinstance(each, Mapping) else [(key, each)]


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """A piece of the body with its values; what has none is left out."""
    if isinstance(value, dict):
        pairs = ((name, _filled(each, values)) for name, each in value.items())
        return {_text(name, values): each for name, each in pairs if each is not _ABSENT}
    if isinstance(value, list):
        return [each for each in (_filled(each, values) for each in value) if each is not _ABSENT]
    if not isinstance(value, str):
        return value
    whole = _VALUE.fullmatch(value)
    return values.get(whole[1], _ABSENT) if whole else _text(value, values)


def _text(text: str, values: Mapping[str, Any]) -> str:
    """A text with values in it, as ``local/{model}``."""
    return _VALUE.sub(lambda match: str(values.get(match[1], match[0])), text)
