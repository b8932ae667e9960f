"""Outcomes, levels, hazards, findings: the words that every room speaks."""

from __future__ import annotations

import enum
from typing import Literal

import msgspec

VERSION = 2
"""2 adds the lines threads, ask, meter, log and noted, fields of sample, probe, gpu and stop, and more families of
stops. Version 1 stays readable."""

SECOND = 1_000_000_000
"""Nanoseconds of a second: every time of a record is in nanoseconds."""

BUSY = frozenset({429, 503})
"""Statuses by which a server asks to come later: no evidence of what it would have answered."""


class Outcome(enum.StrEnum):
    """What became of a case. The only words; ARCHITECTURE.md has the table of their effects."""

    PASS = "PASS"  # noqa: S105 - a word, no password
    FAIL = "FAIL"
    ADVISORY = "ADVISORY"
    INCONCLUSIVE = "INCONCLUSIVE"
    UNSUPPORTED = "UNSUPPORTED"
    WAIVED = "WAIVED"
    NOT_EXECUTED = "NOT_EXECUTED"


class Ready(enum.StrEnum):
    """The verdict over an endpoint or a run."""

    READY = "READY"
    NOT_READY = "NOT READY"
    NOT_PROVEN = "NOT PROVEN"


class Level(enum.StrEnum):
    """How binding a rule is: the specification or an SDK crash (MUST), prose or named clients (SHOULD), or neither."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Hazard(enum.IntEnum):
    """How dangerous a request is to the server. Sent in this order; HEAVY and above hold the endpoint alone."""

    POLITE = 0
    CARELESS = 1
    HEAVY = 2
    HOSTILE = 3


class Finding(msgspec.Struct, frozen=True):
    """One diagnosis of a rule: what, where, expected, got, and what it does to a client."""

    kind: Literal["violation", "refusal", "no-evidence"]
    where: str
    expected: str
    got: str
    consequence: str = ""
    grave: bool = False  # FAIL whatever the rule's level: "200 and ignored", no answer within the deadline
    optional: bool = False  # of a refusal: of a request for an optional capability; UNSUPPORTED whatever the rule
