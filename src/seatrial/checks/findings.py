"""What a rule finds: a requirement broken, a request declined, or nothing to judge."""

from __future__ import annotations

from typing import Any

import msgspec

from seatrial.records import Finding
from seatrial.text import shorten


def violation(
    where: str,
    *,
    expected: str,
    got: Any,
    so: str = "",
    grave: bool = False,
    about: str = "",
    causes: tuple[str, ...] = (),
    meanwhile: str = "",
    ignores: str = "",
) -> Finding:
    """A requirement is broken.

    Args:
        so: what it does to a client: true for this finding, whoever tries it.
        grave: FAIL whatever the level ("200 and ignored", no answer).
        about: of a rule that compares: the request whose answer is wrong.
        causes: the rules that judge the same thing where it is at home: their FAIL is the reason, and not this one.
        meanwhile: what the recorder saw of the server then.
        ignores: the parameter that was accepted and made no difference.
    """
    return Finding(
        "violation",
        where,
        expected,
        shorten(got),
        so,
        grave,
        about=about,
        causes=causes,
        meanwhile=meanwhile,
        ignores=ignores,
    )


def refusal(where: str, *, expected: str, got: Any, optional: bool = False) -> Finding:
    """The server declined honestly, with a 4xx. ``optional``: what it declined is a capability it may lack."""
    return Finding("refusal", where, expected, shorten(got), optional=optional)


def no_evidence(
    where: str, *, expected: str, got: Any, about: str = "", causes: tuple[str, ...] = (), meanwhile: str = ""
) -> Finding:
    """There is nothing to judge.

    Args:
        about: of a rule that compares: the request whose answer shows nothing.
        causes: the rules that judge what is missing.
        meanwhile: what the recorder saw of the server then.
    """
    return Finding("no-evidence", where, expected, shorten(got), about=about, causes=causes, meanwhile=meanwhile)


def about(name: str, finding: Finding) -> Finding:
    """The finding, said to be about the answer to a request of this name."""
    return msgspec.structs.replace(finding, about=name)
