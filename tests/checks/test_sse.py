"""Rules on event streams, each with streams that are right and streams that are wrong."""

import json

import pytest

from seatrial.oracles import sdk
from tests.checks.specimens import (
    CHUNK,
    COUNTED,
    DONE,
    EVENTS,
    STREAMED,
    USAGE,
    breaks,
    changed,
    choice,
    delta,
    ends,
    exchange,
    found,
    good,
    holds,
    pair,
    plain,
    refused,
    stream,
)

ROLE = delta(role="assistant", content="")
TWO = [
    delta(0, role="assistant"),
    delta(1, role="assistant"),
    delta(1, content="b"),
    delta(0, content="a"),
    ends(index=1),
    ends(index=0),
    DONE,
]
WITH_USAGE = stream(*good(usage=True), asked=COUNTED)
VLLM = [CHUNK | {"choices": [], "usage": None}, *good()]
"""A first chunk without choices, as some servers send it."""

EVERY = [
    "sse/stream-is-labelled",
    "sse/events-are-well-formed",
    "sse/no-event-is-empty",
    "sse/done-comes-once-and-last",
    "sse/role-is-sent-once",
    "sse/identity-is-constant",
    "sse/created-is-constant",
    "sse/one-finish-reason-per-choice",
    "sse/body-is-terminated",
    "sse/finish-reason-is-null-before-the-end",
    "chat/choices-are-indexed-and-from-the-assistant",
    "chat/finish-reason-is-known",
    "chat/content-is-string-or-null",
    "schema/answer-validates",
    "sdk/accumulator-accepts-the-stream",
]


@pytest.mark.parametrize("rule", EVERY)
def test_good_streams_are_left_alone(rule):
    holds(rule, [stream(), stream(*TWO), WITH_USAGE])


def test_crlf_comments_and_a_byte_order_mark_are_legal():
    events = "".join(f"event: message\r\ndata:{e if e == DONE else json.dumps(e)}\r\n\r\n" for e in good())
    x = _bytes(b"\xef\xbb\xbf: ping\r\n\r\n" + events.encode())
    holds("sse/events-are-well-formed", [x])
    holds("sse/done-comes-once-and-last", [x])


@pytest.mark.parametrize(
    ("rule", "evidence", "where", "got"),
    [
        ("sse/stream-is-labelled", stream(headers={"content-type": "text/plain"}), "Content-Type", "text/plain"),
        ("sse/events-are-well-formed", stream('{"id": "cut', DONE), "event 0", "not JSON"),
        ("sse/events-are-well-formed", stream("[1]", DONE), "event 0", "[1]"),
        ("sse/events-are-well-formed", stream(json.dumps(ROLE) * 2, DONE), "event 0", "not JSON"),
        ("sse/no-event-is-empty", stream(ROLE, "", ends(), DONE), "event 1", "empty"),
        ("sse/done-comes-once-and-last", stream(*good()[:-1]), "the end", "4 events"),
        ("sse/done-comes-once-and-last", stream(*good(), DONE), "event 5", "2 of them"),
        ("sse/done-comes-once-and-last", stream(*good(), ends()), "event 5", "finish_reason"),
        ("sse/role-is-sent-once", stream(delta(content="Hello"), ends(), DONE), "chunk 0, choice 0", "None"),
        ("sse/role-is-sent-once", stream(ROLE, delta(role="assistant", content="x"), DONE), "chunk 1", "assistant"),
        ("sse/role-is-sent-once", stream(delta(role=["assistant"]), DONE), "chunk 0", "['assistant']"),
        ("sse/identity-is-constant", stream(ROLE, delta() | {"id": "other"}, DONE), "chunk 1, id", "other"),
        ("sse/created-is-constant", stream(ROLE, delta() | {"created": 5}, DONE), "chunk 1, created", "5"),
        ("sse/identity-is-constant", stream(ROLE, changed(delta(), {"model": ...}), DONE), "chunk 1, model", "None"),
        ("sse/identity-is-constant", stream(ROLE | {"object": "chat.completion"}, DONE), "chunk 0, object", "chat"),
        ("sse/one-finish-reason-per-choice", stream(ROLE, delta(content="x"), DONE), "choice 0", "none"),
        ("sse/one-finish-reason-per-choice", stream(ROLE, ends(), ends("length"), DONE), "chunk 2", "then length"),
        ("sse/one-finish-reason-per-choice", stream(*TWO[:-2], DONE), "choice 0", "none"),
        ("sse/one-finish-reason-per-choice", stream({**CHUNK, "choices": []}, DONE), "choices", "no choice"),
        ("sse/body-is-terminated", stream(chunked=False), "Content-Length", ""),
        ("sse/body-is-terminated", stream(cut=True), "the end", "the end of the connection"),
        ("sse/body-is-terminated", stream(error="cut", detail="cut after 12 bytes"), "the end", "cut after 12"),
        ("sdk/accumulator-accepts-the-stream", stream(ROLE, "", DONE), "the stream", "JSONDecodeError"),
        ("sdk/accumulator-accepts-the-stream", stream(delta(1, role="assistant"), DONE), "the stream", "IndexError"),
        ("sdk/accumulator-accepts-the-stream", stream(ROLE, delta(role="assistant"), DONE), "role", "antassist"),
        ("sdk/accumulator-accepts-the-stream", stream(ROLE, changed(ends(), {"choices": ...}), DONE), "the stream", ""),
        ("chat/choices-are-indexed-and-from-the-assistant", stream(delta(1, role="assistant"), DONE), "index", "[1]"),
        ("chat/choices-are-indexed-and-from-the-assistant", stream(delta("0"), DONE), "chunk 0", "0"),
        ("chat/finish-reason-is-known", stream(ROLE, ends("eos"), DONE), "chunk 1", "eos"),
        ("chat/content-is-string-or-null", stream(ROLE, delta(content=5), DONE), "chunk 1", "5"),
        ("schema/answer-validates", stream(ROLE | {"created": "now"}, DONE), "created", "in chunk 0"),
    ],
)  # fmt: skip
def test_a_wrong_stream_is_named(rule, evidence, where, got):
    breaks(rule, evidence, where, got)


