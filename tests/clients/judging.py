"""What a golden server with faults comes to for clients, asked in memory: every case that is judged for one of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from seatrial.checks.rules import Rule
from seatrial.clients import profile
from seatrial.clients.profile import ClientTable
from seatrial.records import ClientVerdict, Depth, Endpoint, Judged, Outcome
from seatrial.verdict.clients import is_needed, is_of, told
from seatrial.verdict.outcomes import outcome
from tests.golden.chat import CONTEXT
from tests.golden.server import MODEL
from tests.silence import trial
from tests.silence.tables import SENT

PAGE = Endpoint(
    name="g", url="http://127.0.0.1:1/v1", kind="generic", model=MODEL, models=(MODEL,), context=CONTEXT, slots=8
)


def traits(scenario: str) -> tuple[str, ...]:
    """The traits of a scenario, as a plan has them."""
    return tuple(sorted(map(str, SENT[scenario].traits)))


@functools.cache
def wanted(name: str) -> tuple[Rule, ...]:
    """The rules that judge something for a client."""
    client = profile.known()[name]
    return tuple(r for r in trial.RULES.values() if any(is_of([client], r.id, traits(s)) for s in SENT))


@functools.cache
def honest() -> trial.Pieces:
    """All that is judged for any client, of a golden server without faults: asked once."""
    rules = {rule.id: rule for name in profile.known() for rule in wanted(name)}
    return trial.ask(rules.values(), deepest=Depth.SMALL)


def cases(client: ClientTable, faults: Iterable[str] = ()) -> list[Judged]:
    """All that is judged for a client on a golden server, its needs as MUST."""
    rules = wanted(client.name)
    pieces = trial.ask(rules, tuple(faults), deepest=Depth.SMALL) if faults else honest()
    return [
        _case(client, each)
        for rule in rules
        for each in trial.judged(rule, pieces)
        if is_of([client], rule.id, traits(each.scenario))
    ]


def verdict(client: ClientTable, *faults: str) -> ClientVerdict:
    """The verdict for a client on a golden server with these faults."""
    return told(client, cases(client, faults), PAGE)


def _case(client: ClientTable, each: trial.Judged) -> Judged:
    rule, borne = each.rule, traits(each.scenario)
    level = type(rule.level).MUST if is_needed([client], rule.id, borne) else rule.level
    return Judged(
        case=f"{rule.id}[{each.scenario}]@g",
        endpoint="g",
        rule=rule.id,
        scenario=each.scenario,
        suite="conformance",
        outcome=outcome(level, each.findings, optional=rule.optional, crashed=each.crash),
        level=str(level),
        findings=each.findings,
        why="" if each.outcome is Outcome.PASS else str(each),
        traits=borne,
    )
