"""What somebody says of a model or a server, as the operator writes it down: a file of ``[[claim]]`` tables.

``says`` is the claim in words, ``measure`` what it is about (bad answers of a ``probe``, tokens per second, seconds to
first word, speed ratio), ``at_least`` and ``at_most`` where it must lie. ``of`` names the endpoint, if not the
candidate; ``must = true`` keeps a candidate from production that does not bear it out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from seatrial.given import tables
from seatrial.given.errors import ConfigError
from seatrial.given.waivers import nearest
from seatrial.records import Measure, OperatorClaim
from seatrial.text import visible

COPY = "claims.toml"
"""The copy in a run directory."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    claim: tuple[OperatorClaim, ...]


def read(path: Path, probes: Collection[str]) -> tuple[OperatorClaim, ...]:
    """Read a file of claims.

    Args:
        probes: the ids of the rules whose answers can be counted.

    Raises:
        ConfigError: with file, line and key.
    """
    raw = tables.content(path)
    claims = tables.parse(raw, path, _File).claim
    for index, claim in enumerate(claims):
        if wrong := _wrong(claim, probes):
            line = tables.line_of(raw.decode("utf-8"), "claim", index, "says")
            raise ConfigError(f"{tables.shown(path)}{f' line {line}' if line else ''}: {wrong}")
    return claims


def about(claims: Iterable[OperatorClaim], endpoints: Collection[str], path: Path) -> None:
    """Check that each claim that names an endpoint names one of these; ``path`` is where they were read from.

    Raises:
        ConfigError: one does not.
    """
    for claim in claims:
        if claim.of and claim.of not in endpoints:
            whose = f'"{visible(claim.says, 120)}" is of {visible(claim.of, 80)}'
            raise ConfigError(f"{tables.shown(path)}: {whose}; the endpoints are {', '.join(endpoints)}")


def _wrong(claim: OperatorClaim, probes: Collection[str]) -> str:
    """The first thing that is wrong with one claim; empty where nothing is."""
    limits = [limit for limit in (claim.at_least, claim.at_most) if limit is not None]
    share = claim.measure is Measure.BAD_ANSWERS
    named = f"{visible(claim.probe, 120) or '(none is named)'}{nearest(claim.probe[:200] or '-', sorted(probes))}"
    faults = (
        (not limits, "a claim says where it must lie: at_least, at_most, or both"),
        (any(not math.isfinite(limit) or limit < 0 for limit in limits), "at_least and at_most are numbers from 0 on"),
        (limits != sorted(limits), "at_least lies above at_most: nothing does both"),
        (bool(claim.probe) and not share, f"probe belongs to the measure {Measure.BAD_ANSWERS}"),
        (share and any(limit > 1 for limit in limits), "a share of bad answers lies from 0 to 1: 0.02 is 2 in 100"),
        (share and claim.probe not in probes, f"no probe is called {named}"),
    )
    return next((said for wrong, said in faults if wrong), "")
