"""The decision of a run of several endpoints; or why there is none. What fails here costs no verdict and no report."""

from __future__ import annotations

from typing import NamedTuple

from seatrial.checks.rules import REGISTRY
from seatrial.given.errors import ConfigError
from seatrial.given.said import claims
from seatrial.judging.run import JudgedRun
from seatrial.records import Decisions, OperatorClaim
from seatrial.report.decision import plain
from seatrial.report.decision.sides import contenders, decisions
from seatrial.run.writer import RunDirError
from seatrial.text import shorten, visible


class Made(NamedTuple):
    """A run's decision.

    Attributes:
        told: None where nothing was to be decided, or it could not be.
        trouble: why it could not be; empty where it could, or was not to be.
    """

    told: Decisions | None = None
    trouble: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """What the first screen says of it, a line a candidate."""
        if self.told is None:
            return (f"none: {self.trouble}",) if self.trouble else ()
        return tuple(f"{plain.head(each)}: {visible(each.why, 300)}" for each in self.told.decisions)


def probes() -> frozenset[str]:
    """The rules whose answers are counted item by item."""
    return frozenset(name for name, rule in REGISTRY.items() if rule.items is not None)


def of_run(judged: JudgedRun) -> Made:
    """Decide about the candidates of one run of several endpoints, where one of them at least was asked probes.

    One alone is enough: that the budget had no room for any of another is what its decision then says.
    """
    known = probes()
    options = judged.info.options
    if options.get("behind"):  # a gateway is no candidate to what it stands before
        return Made()
    try:
        listed = contenders(judged, str(options.get("baseline") or ""))
        if len(listed) < 2 or not any(case.items or case.rule in known for case in judged.cases):
            return Made()
        return Made(decisions(listed, _claims(judged)))
    except (ConfigError, RunDirError) as error:
        return Made(trouble=visible(str(error), 300))
    except Exception as error:  # noqa: BLE001 - a record of any origin, and what falls here is told, not raised
        return Made(trouble=f"{type(error).__name__}: {shorten(str(error))}")


def _claims(judged: JudgedRun) -> tuple[OperatorClaim, ...]:
    if not judged.info.options.get("claims"):
        return ()
    return claims.read(judged.run.path / claims.COPY, probes())
