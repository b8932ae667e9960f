"""Text of strangers made harmless for people: nothing a terminal would obey, and no more of it than is read."""

from __future__ import annotations

from typing import Any


def visible(text: str, limit: int | None = None) -> str:
    r"""Text on one line with nothing a terminal would obey in it: escapes, control and bidi characters as ``\x1b``.

    Args:
        text: of any origin; lone surrogates are escaped too.
        limit: the most characters to return; head and tail are kept, and what was left out is counted.
    """
    if limit is not None and len(text) > limit:
        head, tail = limit * 2 // 3, limit // 3
        text = f"{text[:head]} ...({len(text) - head - tail} characters left out)... {text[-tail:]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def visible_bytes(content: bytes) -> str:
    r"""Bytes as text, as :func:`visible`; what is no UTF-8 stands as ``\xNN``."""
    return visible(content.decode("utf-8", "backslashreplace"))


def shorten(value: Any, limit: int = 200) -> str:
    """A value as a person reads it in a diagnosis: one line, bounded, control characters escaped."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except (RecursionError, ValueError):  # nested deep, or an integer of thousands of digits
        text = f"a {type(value).__name__} too large to show"
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: limit * 2])
    return text if len(text) <= limit else text[: limit - 3] + "..."
