"""Which of the collected cases a run takes, in which order, and what it leaves out with its reason."""

from __future__ import annotations

import difflib
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from msgspec.structs import replace

from seatrial.behaviour.probe import probes
from seatrial.checks.areas.auth import KEYED, KEYLESS
from seatrial.checks.areas.soak.parts import CANARIED, LASTING
from seatrial.checks.areas.tools.own import OWN
from seatrial.checks.causes import ANSWERED
from seatrial.checks.rules import REGISTRY
from seatrial.checks.traits import Traits
from seatrial.clients import profile as tables
from seatrial.detectors.minutes import STEADY
from seatrial.detectors.showing import LEAST_S, needed_s
from seatrial.detectors.words import POINTS
from seatrial.given.options import Options
from seatrial.oracles import node
from seatrial.records import OWN_SUITE, Depth, Hazard, Planned
from seatrial.trial import nodejs
from seatrial.verdict.clients import is_of

SUITES = ("conformance", "behaviour", "soak")

ORDER = ("conformance", "behaviour", OWN_SUITE, "soak")
"""Order of running: the protocol is judged while the server is fresh, the soak last."""

NO_TOOLS = "--tools names none: a file of them, or a client that is known"

NO_POLICY = "no list is given: --policy"

NO_KEY = "no key is given: --api-key-env"
A_KEY = "a key is given"

LeftOut = tuple[str, str]
"""What is not tested, and why."""


Way = Literal["--rerun", "--resume"]
"""How a run goes on with another: what was not green is asked again, or what that one did not come to."""


BEHAVIOUR = "behaviour"


class Kept(NamedTuple):
    """What need not be asked again: by which option, as it was given, and the names of the cases."""

    way: Way
    option: str
    cases: frozenset[str]


@dataclass(slots=True)
class Selection:
    """What a session runs, and what it leaves out."""

    cases: list[Planned] = field(default_factory=list)
    not_tested: list[LeftOut] = field(default_factory=list)
    lacking: dict[str, str] = field(default_factory=dict)  # suites that were asked for and do not run, and why
    complaint: str = ""  # why it cannot be run: a worker cannot say it itself
    joined: list[Planned] = field(default_factory=list)  # what another run has asked, and this one does not
    spare: dict[str, tuple[str, str]] = field(default_factory=dict)  # of what is left out: endpoint and rule, by name

    @property
    def asked(self) -> dict[str, str]:
        """The suites that were asked for, and why one of them does not run; empty where it does."""
        return dict.fromkeys((case.suite for case in (*self.cases, *self.joined)), "") | self.lacking


def select(plans: Sequence[Planned], options: Options, out: Selection) -> list[int]:
    """Leave out what ``--case`` does not name, and what is not judged for the clients of ``--client``.

    Args:
        out: takes the reason, and the complaint where ``--case`` names what was not collected.

    Returns:
        The places of the plans that are left.
    """
    if not options.case and not options.clients:
        return list(range(len(plans)))
    clients = tables.named(options.clients)
    named = [
        n
        for n, plan in enumerate(plans)
        if (not options.case or any(_names(wanted, plan) for wanted in options.case))
        and (not clients or is_of(clients, plan.rule, plan.traits))
    ]
    chosen = sorted({*named, *_causes(plans, named)})
    out.complaint = _complaint(options.case, plans)
    narrowed = [option for option, given in (("--case", options.case), ("--client", options.clients)) if given]
    out.not_tested.append((f"{len(plans) - len(chosen)} other cases", " and ".join(narrowed)))
    return chosen


def spare(plans: Sequence[Planned], options: Options, out: Selection) -> list[int]:
    """Leave out what is longer than ``--depth`` asks for, and what is more hazardous than ``--hazard`` allows.

    Args:
        plans: what was asked for: named by path, and not narrowed away by ``--case`` or by pytest's own options.
        out: takes the reasons, and the suites of which nothing is left.

    Returns:
        The places of the plans that are left.
    """
    lacking = {plan.rule: lacks(plan.rule, options) for plan in plans}
    given = [n for n, plan in enumerate(plans) if lacking[plan.rule] is None]
    out.not_tested += dict.fromkeys(why for why in lacking.values() if why)
    if rows := sorted({_row(plans[n]) for n in given if plans[n].depth > options.depth}):
        out.not_tested.append((f"full forms of {len(rows)} rows", f"--depth={Depth.FULL.name.lower()}"))
    short = [n for n in given if plans[n].depth <= options.depth]
    allowed = [n for n in short if plans[n].hazard <= options.hazard]
    option = f"--hazard={options.hazard.name.lower()}"
    above = Counter(Hazard(plans[n].hazard) for n in short if plans[n].hazard > options.hazard)
    for hazard, n in above.items():
        out.not_tested.append((f"{n} {hazard.name.lower()} cases", option))
    left, asked, known = ({plans[n].suite for n in some} for some in (allowed, short, given))
    for suite in dict.fromkeys(plan.suite for plan in plans):
        if suite not in left:
            why = option if suite in asked else f"--depth={options.depth.name.lower()}"
            missing = next((what for plan in plans if plan.suite == suite and (what := lacking[plan.rule])), ("", ""))
            lack(out, suite, f"{why} allows none of its cases" if suite in known else missing[1])
    return allowed


