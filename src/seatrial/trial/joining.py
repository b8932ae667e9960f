"""A run that goes on with another one: what is asked again, and whose answers are joined to it.

``--rerun`` asks again what was not green in a run, ``--resume`` what a run that was cut did not come to. The answers to
all else are copied into the new run, bytes and all, so that it is judged from its own directory alone. Where the server
or what is asked of it is another than then, they are not: such cases are INCONCLUSIVE, and say what differs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from seatrial import __version__
from seatrial.behaviour.probes.talk import twins
from seatrial.given import soak
from seatrial.given.errors import ConfigError
from seatrial.given.options import Options
from seatrial.judging.run import SETTLED, JudgedRun, judge
from seatrial.kinds import profile
from seatrial.oracles import node
from seatrial.reading.fields import mapping
from seatrial.records import OWN_SUITE, Endpoint, Judgement, Planned, Sample, Settled
from seatrial.run.clocks import boot_id
from seatrial.run.directory import RunDir, located
from seatrial.run.writer import RunDirError, Writer
from seatrial.text import flat, visible
from seatrial.trial.selection import Kept, Way

ROLE = "joined"
"""The writer of what is copied."""

ARGUMENTS = "asked_with"
"""What run.json calls the arguments that :func:`asked_with` gives."""

ONLY: Mapping[str, frozenset[str]] = {
    "--seed": frozenset({"behaviour", "soak"}),
    "--budget": frozenset({"behaviour"}),
    "--policy": frozenset({"behaviour"}),
    **dict.fromkeys(("--soak", *soak.ARGUMENTS), frozenset({"soak"})),
}
"""Arguments that change what some suites ask alone."""

SERVER = ("kind", "model", "build", "template", "context", "slots")
"""What a server tells of itself that must be the same, by its name on the endpoint's page."""

AGAIN = "run all again, without it"


def _summed(given: object) -> str:
    """By which another content of a file of the operator's shows."""
    return hashlib.sha256(msgspec.json.encode(given)).hexdigest()[:16]


def asked_with(options: Options) -> dict[str, Any]:
    """The arguments that change what is asked or how an answer is read, as run.json keeps them.

    A header's value may be a secret: its name alone stands here. What the endpoint's page tells does not: model, kind,
    further fields of a body. Nor what only chooses cases, or is applied anew when they are judged: waivers, clients.

    Raises:
        ConfigError: a file of the soak cannot be read.
    """
    given = options.toolset
    tools = _summed(given.tools) if given else ""
    return {
        "--strict": options.strict,
        "--request-timeout": options.timeout_s,
        "--header": sorted(name.lower() for name in options.access.headers),
        "--api-key-env": options.access.key_env or "",
        "--tools": f"{given.source} ({tools})" if given else "",
        "--policy": _summed(options.policy.policy) if options.policy else "",
        "--seed": options.seed,
        "--budget": options.budget_s,
        "--soak": options.soak_s,
        **options.soak.arguments(),
    }