def test_events_of_no_json_are_no_fault_of_their_bytes():
    twice = stream(*(f"data: {json.dumps(each)}" for each in good()[:-1]), DONE)
    breaks("sse/events-are-well-formed", twice, "event 0", "not JSON")
    holds("sse/stream-is-utf-8", [twice])


def test_a_chunk_of_another_kind_is_for_the_schema_alone():
    filters = {"id": "", "object": ["chunk"], "created": 0, "model": "", "choices": []}
    x = stream(filters, *good())
    breaks("schema/answer-validates", x, "object", "in chunk 0")
    for rule in ("sse/identity-is-constant", "sse/created-is-constant", "chat/created-is-in-seconds"):
        assert {finding.causes for finding in found(rule, x)} == {("schema/answer-validates",)}
    other = breaks("sse/created-is-constant", stream(*good()[:2], delta() | {"created": 5}, DONE), "created", "5")
    assert other.causes == ()


def without_reason(chunk):
    return CHUNK | {"choices": [changed(choice, {"finish_reason": ...}) for choice in chunk["choices"]]}


def test_finish_reason_is_null_before_the_end():
    """A key that is missing before the end is one finding, in both readings; at the end it is that of another rule."""
    rule, at_the_end = "sse/finish-reason-is-null-before-the-end", "sse/one-finish-reason-per-choice"
    early = stream(without_reason(ROLE), delta(content="a"), ends(), DONE)
    breaks(rule, early, "chunk 0, choice 0, finish_reason", "no such key")
    holds(at_the_end, [early])
    for strict in (False, True):
        assert [f for f in found("schema/answer-validates", early, strict=strict) if "finish_reason" in f.got] == []
    late = stream(ROLE, delta(content="a"), without_reason(ends()), DONE)
    holds(rule, [late])
    breaks(at_the_end, late, "choice 0, finish_reason", "none")


def test_each_choice_has_a_last_chunk_of_its_own():
    rule = "sse/finish-reason-is-null-before-the-end"
    breaks(rule, stream(*TWO[:3], without_reason(TWO[3]), *TWO[4:]), "chunk 3, choice 0")
    holds(rule, [stream(*TWO[:4], without_reason(TWO[4]), *TWO[5:])])


@pytest.mark.parametrize("rule", ["sse/role-is-sent-once", "sse/identity-is-constant", "schema/answer-validates"])
def test_a_chunk_without_choices_may_come_first(rule):
    holds(rule, [stream(*VLLM)])


def test_a_role_that_joins_to_nothing_is_let_pass():
    """The SDK leaves null out and joins "" without a trace."""
    holds("sse/role-is-sent-once", [stream(ROLE, delta(role=None), delta(role="", content="x"), ends(), DONE)])


def test_lines_that_clients_drop_are_named():
    for line in (b"error: {}\n", b'{"choices": []}\n', b"Data: x\n", b'x-data: {"choices": []}\n', b"error\n"):
        x = _bytes(line + b"data: [DONE]\n\n")
        breaks("sse/events-are-well-formed", x, "line 1", line.decode().strip())


def test_a_field_of_the_servers_own_is_let_pass():
    """The format says that it is ignored, and nothing to read is in it."""
    for line in (b"x-engine: 1\n", b"keep\n", b"retry: 3000\n", b"took: 12 ms\n"):
        holds("sse/events-are-well-formed", [_bytes(line + b"data: {}\n\ndata: [DONE]\n\n")])


def test_an_unfinished_last_event_is_named():
    breaks("sse/events-are-well-formed", _bytes(b"data: {}\n\ndata: [DONE]\n"), "the end", "[DONE]")


