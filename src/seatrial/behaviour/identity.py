"""P0: is this a build and a model known to be broken together?

The table holds what was found to spoil answers whatever the sampling. It speaks only where the facts are known: of a
listed model on a build that cannot be told there is no evidence either way, and the finding says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.records import Exchange, Expect, Finding, Level
from seatrial.text import shorten

IDENTITY = trait("identity", own=True)
"""What the endpoint's page says of its build and model."""


@dataclass(frozen=True, slots=True)
class KnownBad:
    """One pairing. Builds are llama.cpp's numbers; between the two nothing is said.

    Attributes:
        kinds: kinds of server it is about, as their profiles are called.
        model: pattern of the model's id, file or name.
        bad_until: the last build known to be broken.
        good_from: the first build known to hold the fix.
    """

    kinds: frozenset[str]
    model: re.Pattern[str]
    bad_until: int
    good_from: int
    what: str
    remedy: str
    source: str


TABLE = (
    KnownBad(
        kinds=frozenset({"llama.cpp"}),
        model=re.compile(r"glm[-_. ]?4[._]7[-_. ]?flash", re.IGNORECASE),
        bad_until=7779,
        good_from=7815,
        what="experts chosen by softmax instead of sigmoid: loops and poor answers",
        remedy="use a build after 2026-01-21 and a GGUF made after it (importance matrices were made again too)",
        source="llama.cpp pull 18980",
    ),
)

_BUILD = re.compile(r"\bb(\d{3,6})\b|\b(?:build|version):? ?(\d{3,6})\b(?!\.)|^(\d{3,6})\b(?!\.)")


def build_number(text: str) -> int | None:
    """The number of a llama.cpp build in its own words (``b8040-0ccbfdef3``, ``8040 (0ccbfdef3)``); None if unknown."""
    match = _BUILD.search(text)
    return int(next(group for group in match.groups() if group)) if match else None


def _names(x: Exchange, expect: Expect) -> str:
    """Every name the model goes by, one a line."""
    listed = x.json.get("data") if isinstance(x.json, dict) else None
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    mine = [item for item in items if item.get("id") == expect.model] or items
    facts: Any = expect.settings.get("facts")
    told = [*facts.values()] if isinstance(facts, dict) else []
    names = [expect.model, *(item.get("id") for item in mine), *told]
    return "\n".join(name for name in names if isinstance(name, str))


def _listed(x: Exchange, expect: Expect) -> list[KnownBad]:
    names = _names(x, expect)
    return [bad for bad in TABLE if expect.kind in bad.kinds and bad.model.search(names)]


def _build(expect: Expect) -> int | None:
    text = expect.settings.get("build")
    return build_number(text) if isinstance(text, str) else None


def _figures(evidence: Any, expect: Expect) -> dict[str, str]:
    exchanges = [evidence] if isinstance(evidence, Exchange) else list(evidence.values())
    listed = [bad for x in exchanges for bad in _listed(x, expect)]
    if not listed:
        return {"known bad builds": f"none of {len(TABLE)} on the list"}
    return {"known bad builds": "; ".join(f"{bad.source}, {bad.what}: {bad.remedy}" for bad in listed)}


@rule(
    row="P0",
    level=Level.MUST,
    of=IDENTITY,
    area="identity",
    source="table of known-bad builds; llama.cpp pull 18980",
    figures=_figures,
)
def no_known_bad_build(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The model does not run on a build known to spoil its answers."""
    told = shorten(str(expect.settings.get("build") or "not told"), 60)
    number = _build(expect)
    for bad in _listed(x, expect):
        if number is None or bad.bad_until < number < bad.good_from:
            yield no_evidence(
                "the build",
                expected=f"a build from b{bad.good_from} on ({bad.source}: {bad.what})",
                got=f"{told}: it cannot be told whether the fix is in it",
            )
        elif number <= bad.bad_until:
            yield violation(
                "the build",
                expected=f"a build from b{bad.good_from} on ({bad.source})",
                got=f"{told} with {shorten(expect.model, 80)}",
                so=f"its answers are spoilt: {bad.what}; {bad.remedy}",
            )
