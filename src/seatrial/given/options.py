"""The options of a suite run, validated: what is on trial, how it is asked, how long, and what is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from seatrial.given.access import Access
from seatrial.given.soak import SoakAsked
from seatrial.given.toolset import Toolset
from seatrial.records import Depth, Hazard, Policy

Keep = Literal["all", "failures"]
"""Whose bytes a run directory keeps: those of every exchange, or where something was found or could not be judged."""

EMBEDDED = "embedded"
"""The endpoint's name where none is given: the server that the suite starts itself."""


@dataclass(frozen=True, slots=True)
class GivenPolicy:
    """A policy, and the file that it was read from, as the user would type it."""

    source: str
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of one run. Times in seconds; no ``endpoints`` means the embedded server."""

    endpoints: dict[str, str] = field(default_factory=dict)  # name -> base URL
    access: Access = field(default_factory=Access)
    model: str | None = None  # None: the only one, or the one loaded
    extra_body: dict[str, object] = field(default_factory=dict)  # merged into every valid chat request
    profile: str | None = None  # kind of server; None: it is found out
    timeout_s: float = 60.0  # deadline of a request
    wait_s: float = 0.0  # for an endpoint that does not answer yet
    hazard: Hazard = Hazard.HEAVY  # up to what is sent
    depth: Depth = Depth.SMALL  # whether the long forms of rows are asked too
    budget_s: float = 180.0  # for the behaviour probes of an endpoint
    soak_s: float = 60.0
    soak: SoakAsked = field(default_factory=SoakAsked)
    seed: int = 0  # of probes and prompts
    shuffle: int | None = None  # seed of the order within a hazard class; None: the order of the tables
    strict: bool = False  # a violated SHOULD is FAIL
    strict_known: bool = False  # a known deviation that no longer shows is exit 1
    case: tuple[str, ...] = ()  # only these rules or cases; empty: all
    clients: tuple[str, ...] = ()  # only what is judged for these; their verdict is the run's
    context: int | None = None  # tokens of the embedded server, in one slot; None: its own
    waive: Path | None = None
    toolset: Toolset | None = None  # the tools of the operator's own client
    openai_node: Path | None = None  # where the official SDK for Node is installed; None: it is not asked
    run_dir: Path | None = None  # None: a new one below reports/runs
    dry_run: bool = False
    keep_bytes: Keep = "all"  # once the run is judged
    baseline: str | None = None  # the incumbent; None: the first endpoint
    same: bool = False  # the endpoints should be one model made faster
    claims: Path | None = None  # what somebody says of an endpoint
    policy: GivenPolicy | None = None  # what the operator wants refused, and answered
    behind: dict[str, str] = field(default_factory=dict)  # gateway -> the endpoint that it stands in front of
    logs: dict[str, Path] = field(default_factory=dict)  # endpoint -> the log that its server writes
    rerun: str = ""  # the run of which only what was not green is asked again
    resume: str = ""  # the run that was cut and that this one goes on with

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the endpoints on trial, in the order they were given."""
        return tuple(self.endpoints) or (EMBEDDED,)
