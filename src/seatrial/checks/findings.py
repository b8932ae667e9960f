"""What a rule finds: a requirement broken, a request declined, or nothing to judge."""

from __future__ import annotations

from typing import Any

from seatrial.records import Finding
from seatrial.text import shorten


def violation(where: str, *, expected: str, got: Any, so: str = "", grave: bool = False) -> Finding:
    """A requirement is broken. ``grave``: FAIL whatever the level ("200 and ignored", no answer)."""
    return Finding("violation", where, expected, shorten(got), so, grave)


def refusal(where: str, *, expected: str, got: Any, optional: bool = False) -> Finding:
    """The server declined honestly, with a 4xx. ``optional``: what it declined is a capability it may lack."""
    return Finding("refusal", where, expected, shorten(got), optional=optional)


def no_evidence(where: str, *, expected: str, got: Any) -> Finding:
    """There is nothing to judge."""
    return Finding("no-evidence", where, expected, shorten(got))
