"""Runs that go on with others: small ones with answers at hand, and what is judged of them."""

from __future__ import annotations

import json
from pathlib import Path

from seatrial import __version__
from seatrial.given.options import Options
from seatrial.judging.run import judge
from seatrial.records import (
    Endpoint,
    Event,
    Fact,
    Happening,
    Judgement,
    Outcome,
    Planned,
    Received,
    RunInfo,
    Sent,
    Verdict,
)
from seatrial.run.clocks import boot_id
from seatrial.run.directory import RunDir
from seatrial.run.follow import last_numbers
from seatrial.trial.beginning import asked_with
from seatrial.trial.joining import before, join
from seatrial.trial.selection import Selection, repeat

ANSWERED, ROLE = "http/valid-request-is-answered", "sse/role-is-sent-once"
PAGE = Endpoint(name="e", url="http://h/v1", kind="generic", model="m", models=("m",), build="b6123")
REQUEST = b'POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-length: 15\r\n\r\n{"stream":true}'
EVENT = (
    b'data: {"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":"stop"}]}\n\n'
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
GOOD, BAD = HEAD + EVENT + b"data: [DONE]\n\n", HEAD + EVENT + EVENT + b"data: [DONE]\n\n"
REFUSED = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"
OPTIONS = Options(endpoints={"e": "http://h/v1"})


def plan(rule: str, scenario: str, suite: str = "conformance") -> Planned:
    return Planned(case=f"{rule}[{scenario}]@e", endpoint="e", rule=rule, scenario=scenario, suite=suite)


PLANS = [plan(rule, scenario) for scenario in ("good", "bad", "late") for rule in (ANSWERED, ROLE)]


def begun(path: Path, plans: list[Planned], options: Options = OPTIONS) -> RunDir:
    """A run with its page and its plan."""
    info = RunInfo(
        id=path.name,
        started="2026-11-24T22:51:03Z",
        started_ns=1,
        boot_id=boot_id(),
        arguments=(),
        versions={"seatrial": __version__},
        seed=0,
        options={"asked_with": asked_with(options)},
    )
    run = RunDir.create(path, info)
    run.write_endpoint(PAGE)
    run.write_planned(plans)
    return run


def asked(run: RunDir, answers: dict[str, bytes]) -> list[str]:
    """Each scenario sent, and its two rules judged on what came; the ids of the exchanges."""
    writer = run.writer("main")
    ids = []
    for scenario, answer in answers.items():
        told = {"endpoint": "e", "scenario": f"sse/{scenario}", "method": "POST", "path": "/v1/chat/completions"}
        request, response = writer.store(REQUEST), writer.store(answer)
        sent = writer.write("exchanges.jsonl", Sent(**told, request=request))
        frames = ((2, len(answer)),)
        line = Received(id=sent.id, **told, request=request, response=response, frames=frames, sent_at=1, ended_at=2)
        writer.write("exchanges.jsonl", line)
        ids.append(sent.id)
        for rule in (ANSWERED, ROLE):
            case = f"{rule}[{scenario}]@e"
            writer.write("judgements.jsonl", Judgement(case=case, endpoint="e", rule=rule, exchanges={"only": sent.id}))
    writer.close()
    return ids


def sealed(run: RunDir) -> RunDir:
    keeper = run.watch_writer("keeper")
    facts = {Fact.LINES: json.dumps(last_numbers(run.path))}
    keeper.write("events.jsonl", Event(what=Happening.SEAL, name="keeper", at=1, facts=facts))
    keeper.close()
    return RunDir.open(run.path)


def cut(path: Path, options: Options = OPTIONS) -> RunDir:
    """A run whose role is wrong in one stream of two, and that was cut before the third."""
    run = begun(path, PLANS, options)
    asked(run, {"good": GOOD, "bad": BAD})
    return sealed(run)


def again(path: Path, answers: dict[str, bytes], page: Endpoint = PAGE, **options: str) -> RunDir:
    """A run at ``path`` that goes on with another one, with these answers to what it asks."""
    on = replace_options(**options)
    old = before(on, path.parent)
    assert old is not None
    chosen = Selection()
    left = [PLANS[n] for n in repeat(PLANS, old.cases, chosen)]
    joined = old.planned(chosen.joined)
    run = begun(path, [*left, *joined], on)
    run.write_endpoint(page)
    join(run, old, joined, {"e": page}, on)
    assert {line.scenario for line in left} == set(answers)
    asked(run, answers)
    return sealed(run)


def replace_options(**changed: object) -> Options:
    return Options(**({"endpoints": OPTIONS.endpoints} | changed))  # type: ignore[arg-type]


def words(run: RunDir) -> dict[str, Outcome]:
    return {name.removesuffix("@e"): word for name, word in judge(run).verdict.outcomes.items()}


def reasons(verdict: Verdict) -> list[str]:
    """Why it is not READY, but for the watch, which these runs have none of."""
    return [reason.text for reason in verdict.endpoints["e"].reasons if reason.text != "UNOBSERVED"]


GREEN = {f"{rule}[{s}]": Outcome.PASS for s in ("good", "bad", "late") for rule in (ANSWERED, ROLE)}
