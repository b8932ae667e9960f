"""What JSON leaves open: white space, the order of keys, and how letters are spelled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.golden.items import Item, Raw, Reply
from tests.golden.registry import Shot, freedom

ORDER, TEXT = 10, 20
"""Turns: keys are ordered, and then the text is written."""

STAGES = ("reply", "events")


def _each(value: Reply | Iterator[Item], shot: Shot, change: Callable[[Any], Any], write: Callable[[Any], Any]) -> Any:
    """A reply of JSON with its value changed, or a stream with each chunk written otherwise."""
    if isinstance(value, Reply):
        return value if isinstance(value.payload, bytes) else replace(value, payload=change(value.payload))
    return _streamed(value, shot, write)


def _streamed(items: Iterator[Item], shot: Shot, write: Callable[[Any], Any]) -> Iterator[Item]:
    for item in items:
        if isinstance(item, dict):
            shot.fire()
            yield write(item)
        else:
            yield item


def _event(text: str) -> Raw:
    return Raw(f"data: {text}\n\n".encode("utf-8", "replace"))


@freedom(
    "json-with-white-space",
    of="JSON text",
    source="RFC 8259 2: insignificant white space around any token",
    stage=STAGES,
    turn=TEXT,
)
def json_with_white_space(value: Reply | Iterator[Item], shot: Shot) -> Any:
    """White space stands wherever JSON allows it, before and after the whole too."""
    spread = {"ensure_ascii": False, "separators": (" ,\t", " : ")}
    return _each(
        value,
        shot,
        lambda body: f"\r\n\t {json.dumps(body, indent=3, **spread)} \r\n".encode("utf-8", "replace"),
        lambda body: _event(f" \t{json.dumps(body, **spread)} \t"),
    )


@freedom(
    "json-with-escapes", of="JSON text", source="RFC 8259 7: any character may be escaped", stage=STAGES, turn=TEXT
)
def json_with_escapes(value: Reply | Iterator[Item], shot: Shot) -> Any:
    """Letters that are not ASCII are escaped, and so are solidus and e."""

    def escaped(body: Any) -> str:
        return json.dumps(body).replace("/", "\\/").replace("hello", "h\\u0065llo").replace("Hello", "H\\u0065llo")

    return _each(value, shot, lambda body: escaped(body).encode(), lambda body: _event(escaped(body)))


@freedom("keys-in-another-order", of="key order", source="RFC 8259 4: an object is unordered", stage=STAGES, turn=ORDER)
def keys_in_another_order(value: Reply | Iterator[Item], shot: Shot) -> Any:
    """Keys come in reverse, at every depth."""
    return _each(value, shot, _reversed, _reversed)


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    return [_reversed(each) for each in value] if isinstance(value, list) else value
