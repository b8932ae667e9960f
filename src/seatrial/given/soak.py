"""The options of a soak, validated together: how long, in which phases, how fast, with which traffic."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seatrial.given import phases, tables, words, workload
from seatrial.given.errors import ConfigError
from seatrial.given.phases import SoakPhase
from seatrial.given.workload import Workload
from seatrial.records import Hazard, PhaseSort


class AfterStop(enum.StrEnum):
    """What a soak does once its server has stopped."""

    ABORT = "abort"
    """It drains and ends."""
    CONTINUE = "continue"
    """It goes on sending, to whoever answers there then; the embedded server is started again."""


ARGUMENTS = ("--users", "--rps", "--phases", "--workload", "--canary-every", "--slo", "--hazard")
"""Beside its length, what changes what a soak sends, or what is told of it."""

USUAL_S = 60.0
CANARY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakAsked:
    """What a soak is to be. The load generator reads the same files and names, and comes to the same phases.

    Attributes:
        seconds: of all phases together.
        rps: of the usual open phase; None: a share of what was measured.
        users: closed ones; None: as many as the server has slots.
        file: of phases; None: those that are usual for the length.
        named: the traffic as it was named; empty: the usual.
        canary_s: between two canaries.
        slo: what a good answer keeps, as it was given; empty: nothing was.
    """

    seconds: float = USUAL_S
    rps: float | None = None
    users: int | None = None
    file: Path | None = None
    named: str = ""
    canary_s: float = CANARY_S
    slo: str = ""
    hazard: Hazard = Hazard.HEAVY
    after_stop: AfterStop = AfterStop.CONTINUE

    @property
    def phases(self) -> tuple[SoakPhase, ...]:
        """The phases.

        Raises:
            ConfigError: their file cannot be read.
        """
        if self.file is not None:
            return phases.read(self.file, hazard=self.hazard)
        return phases.usual(self.seconds, hazard=self.hazard, rps=self.rps, users=self.users)

    @property
    def traffic(self) -> Workload:
        """The traffic.

        Raises:
            ConfigError: its file cannot be read.
        """
        return workload.named(self.named or workload.usual(len(self.phases)))

    def arguments(self) -> dict[str, object]:
        """What was asked for, by :data:`ARGUMENTS`, so that two soaks can be compared: of a file a sum of its content.

        Raises:
            ConfigError: a file cannot be read.
        """
        traffic = self.named or workload.usual(len(self.phases))
        named = traffic if traffic in workload.known() else tables.sum_of(Path(traffic))
        file = tables.sum_of(self.file) if self.file else ""
        told = (self.users, self.rps, file, named, self.canary_s, self.slo, self.hazard.name.lower())
        return dict(zip(ARGUMENTS, told, strict=True))

    def lacking(self) -> tuple[str, str] | None:
        """The sorts of phases that a soak of this length has not, and how long it would have to be."""
        have = {phase.sort for phase in self.phases}
        spared = set() if self.hazard >= Hazard.HEAVY else {PhaseSort.FILL}
        missing = [sort for sort in USUAL if sort not in have | spared]
        if self.file is not None or not missing:
            return None
        return f"the soak's {', '.join(missing)}", f"needs --soak={phases.length(phases.ALL_FROM_S)}"


USUAL = tuple(phase.sort for phase in phases.usual(phases.ALL_FROM_S))
"""The sorts of phases of a soak that is long enough for them."""


def asked(get: Callable[[str], Any], hazard: Hazard, max_rps: float | None) -> SoakAsked:
    """Read the options of a soak.

    Args:
        get: what was given for an option, by its name without dashes; None: nothing.
        max_rps: of all requests together; None: as many as may be.

    Raises:
        ConfigError: one line that names the option, or file, line and key, and the remedy.
    """
    file = words.file("--phases", get("phases"))
    for option in ("soak", "rps", "users"):
        if file is not None and get(option) is not None:
            raise ConfigError(f"--phases says how long and how fast each phase is: leave out --{option}")
    found = SoakAsked(
        seconds=words.duration("--soak", get("soak")) if get("soak") is not None else USUAL_S,
        rps=words.rate("--rps", get("rps")),
        users=_users(get("users")),
        file=file,
        named=get("workload") or "",
        canary_s=words.duration("--canary-every", get("canary_every")) if get("canary_every") else CANARY_S,
        slo=words.slo("--slo", get("slo")),
        hazard=hazard,
        after_stop=AfterStop(words.one_of("--after-stop", get("after_stop"), tuple(AfterStop)) or AfterStop.CONTINUE),
    )
    if found.seconds < phases.LEAST_S:
        raise ConfigError(f"--soak={get('soak')} is over before an answer comes; 1s at least")
    if found.seconds > phases.LONGEST_S:
        raise ConfigError(f"--soak={get('soak')} is longer than anybody waits; 720h (30 days) at most")
    if found.canary_s < 1:
        raise ConfigError(f"--canary-every={get('canary_every')} would be a load of its own; 1s at least")
    if get("canary_every") and found.canary_s >= found.seconds and file is None:
        raise ConfigError(f"--canary-every={get('canary_every')}: a soak of {phases.length(found.seconds)} sends none")
    if found.users is not None and not any(phase.sort in phases.CLOSED for phase in found.phases):
        needed = phases.length(phases.ALL_FROM_S)
        raise ConfigError(f"--users={found.users}: with --rps it is for --soak={needed} and longer; leave one out")
    if found.rps is not None and found.rps > phases.MOST_RPS:
        raise ConfigError(f"--rps={get('rps')}: {phases.MOST_RPS:g} requests a second at most")
    fastest = max((rate for phase in found.phases for rate in phase.rps), default=0.0)
    if max_rps is not None and fastest > max_rps:
        option = "--phases" if file is not None else "--rps"
        raise ConfigError(f"{option} wants {fastest:g} requests a second, --max-rps lets {max_rps:g} pass: change one")
    _ = found.traffic  # it is read now, before anything is begun
    return replace(found, seconds=sum(phase.seconds for phase in found.phases)) if file else found


def _users(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text[:9]) <= phases.MOST_USERS:
        raise ConfigError(f"--users={text}: a whole number, 1 to {phases.MOST_USERS}")
    return int(text)
