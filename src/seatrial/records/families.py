"""Families of stops: every word once, in the group that says what it weighs. The sets are taken from the groups.

What each word claims stands in the table of families (``stops.state.families``).
"""

from __future__ import annotations

from typing import Literal, get_args

FamilyOfStop = Literal[
    "STOPPED",
    "RESTARTED",
    "RUNNER REPLACED",
    "IMPOSTOR",
    "OTHER MODEL",
    "TWO OWNERS",
    "DEAF",
    "FROZEN",
    "WEDGED",
]
"""A silent stop: the server is NOT READY."""
FamilyOfNotice = Literal["CLOCK STEPPED", "LOG STORM", "OTHER BUILD"]
"""It says what is worth knowing of the server or its host: neither a stop nor a lack of evidence. It weighs nothing."""
FamilyOfGap = Literal["UNOBSERVED"]
"""Nobody looked, or there was no way to look: no stop, and inconclusive."""
FamilyOfStreams = Literal[
    "STREAM STALL",
    "TRUNCATED",
    "EMPTY",
    "FAILED IN-BAND",
]
"""Told from traffic. In a suite run rules weigh the same streams, so these add no weight there."""
Family = Literal[FamilyOfStop, FamilyOfNotice, FamilyOfGap, FamilyOfStreams]

STREAMS: frozenset[Family] = frozenset(get_args(FamilyOfStreams))
NOTICES: frozenset[Family] = frozenset(get_args(FamilyOfNotice))
GAPS: frozenset[Family] = frozenset(get_args(FamilyOfGap))
NO_STOP = NOTICES | GAPS
"""Families that are no stop."""
