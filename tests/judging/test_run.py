"""A run that ended early: what was never judged is no cause, and a FAIL that was seen stays one."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.judging.run import judge
from seatrial.records import Endpoint, Judgement, Outcome, Planned, Ready, Received, RunInfo, Sent
from seatrial.run.directory import RunDir

ANSWERED = "http/valid-request-is-answered"
ROLE = "sse/role-is-sent-once"
REQUEST = b'POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-length: 15\r\n\r\n{"stream":true}'
REFUSED = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"


def recorded(path: Path, *judged: str) -> RunDir:
    """A run of two cases on one refused stream, of which these were judged."""
    info = RunInfo(id="r", started="2026-11-24T22:51:03Z", started_ns=1, boot_id="b", arguments=(), versions={}, seed=0)
    run = RunDir.create(path, info, with_sums=False)
    run.write_endpoint(Endpoint(name="e", url="http://h/v1", kind="generic", model="m", models=("m",)))
    run.write_planned(
        [Planned(case=f"{rule}[s]@e", endpoint="e", rule=rule, scenario="s", suite="conformance")
         for rule in (ROLE, ANSWERED)]
    )  # fmt: skip
    writer = run.writer("main")
    told = {"endpoint": "e", "scenario": "x/s", "method": "POST", "path": "/chat/completions"}
    request, response = writer.store(REQUEST), writer.store(REFUSED)
    sent = writer.write("exchanges.jsonl", Sent(**told, request=request))
    writer.write("exchanges.jsonl", Received(id=sent.id, **told, request=request, response=response))
    for rule in judged:
        line = Judgement(case=f"{rule}[s]@e", endpoint="e", rule=rule, exchanges={"only": sent.id})
        writer.write("judgements.jsonl", line)
    writer.close()
    return RunDir.open(path)


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        ((ROLE, ANSWERED), {ROLE: Outcome.INCONCLUSIVE, ANSWERED: Outcome.FAIL}),
        ((ROLE,), {ROLE: Outcome.FAIL, ANSWERED: Outcome.NOT_EXECUTED}),
    ],
)
def test_a_cause_that_was_never_judged_is_none(tmp_path, judged, words):
    found = judge(recorded(tmp_path / "r", *judged)).verdict
    assert found.outcomes == {f"{rule}[s]@e": word for rule, word in words.items()}
    assert found.endpoints["e"].verdict is Ready.NOT_READY