def repeat(plans: Sequence[Planned], kept: Kept, out: Selection) -> list[int]:
    """Leave out what another run has asked and need not be asked again; under ``--rerun`` but for what a case that is
    asked hangs on.

    Args:
        out: takes them.

    Returns:
        The places of the plans that are left.
    """
    wanted = [n for n, plan in enumerate(plans) if plan.case not in kept.cases]
    left = sorted({*wanted, *(_causes(plans, wanted) if kept.way == "--rerun" else ())})
    out.joined = [free(plan) for n, plan in enumerate(plans) if n not in set(left)]
    return left


def fitting(plans: Sequence[Planned], options: Options, contexts: Mapping[str, int | None], out: Selection) -> None:
    """Plan what is made for an endpoint's context only where that is known, and short enough unless all is asked.

    Args:
        contexts: of each endpoint its context in tokens, as it announces it; None: it does not.
        out: takes what is left, and why the rest is not.
    """
    unfit: Counter[tuple[str, str]] = Counter()
    out.cases = []
    for plan in plans:
        context = contexts.get(plan.endpoint)
        if plan.within and context is None:
            unfit[plan.endpoint, "it does not tell how long its context is"] += 1
        elif context is not None and 0 < plan.within < context and options.depth < Depth.FULL:
            unfit[plan.endpoint, f"a context of {context} tokens is asked for with --depth=full"] += 1
        else:
            out.cases.append(plan)
    out.not_tested += [(f"{n} cases made for the context of {name}", why) for (name, why), n in unfit.items()]


def lacks(rule: str, options: Options) -> LeftOut | None:
    """What a rule is about that this run does not have, and why; None where it has all."""
    if _is_of(rule, OWN) and not options.toolset:
        return "your own client's tools", NO_TOOLS
    if rule == node.RULE and (why := nodejs.lacking(options.openai_node)):
        return "what the official SDK for Node makes of it", why
    if _is_of(rule, KEYED) and options.access.key is None:
        return "who is let in without your key", NO_KEY
    if _is_of(rule, KEYLESS) and options.access.key is not None:
        return "whether any key is taken", A_KEY
    return _no_policy(rule, options) or _too_short(rule, options)


def _no_policy(rule: str, options: Options) -> LeftOut | None:
    """Why a probe of the operator's own policy has nothing to ask; None of one that has, and of any other rule."""
    probe = probes().get(rule)
    if probe is None or (wanted := probe.maker.wanted) is None:
        return None
    if options.policy is None:
        return "what your own policy refuses and answers", NO_POLICY
    if not probe.maker.own(options.policy.policy):
        return f"what your own policy wants {wanted}", f"{options.policy.source} names no such question"
    return None


def _too_short(rule: str, options: Options) -> LeftOut | None:
    """What a soak of that length cannot show, and how long it would take; None where it can."""
    if _is_of(rule, CANARIED) and steady_s(options) < needed_s(options.soak.canary_s):
        return "drift of latency", f"needs {POINTS} canaries: a longer --soak or a shorter --canary-every"
    if _is_of(rule, LASTING) and options.soak_s < needed_s(LEAST_S):
        return "growth, decay, rising errors", f"needs --soak={needed_s(LEAST_S) / 60:.0f}m"
    return None


def steady_s(options: Options) -> float:
    """Seconds of a soak in which a wait can be held against an earlier one."""
    return sum(phase.seconds for phase in options.soak.phases if phase.sort in STEADY)


def _is_of(rule: str, traits: Traits) -> bool:
    return rule in REGISTRY and REGISTRY[rule].of >= traits


def _row(plan: Planned) -> str:
    """The row of the catalogue that a case stands for."""
    return REGISTRY[plan.rule].row if plan.rule in REGISTRY else plan.rule


def lack(out: Selection, suite: str, why: str) -> None:
    """Write down that a suite was asked for and does not run."""
    out.lacking[suite] = why
    out.not_tested.append((suite, why))


def nothing_left(told: Sequence[LeftOut]) -> str:
    """Why a run has nothing to ask once it is known who answers: what was left out since then, with its reason."""
    return f"no case is left that fits who answers: {'; '.join(f'{what}: {why}' for what, why in told)}"


def _causes(plans: Sequence[Planned], named: Sequence[int]) -> list[int]:
    """The cases that judge whether the named ones were answered at all: what these hang on is judged too."""
    wanted = {(plans[n].endpoint, scenario) for n in named for scenario in (plans[n].scenario, plans[n].before)}
    return [n for n, plan in enumerate(plans) if plan.rule == ANSWERED and (plan.endpoint, plan.scenario) in wanted]


def rank(plan: Planned, options: Options) -> tuple[int, int, bool, float]:
    """Suite, hazard, known killers last, then the order of the tables, or a shuffle that keeps scenarios whole."""
    suite = ORDER.index(plan.suite) if plan.suite in ORDER else len(ORDER)
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
