"""The options of a soak, validated together: how long, in which phases, how fast, with which traffic."""

from __future__ import annotations

import enum
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seatrial.given import phases, tables, words, workload
from seatrial.given.errors import ConfigError
from seatrial.given.phases import SoakPhase
from seatrial.given.workload import Workload
from seatrial.records import Hazard, PhaseSort
from seatrial.wire.listening import LOOPBACK, is_loopback, taken


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

MOST_WORKERS = 64
MASTER_PORT = 5557
"""Where the master of workers elsewhere listens, if nothing else is said: Locust's own port."""

WORKERS_S = 600
"""For so long it waits for them."""

_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._*-]+):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class CrewAsked:
    """Workers that a soak is spread over; none: it is one process.

    Attributes:
        workers: how many.
        elsewhere: they are started by somebody else, on other hosts; else we start them here.
    """

    workers: int = 0
    elsewhere: bool = False
    host: str = LOOPBACK
    port: int = MASTER_PORT

    @property
    def words(self) -> str:
        """How the load is spread, as the plan says it; empty where it is not."""
        where = "elsewhere" if self.elsewhere else "here"
        return f" over {self.workers} workers {where}" if self.workers else ""

    def told(self, key_env: str | None) -> list[str]:
        """What the operator must know to have workers elsewhere, a line each."""
        if not self.elsewhere:
            return []
        name = socket.gethostname() if self.host in {"*", "0.0.0.0", "[::]"} else self.host  # noqa: S104
        key = f"SEATRIAL_KEY_ENV={key_env} " if key_env else ""
        command = f"{key}locust -f load/locustfile.py --worker --master-host={name} --master-port={self.port}"
        lines = [f"workers    {self.workers} expected within {WORKERS_S // 60} min, each by: {command}"]
        return lines + ([open_to_all(self.host, self.port)] if not is_loopback(self.host) else [])


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
        crew: the workers that it is spread over.
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
    crew: CrewAsked = field(default_factory=CrewAsked)

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
        crew=_crew(get("workers"), get("expect_workers"), get("bind")),
    )
    if found.crew.elsewhere and max_rps is not None:
        raise ConfigError("--max-rps is kept by a file on this host, which workers elsewhere do not see: leave it out")
    if found.seconds < phases.LEAST_S:
        raise ConfigError(f"--soak={get('soak')} is over before an answer comes; 1s at least")
    if found.seconds > phases.LONGEST_S:
        raise ConfigError(f"--soak={get('soak')} is longer than anybody waits; 720h (30 days) at most")
    if found.canary_s < 1:
        raise ConfigError(f"--canary-every={get('canary_every')} would be a load of its own; 1s at least")
    if found.users is not None and not any(phase.sort in phases.CLOSED for phase in found.phases):
        needed = phases.length(phases.ALL_FROM_S)
        raise ConfigError(f"--users={found.users}: with --rps it is for --soak={needed} and longer; leave one out")
    if found.rps is not None and found.rps > phases.MOST_RPS:
        raise ConfigError(f"--rps={get('rps')}: {phases.MOST_RPS:g} requests a second at most")
    fastest = max((rate for phase in found.phases for rate in phase.rps), default=0.0)
    if max_rps is not None and fastest > max_rps:
        option = "--phases" if file is not None else "--rps"
        raise ConfigError(f"{option} wants {fastest:g} requests a second, --max-rps lets {max_rps:g} pass: change one")
    if empty := next((phase for phase in found.phases if phases.is_empty(phase)), None):
        lasts = phases.length(empty.seconds)
        raise ConfigError(f"--rps={get('rps')}: no request comes within {lasts} of it; a higher rate, or more time")
    _ = found.traffic  # it is read now, before anything is begun
    lasting = replace(found, seconds=sum(phase.seconds for phase in found.phases)) if file else found
    if get("canary_every") and found.canary_s >= lasting.seconds:
        lasts = phases.length(lasting.seconds)
        raise ConfigError(f"--canary-every={get('canary_every')}: a soak of {lasts} sends none")
    return lasting


def _users(text: str | None) -> int | None:
    if text is None:
        return None
    if not _is_whole(text, phases.MOST_USERS):
        raise ConfigError(f"--users={text}: a whole number, 1 to {phases.MOST_USERS}")
    return int(text)


def open_to_all(host: str, port: int) -> str:
    """What is to be said of a channel that others reach."""
    return (
        f"workers    the channel at {host}:{port} is open to whoever reaches it: no word on it is secret, and none is "
        "proved to be a worker's; keep it in a network of your own"
    )


def _crew(workers: str | None, expected: str | None, bind: str | None) -> CrewAsked:
    """Read ``--workers``, ``--expect-workers`` and ``--bind``.

    Raises:
        ConfigError: one line that names the option and the remedy. Also where nobody can listen there.
    """
    if workers is not None and expected is not None:
        raise ConfigError("--workers starts them here, --expect-workers waits for some elsewhere: give one of the two")
    if bind is not None and expected is None:
        raise ConfigError(
            f"--bind={bind} says where to wait for workers elsewhere: say how many with --expect-workers=N"
        )
    if workers is not None:
        return CrewAsked(_number("--workers", workers))
    if expected is None:
        return CrewAsked()
    host, port = _place(bind) if bind is not None else (LOOPBACK, MASTER_PORT)
    number = _number("--expect-workers", expected)
    if why := taken(host, port):
        raise ConfigError(f"--bind={host}:{port}: {why}")
    return CrewAsked(number, elsewhere=True, host=host, port=port)


def _number(option: str, text: str) -> int:
    if not _is_whole(text, MOST_WORKERS):
        raise ConfigError(f"{option}={text}: a whole number, 1 to {MOST_WORKERS}")
    return int(text)


def _is_whole(text: str, most: int) -> bool:
    return text.isdecimal() and len(text) < 10 and 1 <= int(text) <= most


def _place(text: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ConfigError(f"--bind={text}: an address and a port, as 192.0.2.7:5557")
    return found["host"], int(found["port"])
