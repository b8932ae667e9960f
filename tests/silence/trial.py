"""The suite on trial: what each rule finds on an honest server, on each faulty one, and when it is silenced.

Each server is asked once, and only what the rules in question judge; its answers are judged again as often as needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs

from seatrial.checks.areas.soak.parts import LASTING
from seatrial.checks.catalogue import load_all
from seatrial.checks.rules import REGISTRY, Evidence, Rule
from seatrial.checks.running import run
from seatrial.judging.case import NO_MASK
from seatrial.oracles import node
from seatrial.records import Depth, Endpoint, Exchange, Expect, Finding, Outcome, SoakRun
from seatrial.servers.identity import identify, survey
from seatrial.trial.nodejs import asked
from seatrial.verdict.outcomes import outcome
from tests import nodes
from tests.golden.chat import CONTEXT, SLOTS, THOUGHT
from tests.golden.faults import FAULTS, Fault
from tests.golden.memory import Memory
from tests.golden.server import MODEL, Golden
from tests.silence.asking import Asker, Soak
from tests.silence.tables import SCENARIOS, SENT

PATIENCE_S = 60.0
HURRY_S = 3.0
"""What a faulty server gets in a soak before no answer is its answer; nothing it does right takes a tenth of that."""

FEW = 12
"""Answers of each sort asked for of a server that is always wrong: enough for a FAIL."""

STREAMS = 6
FACTOR = 16.0
"""Caps of a thinking server whose thought cannot be switched off grow by this: sixteen tokens become 256."""

BADLY = frozenset({Outcome.FAIL, Outcome.ADVISORY})
HONESTLY = frozenset({Outcome.PASS, Outcome.UNSUPPORTED})


@dataclass(frozen=True)
class Piece:
    """Evidence of one scenario, with what its rules must know of the endpoint."""

    scenario: str
    evidence: Evidence
    expect: Expect


@dataclass(frozen=True)
class Judged:
    """What a rule made of a piece."""

    rule: Rule
    scenario: str
    findings: tuple[Finding, ...]
    crash: str

    @property
    def outcome(self) -> Outcome:
        return outcome(self.rule.level, self.findings, optional=self.rule.optional, crashed=self.crash)

    def __str__(self) -> str:
        why = self.crash or "; ".join(f"{f.where}: expected {f.expected}, got {f.got}" for f in self.findings[:2])
        return f"{self.rule.id}[{self.scenario}] {self.outcome}: {why}"


Pieces = list[Piece]


def judged(rule: Rule, pieces: Iterable[Piece]) -> Iterator[Judged]:
    """A rule over every piece it applies to."""
    for piece in pieces:
        if _applies(rule, piece.scenario):
            yield Judged(rule, piece.scenario, *run(rule, piece.evidence, _with_node(rule, piece)))


def _with_node(rule: Rule, piece: Piece) -> Expect:
    """What a rule must know of the endpoint; of the one that asks the SDK for Node, what that makes of the answers."""
    if rule.id != node.RULE or isinstance(piece.evidence, SoakRun):
        return piece.expect
    exchanges = [piece.evidence] if isinstance(piece.evidence, Exchange) else list(piece.evidence.values())
    read = asked(nodes.sdk(), rule.id, exchanges, NO_MASK)
    return structs.replace(piece.expect, settings=piece.expect.settings | read)


def silenced(rule: Rule) -> Rule:
    """The rule, finding nothing."""
    return replace(rule, function=lambda _evidence, _expect: ())


@contextmanager
def muted(name: str) -> Iterator[None]:
    """For a while the registry holds a rule that finds nothing in this one's place, and so do those on trial."""
    spoken = REGISTRY[name]
    REGISTRY[name] = RULES[name] = silenced(spoken)
    try:
        yield
    finally:
        REGISTRY[name] = RULES[name] = spoken


def catches(rule: Rule, pieces: Iterable[Piece]) -> Outcome | None:
    """How the rule answers a fault: FAIL, ADVISORY, or None: not at all."""
    outcomes = {each.outcome for each in judged(rule, pieces)}
    return next((word for word in (Outcome.FAIL, Outcome.ADVISORY) if word in outcomes), None)


