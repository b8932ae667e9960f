"""What the official SDK for Node makes of answers built in memory, and of bytes made to break it."""

from __future__ import annotations

import msgspec
import pytest

from seatrial.checks.running import run
from seatrial.given.errors import ConfigError
from seatrial.given.options import Options
from seatrial.judging.case import NO_MASK
from seatrial.oracles import node
from seatrial.records import Exchange
from seatrial.trial import nodejs
from seatrial.trial.nodejs import NodeSdk, asked, itself
from seatrial.trial.selection import lacks
from seatrial.wire.masking.mask import Mask
from tests import nodes
from tests.checks.specimens import CHUNK, COUNTED, DONE, EXPECT, USAGE, choice, exchange, plain, stream
from tests.silence.trial import RULES

RULE = RULES["sdk/node-gives-the-answer-that-was-sent"]


def delta(finish: str | None = None, index: object = 0, **said: object) -> dict:
    return CHUNK | {"choices": [{"index": index, "delta": said, "finish_reason": finish}]}


ROLE = delta(role="assistant", content="")
WHOLE = (ROLE, delta(content="Hel"), delta("stop", content="lo."))
COUNT = CHUNK | {"choices": [], "usage": USAGE}


def call(index: int, **function: str) -> dict:
    return {"index": index, "id": "c1", "type": "function", "function": function}


IN_PIECES = delta(tool_calls=[call(0, name="ge", arguments="")])
CALLED_ON = delta("tool_calls", tool_calls=[call(0, name="t", arguments="{}")])
CALLED = delta("tool_calls", tool_calls=[call(0, name="get", arguments="{}")])


def found(x: Exchange) -> list[tuple[str, str]]:
    """Where the rule finds something, and what Node made of it."""
    read = asked(nodes.sdk(), RULE.id, [x], NO_MASK)
    findings, crash = run(RULE, x, msgspec.structs.replace(EXPECT, settings=read))
    assert crash == ""
    return [(finding.where, finding.got) for finding in findings]


@pytest.mark.parametrize(
    "x",
    [
        plain(),
        plain({"usage": ...}),
        stream(*WHOLE, DONE),
        stream(*WHOLE, COUNT, DONE, asked=COUNTED),
        stream(ROLE, CALLED, DONE),
        stream(ROLE, delta("stop", content="日本語 🎉"), DONE),
    ],
    ids=["plain", "no-usage", "stream", "counted", "called", "unicode"],
)
def test_an_answer_is_given_as_it_was_sent(x):
    assert found(x) == []


@pytest.mark.parametrize(
    ("x", "where", "got"),
    [
        (plain(headers={"content-type": "text/plain"}), "the answer", "a string"),
        (exchange(b"null"), "the answer", "a null"),
        (stream(*WHOLE, COUNT | {"id": ""}, DONE, asked=COUNTED), "usage.prompt_tokens", "None"),
        (stream(ROLE, delta("stop", content="x") | {"error": {}}, DONE), "the answer", "APIError: {}"),
        (stream(ROLE, delta(content="x"), DONE), "the answer", "missing finish_reason for choice 0"),
        (stream(delta("stop", content="x"), DONE), "the answer", "missing role for choice 0"),
        (stream(ROLE, '{"choices": [', DONE), "the answer", "malformed server-sent event JSON"),
        (stream(ROLE, IN_PIECES, CALLED_ON, DONE), "choice 0, calls", "('t', '{}')"),
    ],
    ids=["label", "null", "usage", "error", "no-finish", "no-role", "no-json", "name-in-pieces"],
)  # fmt: skip
def test_what_it_gives_otherwise_is_found(x, where, got):
    (first, *_) = found(x)
    assert first[0] == where
    assert got in first[1]


def test_who_did_not_ask_it_proves_nothing():
    (finding,), _ = run(RULE, plain(), EXPECT)
    assert (finding.kind, finding.got) == ("no-evidence", "it was not asked")
    for odd in (None, [], {"test-1": 5}, {"test-1": {"answer": 5}}, {"test-1": {"answer": {"choices": [None, 5]}}}):
        findings, crash = run(RULE, plain(), msgspec.structs.replace(EXPECT, settings={node.SETTING: odd}))
        assert findings
        assert crash == ""


def test_it_tells_what_a_refusal_throws():
    said = b'{"error": {"message": "no", "code": "c"}}'
    assert nodes.sdk().read(exchange(said, status=400))["error"]["message"] == "400 no"
    lost = nodes.sdk().read(exchange(b'{"detail": "what is wrong"}', status=422))
    assert lost["error"]["message"] == '422 {"detail":"what is wrong"}'
    assert (
        nodes.sdk().read(exchange(b"<html>", status=502, headers={"content-type": "text/html"}))["error"]["status"]
        == 502
    )


def test_bytes_made_to_break_it_spoil_no_other_answer_and_who_is_late_is_ended():
    sdk = NodeSdk(nodes.folder(), itself())
    good = stream(*WHOLE, DONE)
    assert "gave no answer within 0 s" in sdk.read(good, patience_s=0.0)["none"]
    known = sdk.read(good)
    assert known["answer"]["choices"][0]["content"] == "Hello."
    other = stream(delta("stop", index="__proto__", role="assistant", content="x"), DONE)
    for body in (other, exchange(b"[" * 100_000), exchange(b'{"choices": ' + b"[" * 9_000 + b"]" * 9_000 + b"}")):
        assert sdk.read(body).keys() & {"answer", "error"}
    assert sdk.read(good) == known
    assert "larger than" in sdk.read(exchange(b" " * (nodejs.LARGEST_BYTES + 1)))["none"]
    assert "no status" in sdk.read(exchange(b"", status=None))["none"]
    sdk.close()


def test_a_reading_that_holds_the_key_is_not_written_down():
    x = plain({"choices": [choice("it is s3cr3t-and-long-enough")]})
    key = Mask("s3cr3t-and-long-enough")
    assert asked(nodes.sdk(), RULE.id, [x], key) == {node.SETTING: {x.id: {"none": "it holds what is masked"}}}
    assert asked(nodes.sdk(), "sse/role-is-sent-once", [x], key) == {}


def test_without_it_its_rule_is_not_tested_and_a_folder_without_it_is_wrong_usage(tmp_path):
    what, why = lacks(RULE.id, Options())
    assert what == "what the official SDK for Node makes of it"
    assert why == "--openai-node names no folder in which npm install openai was run"
    assert lacks(RULE.id, Options(openai_node=nodes.folder())) is None
    assert nodejs.folder(None) is None
    assert nodejs.folder(str(nodes.folder())) == nodes.folder()
    with pytest.raises(ConfigError, match="the SDK is not there: cd to it and npm install openai"):
        nodejs.folder(str(tmp_path))
