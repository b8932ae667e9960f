r"""Text of strangers made harmless for people: nothing a terminal would obey, and no more of it than is read.

What is not printable (control characters, escapes, bidi marks, lone surrogates) stands as ``\x1b``, or as a blank where
a short word of a server is all that is wanted.
"""

from __future__ import annotations

import ast
import inspect
import signal
from collections.abc import Callable
from textwrap import dedent
from typing import Any

_OBEYED = (
    *range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F),
    *range(0x2066, 0x206A), *range(0xD800, 0xE000),
)  # fmt: skip
"""What a terminal or a page may obey, but for tabs and ends of lines."""

_ESCAPES = {code: chr(code).encode("unicode_escape").decode("ascii") for code in _OBEYED}


def visible(text: str, limit: int | None = None) -> str:
    r"""Text on one line, with escapes in place of what is not printable.

    Args:
        text: of any origin.
        limit: the most characters to return; head and tail are kept, and what was left out is counted.
    """
    if limit is not None and len(text) > limit:
        head, tail = limit * 2 // 3, limit // 3
        text = f"{text[:head]} ...({len(text) - head - tail} characters left out)... {text[-tail:]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def visible_parts(value: Any) -> Any:
    """A value of dicts, lists and scalars with each of its texts on one line, names too: for JSON that is printed."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible_parts(name): visible_parts(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [visible_parts(part) for part in value]
    return value


def readable(content: bytes) -> str:
    r"""Bytes as text with its lines kept; what is no UTF-8 stands as ``\xNN``."""
    text = content.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return harmless(text)


def harmless(text: str) -> str:
    r"""A text of several lines, with escapes in place of what a terminal or a page may obey."""
    return text.translate(_ESCAPES)


def shorten(value: Any, limit: int = 200) -> str:
    """Any value on one line of at most ``limit`` characters, as a finding shows it; a longer one ends in dots."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except (RecursionError, ValueError):  # nested deep, or an integer of thousands of digits
        text = f"a {type(value).__name__} too large to show"
    return _ended(visible(text[: limit * 2]), limit)


def flat(text: str, limit: int = 120) -> str:
    """A server's words on one line of at most ``limit`` characters, with blanks in place of what is not printable."""
    return _ended("".join(c if c.isprintable() else " " for c in text[: limit * 2]).strip(), limit)


def _ended(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def signal_name(number: int) -> str:
    """``SIGKILL``; ``signal 77`` for a number without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def docstring(function: Callable[..., Any]) -> str:
    """A function's docstring, from its source where Python was told to drop it (``-OO``); empty where it has none."""
    if text := inspect.getdoc(function):
        return text
    try:
        first = ast.parse(dedent(inspect.getsource(function))).body[0]
    except (OSError, SyntaxError):
        return ""
    return (ast.get_docstring(first) or "") if isinstance(first, ast.FunctionDef) else ""