def ask(
    rules: Iterable[Rule],
    faults: tuple[str, ...] = (),
    *,
    thinking: bool = False,
    thought_in: str = THOUGHT,
    cap_factor: float = 1.0,
    strict: bool = False,
    until: Rule | None = None,
    deepest: Depth = Depth.FULL,
) -> Pieces:
    """The evidence these rules judge, from a golden server of its own, which is asked in memory.

    A ``cap_factor`` beyond 1 stands for a thought that cannot be switched off; else identity finds the switch. Once
    ``until`` fails, no more is asked: a server that hangs would do so on every scenario. ``deepest`` SMALL leaves out
    the long forms.
    """
    pieces: Pieces = []
    server = Memory(faults, thinking=thinking, thought_in=thought_in)
    unusual = any(FAULTS[name].family == "legal" for name in faults)
    endpoint = known(server, asked=unusual or (thinking and cap_factor == 1.0), cap_factor=cap_factor)
    for piece in _asked(list(rules), server, endpoint, deepest, strict=strict, faulty=bool(faults)):
        pieces.append(piece)
        if until is not None and catches(until, [piece]) is Outcome.FAIL:
            break
    return pieces


def _asked(
    rules: list[Rule], server: Memory, endpoint: Endpoint, deepest: Depth, *, strict: bool, faulty: bool
) -> Iterator[Piece]:
    asker = Asker(endpoint, PATIENCE_S, server, Asker(endpoint, PATIENCE_S, server.keyed()))
    for name, scenario in SCENARIOS.items():
        if scenario.depth <= deepest and any(_applies(r, name) for r in rules):
            yield Piece(name, asker.send(name, scenario), expecting(endpoint, strict=strict, **scenario.settings))
    if any(_applies(r, "identity") for r in rules):
        yield _identity(asker, server)
    if any(_applies(r, "answers") for r in rules):
        judging = [r for r in rules if _applies(r, "answers")]
        held = asker.answers(judging, FEW if faulty else 1, enough=not faulty)
        yield Piece("answers", held, expecting(endpoint, seed=0, url=endpoint.url))
    if any(_applies(r, "closed") for r in rules):
        soaked = _soaked(server, endpoint, HURRY_S if faulty else PATIENCE_S)
        yield Piece("closed", soaked, expecting(endpoint, stopped=[]))


def everywhere(rules: Mapping[str, Rule], names: Iterable[str]) -> dict[str, Pieces]:
    """For each fault, the evidence of the rule that is named for it."""

    def one(name: str) -> Pieces:
        fault = FAULTS[name]
        rule = rules[fault.caught_by]
        return ask([rule], (name,), strict=fault.strict, until=rule)

    return {name: one(name) for name in names}


def listed() -> dict[str, Fault]:
    """Every fault that a rule is named for."""
    return {name: fault for name, fault in FAULTS.items() if fault.caught_by}


def of_family(family: str) -> list[str]:
    return [name for name, fault in FAULTS.items() if fault.family == family]


def _applies(rule: Rule, scenario: str) -> bool:
    """Whether a suite has this rule judge this scenario."""
    return rule.applies(SENT[scenario])


def known(server: Memory, *, asked: bool = False, cap_factor: float = 1.0) -> Endpoint:
    """The endpoint as identity would have it; ``asked`` only where there is something to find out."""
    if asked:
        with server.client() as client:
            return identify(survey("golden", server.url, client, profile="generic"), client)
    told = {"name": "golden", "url": server.url, "kind": "generic", "model": MODEL, "models": (MODEL,), "named": MODEL}
    return Endpoint(**told, context=CONTEXT, slots=SLOTS, thinking=cap_factor > 1.0, cap_factor=cap_factor)


def expecting(endpoint: Endpoint, *, strict: bool = False, **settings: Any) -> Expect:
    """What rules must know of an endpoint."""
    return Expect(
        models=endpoint.models,
        model=endpoint.model,
        named=endpoint.named,
        context=endpoint.context,
        kind=endpoint.kind,
        strict=strict,
        settings=settings,
    )


def _soaked(server: Memory, endpoint: Endpoint, patience_s: float) -> SoakRun:
    """A soak of the same server behind a socket."""
    with Golden(service=server.service) as golden:
        return Soak(structs.replace(endpoint, url=golden.url), patience_s).run(STREAMS)


def _identity(asker: Asker, server: Memory) -> Piece:
    with server.client() as client:
        endpoint = survey("golden", server.url, client)
    expect = expecting(endpoint, build=endpoint.build, facts=endpoint.facts)
    return Piece("identity", asker.send("identity", SENT["identity"]), expect)


RULES = {name: rule for name, rule in load_all().items() if not rule.of >= LASTING}
"""What a soak of hours shows is on trial in ``tests.detectors``."""
