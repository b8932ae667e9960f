"""Which of the collected cases a run takes, in which order, and what it leaves out with its reason."""

from __future__ import annotations

import difflib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from seatrial.given.options import Options
from seatrial.records import Hazard, Planned

SUITES = ("conformance", "behaviour", "soak")
"""Order of running: the protocol is judged while the server is fresh, the soak last."""

LeftOut = tuple[str, str]
"""What is not tested, and why."""


@dataclass(slots=True)
class Selection:
    """What a session runs, and what it leaves out."""

    cases: list[Planned] = field(default_factory=list)
    not_tested: list[LeftOut] = field(default_factory=list)
    complaint: str = ""  # why it cannot be run: a worker cannot say it itself


def select(plans: Sequence[Planned], options: Options, out: Selection) -> list[int]:
    """Leave out what is more hazardous than ``--hazard`` allows, and what ``--case`` does not name.

    Args:
        out: takes the reasons, and the complaint where ``--case`` names what was not collected.

    Returns:
        The places of the plans that are left.
    """
    allowed = [n for n, plan in enumerate(plans) if plan.hazard <= options.hazard]
    above = Counter(Hazard(plan.hazard) for plan in plans if plan.hazard > options.hazard)
    for hazard, n in above.items():
        out.not_tested.append((f"{n} {hazard.name.lower()} cases", f"--hazard={options.hazard.name.lower()}"))
    if not options.case:
        return allowed
    chosen = [n for n in allowed if any(_names(wanted, plans[n]) for wanted in options.case)]
    out.complaint = _complaint(options.case, plans)
    out.not_tested.append((f"{len(plans) - len(chosen)} other cases", "--case"))
    return chosen


def rank(plan: Planned, options: Options) -> tuple[int, int, bool, float]:
    """Suite, hazard, known killers last, then the order of the tables, or a shuffle that keeps scenarios whole."""
    suite = SUITES.index(plan.suite) if plan.suite in SUITES else len(SUITES)
    shuffled = 0.0
    if options.shuffle is not None and not plan.killer:
        shuffled = random.Random(f"{options.shuffle}/{plan.endpoint}/{plan.scenario}").random()  # noqa: S311
    return suite, plan.hazard, plan.killer, shuffled


def free(plan: Planned) -> Planned:
    """The same case, judged on what another one already sends."""
    return replace(plan, requests=0, tokens=0)


def _complaint(wanted: Sequence[str], plans: Sequence[Planned]) -> str:
    """What is wrong with --case: the first name that no collected case bears, with the nearest; empty where none is."""
    for name in wanted:
        if not any(_names(name, plan) for plan in plans):
            known = {p.rule for p in plans} | {p.case for p in plans}
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.3)
            hint = f"; nearest: {near[0]}" if near else ""
            return f"--case: no case is called {name} in what was collected{hint}"
    return ""


def _names(wanted: str, plan: Planned) -> bool:
    return wanted in {plan.rule, plan.case, plan.case.rpartition("@")[0]}