@dataclass(frozen=True)
class Before:
    """The run that this one goes on with.

    Attributes:
        option: ``--rerun`` or ``--resume``.
        given: how the operator named the run.
    """

    option: Way
    given: str
    judged: JudgedRun
    kept: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def cases(self) -> Kept:
        """What need not be asked again, for those who choose the cases."""
        return Kept(self.option, f"{self.option}={visible(self.given, 200)}", self.kept)

    @cached_property
    def judgements(self) -> dict[str, Judgement]:
        """What each case was judged on, by its name."""
        return {line.case: line for line in self.judged.lines.of(Judgement)}

    @cached_property
    def origins(self) -> dict[str, str]:
        """The run in which each case was asked, which may be one before this one."""
        return {case.case: case.of_run or self.judged.info.id for case in self.judged.cases}

    def planned(self, plans: Sequence[Planned]) -> list[Planned]:
        """The cases that are not asked again, as the plan of the new run has them."""
        return [replace(plan, of_run=self.origins[plan.case]) for plan in plans]

    def differs(self, endpoint: Endpoint, options: Options, suite: str) -> str:
        """Why the answers of an endpoint tell nothing of it as it is now; empty where they do."""
        then = self.judged.endpoints.get(endpoint.name)
        if then is None:
            return f"the page of {endpoint.name} is missing in run {self.judged.info.id}: who answered is not known"
        found = [*self._arguments(options, suite), *_server(then, endpoint)]
        if found:
            return f"{', '.join(found)}: the old answers tell nothing of it"
        if not endpoint.build and (endpoint.name in options.behind or not profile.load(endpoint.kind).engine):
            return "its build is not told, nor what runs its model: whether that is the same cannot be known"
        if not endpoint.build and not self._lives_on(endpoint.name):
            return "its build is not told, nor does the process still live: whether it is the same cannot be known"
        return ""

    def _arguments(self, options: Options, suite: str) -> list[str]:
        told = self.judged.info.options.get(ARGUMENTS)
        then = told if isinstance(told, dict) else {}
        found = [
            _changed(name, then.get(name), now)
            for name, now in asked_with(options).items()
            if suite in ONLY.get(name, {suite}) and then.get(name) != now
        ]
        version = self.judged.info.versions.get("seatrial", "")
        return found + ([_changed("Seatrial", version, __version__)] if version != __version__ else [])

    def _lives_on(self, name: str) -> bool:
        """Whether the process that was asked then is still there; False where none was seen."""
        seen = [line for line in self.judged.lines.of(Sample) if line.name == name and line.parent is None]
        if not seen or self.judged.info.boot_id != boot_id():
            return False
        try:
            state, *fields = Path(f"/proc/{seen[-1].pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        except (OSError, UnicodeDecodeError):
            return False
        return state not in {"Z", "X"} and seen[-1].incarnation.rpartition("-")[2] == fields[18]  # since when it lives


def before(options: Options, runs: Path) -> Before | None:
    """The run that the options say to go on with; None where they say none.

    Args:
        runs: the folder in which the new run is made.

    Raises:
        ConfigError: there is none, it is damaged or goes on, it asked other endpoints, or cannot be gone on with.
    """
    if not options.rerun and not options.resume:
        return None
    if options.rerun and options.resume:
        raise ConfigError("--rerun and --resume: one of them; what was cut is gone on with, then repaired")
    option: Way = "--rerun" if options.rerun else "--resume"
    given = options.rerun or options.resume
    what = f"{option}={visible(given, 200)}"
    path = located(given, runs)
    if path is None:
        raise ConfigError(f"{what}: neither a run directory nor a run in {visible(str(runs), 200)}")
    try:
        found = Before(option, given, judge(RunDir.open(path)))
    except RunDirError as error:
        raise ConfigError(f"{what}: {error}") from None
    if fault := _fault(found.judged, options):
        raise ConfigError(f"{what}: {fault}")
    stopped = {stop.name for stop in found.judged.verdict.stops if stop.silent}
    if option == "--resume" and (names := sorted(stopped.intersection(options.names))):
        raise ConfigError(f"{what}: {names[0]} stopped there, and that stands: --rerun asks all of it again")
    green = frozenset(case.case for case in found.judged.cases if case.outcome in SETTLED)
    if option == "--rerun":
        kept = frozenset(case.case for case in found.judged.cases if case.endpoint not in stopped) & green
    else:
        judged = frozenset(name for name, line in found.judgements.items() if not line.absent)
        soaked = frozenset(case.case for case in found.judged.cases if case.suite == "soak")
        kept = judged - (soaked - green)
    own = frozenset(case.case for case in found.judged.cases if case.suite == OWN_SUITE)  # it may be another test now
    return Before(option, given, found.judged, (kept & found.origins.keys()) - own)


def _fault(judged: JudgedRun, options: Options) -> str:
    """Why nobody can go on with a run; empty where one can."""
    damage = judged.run.damage
    if damage.open:
        return f"its record has no end: it goes on, or its machine went down; {AGAIN}"
    if told := damage.told():
        return f"{told[0]}; {AGAIN}"
    if not judged.cases:
        return "no suite ran there"
    asked = list(dict.fromkeys(case.endpoint for case in judged.cases))
    if not set(asked) & set(options.names):
        return f"it asked {', '.join(map(flat, asked))}, and not {', '.join(options.names)}; name one alike: NAME=URL"
    return ""


def join(run: RunDir, old: Before, plans: Sequence[Planned], now: Mapping[str, Endpoint], on: Options) -> list[str]:
    """Copy into a run what its cases were judged on in the other one, where that holds of the server as it is now.

    Args:
        plans: the cases that are not asked again.
        now: the endpoints as they are.
        on: the options of the new run.

    Returns:
        Lines for the operator: how many are joined, and why others are not.

    Raises:
        RunDirError: nothing can be written, or it is more than a run may hold.
    """
    writer = run.writer(ROLE)
    copies: dict[str, str] = {}
    of = {(plan.endpoint, plan.suite) for plan in plans}
    why = {(name, suite): old.differs(now[name], on, suite) for name, suite in of}
    told: Counter[str] = Counter()
    for plan in plans:
        line = old.judgements[plan.case]
        if absent := why[plan.endpoint, plan.suite]:
            line = Judgement(case=plan.case, endpoint=plan.endpoint, rule=plan.rule, absent=absent)
            told[f"cases of {plan.endpoint} are neither joined nor asked: {absent}"] += 1
        else:
            ids = {key: _copied(writer, name, old, copies) for key, name in line.exchanges.items()}
            expect = _renamed(line.expect, lambda name: _copied(writer, name, old, copies))
            line = replace(line, exchanges=ids, expect=expect, settled=line.settled or _settled(plan, old))
            told[f"further cases are joined from run {flat(plan.of_run)}, not asked again"] += 1
        writer.write("judgements.jsonl", line)
    writer.close()
    return [f"{'':<10} {n} {text}" for text, n in told.items()]


def _settled(plan: Planned, old: Before) -> Settled | None:
    """The outcome of a soak's case, which is judged on the whole of a load: it stands as it was judged there."""
    if plan.suite != "soak":
        return None
    case = next(case for case in old.judged.cases if case.case == plan.case)
    return Settled(outcome=case.outcome, why=case.why, figures=dict(case.figures))


def _renamed(expect: dict[str, Any], copied: Callable[[str], str]) -> dict[str, Any]:
    """What a case expects, with what is told in it by the id of an exchange told by the id of its copy."""
    settings = mapping(expect.get("settings"))
    of_node = {copied(name): said for name, said in mapping(settings.get(node.SETTING)).items()}
    twice = {
        key: {question: copied(name) for question, name in value.items()} if isinstance(value, dict) else value
        for key, value in mapping(settings.get(twins.SETTING)).items()
    }
    more = {name: value for name, value in ((node.SETTING, of_node), (twins.SETTING, twice)) if name in settings}
    return {**expect, "settings": {**settings, **more}} if more else expect


def _copied(writer: Writer, name: str, old: Before, copies: dict[str, str]) -> str:
    """An exchange of the other run, copied with its bytes the first time; its id in this one, empty of none."""
    if name not in copies and old.judged.exchange(name) is None:
        return ""
    if name not in copies:
        line = old.judged.exchanges.line(name)
        spans = [writer.store(content) for content in old.judged.run.exchange_of(line)[:2]]
        if None in spans:
            raise RunDirError(f"{old.option}: its answers are more than a run may hold; {AGAIN}")
        copies[name] = f"{ROLE}-{len(copies) + 1}"
        of_run = line.of_run or old.judged.info.id
        new = {"id": copies[name], "request": spans[0], "response": spans[1], "sums": (0, 0), "of_run": of_run}
        writer.write("exchanges.jsonl", replace(line, **new))
    return copies[name]


def _server(then: Endpoint, now: Endpoint) -> list[str]:
    """What a server tells of itself, or is told with each request, that is another now."""
    found = [
        _changed(name, getattr(then, name), getattr(now, name))
        for name in SERVER
        if getattr(then, name) != getattr(now, name)
    ]
    if then.url != now.url and not (then.embedded and now.embedded):
        found.insert(0, _changed("address", then.url, now.url))
    if then.marks != now.marks and then.model == now.model:
        found.append(f"model {flat(now.model)} of another size or file")
    if then.template_sum != now.template_sum and then.template == now.template:
        found.append("another text of its template")
    if then.extra_body != now.extra_body:
        found.append("another --extra-body")
    return found


def _changed(name: str, then: object, now: object) -> str:
    return f"{name} {_said(then)}, then {_said(now)}"


def _said(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return flat(text) or "none"