def test_usage_comes_last_and_alone():
    holds("sse/usage-comes-last", [WITH_USAGE])
    early = [*good()[:-1], CHUNK | {"choices": [], "usage": USAGE}, delta(content="x"), DONE]
    beside = [*good()[:-2], ends() | {"usage": USAGE}, DONE]
    missing = [*good()[:-1], changed(CHUNK, {"usage": USAGE}), DONE]
    assert breaks("sse/usage-comes-last", stream(asked=COUNTED), "usage").grave
    breaks("sse/usage-comes-last", stream(*early, asked=COUNTED), "chunk 5, usage", "None")
    breaks("sse/usage-comes-last", stream(*beside, asked=COUNTED), "choices", "index")
    breaks("sse/usage-comes-last", stream(*missing, asked=COUNTED), "choices", "no such key")


def test_faults_are_refused_before_the_stream():
    rule = "sse/faults-are-refused-before-the-stream"
    holds(rule, [pair(refused()), pair(refused(422))])
    breaks(rule, pair(refused(500)), "the status", "500")
    breaks(rule, pair(refused(302)), "the status", "302")
    breaks(rule, pair(stream()), "the status", "200 data:")
    breaks(rule, pair(stream({"error": {"message": "no messages"}})), "the status", "no messages")
    breaks(rule, pair(refused(headers={"content-type": "text/event-stream"})), "Content-Type", "event-stream")


@pytest.mark.parametrize(
    "rule", [r for r in EVERY if "labelled" not in r and "terminated" not in r and "done" not in r]
)
def test_what_is_no_stream_is_no_evidence(rule):
    """That a JSON answer came where a stream was asked for is one fault, found by two rules, not by all."""
    findings = found(rule, plain(asked=COUNTED))
    assert [f.kind for f in findings] == ["no-evidence"]


@pytest.mark.parametrize("rule", ["sse/role-is-sent-once", "sdk/accumulator-accepts-the-stream"])
def test_a_stream_without_a_choice_is_no_evidence(rule):
    assert [f.kind for f in found(rule, stream(CHUNK | {"choices": []}, DONE))] == ["no-evidence"]


def test_a_choice_the_sdk_loses_is_named(monkeypatch):
    monkeypatch.setattr(sdk, "replay", lambda _body: {"choices": []})
    breaks("sdk/accumulator-accepts-the-stream", stream(), "choice 0", "none of this index")


def _bytes(body):
    return exchange(body, asked=STREAMED, headers=EVENTS, chunked=True)


def both(plain_answer, streamed):
    return {"plain": plain_answer, "stream": streamed}


def only(**message):
    """A stream whose one delta with anything in it is this."""
    return stream(delta(role="assistant", content=None), delta(**message), ends(), DONE)


CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
HOLLOW = {
    "of its frame": stream(delta(role="assistant", content=""), ends(), DONE),
    "of [DONE]": stream(DONE),
    "of nothing": stream(": ", DONE),
    "of blanks": only(content=" \n"),
    "of nulls": only(content=None, reasoning_content="", tool_calls=[]),
}


def test_a_stream_that_is_an_error_is_no_answer():
    evidence = both(plain(), stream({"error": {"message": "no"}}, DONE))
    finding = breaks("sse/stream-has-content-where-a-plain-answer-has", evidence, "the answer", '{"message": "no"}')
    assert finding.causes == ("http/valid-request-is-answered", "http/valid-request-is-answered[*]")


@pytest.mark.parametrize("name", HOLLOW)
def test_stream_has_content_where_a_plain_answer_has(name):
    rule = "sse/stream-has-content-where-a-plain-answer-has"
    assert breaks(rule, both(plain(), HOLLOW[name]), "the stream").about == "stream"
    thought = choice(content=None, message={"role": "assistant", "content": None, "reasoning_content": "Hm."})
    breaks(rule, both(plain({"choices": [thought]}), HOLLOW[name]), "the stream")
    empty = plain({"choices": [choice(content="")]})
    assert [f.kind for f in found(rule, both(empty, HOLLOW[name]))] == ["no-evidence"]
    breaks(rule, both(empty, stream()), "the plain answer")


@pytest.mark.parametrize(
    "streamed",
    [
        stream(),
        only(reasoning_content="Hm."),
        only(reasoning="Hm."),
        only(tool_calls=[CALL]),
        only(refusal="No."),
        stream(delta(index=None, content="Hello"), DONE),  # that it has no index is judged by another rule
    ],
)
def test_thought_and_calls_are_content(streamed):
    holds("sse/stream-has-content-where-a-plain-answer-has", [both(plain(), streamed)])


@pytest.mark.parametrize("streamed", [plain(), stream(cut=True, error="cut"), refused()])
def test_what_is_no_whole_stream_is_not_compared(streamed):
    kinds = {f.kind for f in found("sse/stream-has-content-where-a-plain-answer-has", both(plain(), streamed))}
    assert kinds
    assert "violation" not in kinds
