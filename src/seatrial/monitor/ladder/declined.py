"""What a server says where it declines: in which words, and when it wants to be asked again."""

from __future__ import annotations

import contextlib
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import msgspec

from seatrial.text import flat

SHOWN = 200
FIELDS = ("message", "error", "detail", "reason")
"""Where a server puts its words, of an object that may lie in another one."""


def retry_after(text: str, now: float) -> float:
    """Seconds after which a server wants to be asked again, of a Retry-After; 0 where it says none that can be read.

    Args:
        now: seconds of the wall clock, against which a date is held.
    """
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def message(said: str, status: int) -> str:
    """The server's own words, of a body in JSON or as text, which the reason phrase of the status may precede."""
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    text = said.removeprefix(phrase).strip() if phrase else said
    begin = text.find("{")
    if begin >= 0:
        with contextlib.suppress(msgspec.DecodeError, RecursionError):  # cut short, or no JSON: shown as it is
            text = _worded(msgspec.json.decode(text[begin:])) or text
    return flat(text or said, SHOWN)


def _worded(value: Any, depth: int = 3) -> str:
    """The first words in an object; empty where there are none."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not depth:
        return ""
    return next((words for name in FIELDS if (words := _worded(value.get(name), depth - 1))), "")
