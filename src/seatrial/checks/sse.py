"""The event stream of a chat completion, as the bytes have it: what SDKs join, and where they fall over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from seatrial.checks import look, traits
from seatrial.checks.rules import rule, violation
from seatrial.records import Exchange, Expect, Finding, Level

LINE = re.compile(rb"\r\n|\n|\r")
FIELDS = (b"data", b"event", b"id", b"retry")
IDENTITY = ("id", "created", "model", "object")


@rule(
    row="sse/1", level=Level.MUST, of=traits.STREAM, source="OpenAPI document, createChatCompletion: text/event-stream"
)
def stream_is_labelled(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An answer to stream: true has Content-Type text/event-stream."""
    if not x.is_stream:
        got = x.header("content-type") or "none"
        yield violation(
            "Content-Type", expected="text/event-stream", got=got, so="browsers and proxies do not stream it"
        )


@rule(row="sse/2", level=Level.MUST, of=traits.STREAM, source="WHATWG HTML 9.2; openai-python Stream")
def events_are_well_formed(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Every line is a field of an event or a comment, every event holds one JSON object or [DONE], and the last event
    is complete."""
    if nothing := _no_events(x):
        yield nothing
        return
    for number, line in enumerate(LINE.split(x.body.removeprefix(b"\xef\xbb\xbf")), start=1):
        if line and not line.startswith(b":") and line.partition(b":")[0] not in FIELDS:
            so = "clients drop the line in silence"
            yield violation(
                f"line {number}", expected="data, event, id or retry", got=line[:200].decode("utf-8", "replace"), so=so
            )
            break
    for chunk in x.chunks:
        if chunk.done or not chunk.data.strip():
            continue
        if not isinstance(chunk.json, dict):
            got = chunk.fault or chunk.data
            yield violation(
                f"event {chunk.index}", expected="one JSON object", got=got, so="the SDK raises in mid-stream"
            )
    if x.tail.strip():
        got = x.tail[:200].decode("utf-8", "replace")
        yield violation("the end", expected="an empty line after the last event", got=got, so="clients drop the event")


@rule(row="sse/3", level=Level.MUST, of=traits.STREAM, source="openai-python Stream: JSONDecodeError on empty data")
def no_event_is_empty(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """No event has empty data."""
    if nothing := _no_events(x):
        yield nothing
        return
    for chunk in x.chunks:
        if not chunk.data.strip():
            so = "the SDK decodes it as JSON and raises"
            yield violation(f"event {chunk.index}", expected="data", got="an empty event", so=so)


@rule(row="sse/5", level=Level.MUST, of=traits.STREAM, source="OpenAPI document, stream: terminated by data: [DONE]")
def done_comes_once_and_last(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The stream ends with data: [DONE], sent once."""
    done = [chunk.index for chunk in x.chunks if chunk.done]
    if not done:
        got = f"{len(x.chunks)} events, {x.error or 'then the end'}"
        yield violation(
            "the end", expected="data: [DONE]", got=got, so="a client cannot tell a whole answer from a torn one"
        )
    elif len(done) > 1:
        yield violation(f"event {done[1]}", expected="one [DONE]", got=f"{len(done)} of them")
    elif done[0] != len(x.chunks) - 1:
        after = x.chunks[done[0] + 1].data
        yield violation(
            f"event {done[0] + 1}", expected="nothing after [DONE]", got=after, so="clients have left: it is lost"
        )


@rule(row="sse/6", level=Level.MUST, of=traits.STREAM, source="openai-python accumulate_delta")
def role_is_sent_once(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The first chunk of a choice carries "role": "assistant"; no later chunk repeats it."""
    if nothing := look.unreadable(x):
        yield nothing
        return
    seen: set[int] = set()
    for chunk, index, _choice, delta in look.deltas(x):
        role = delta.get("role")
        if index not in seen and role != "assistant":
            so = "a client that builds the message from the deltas has one without a role"
            yield violation(_at(chunk, index), expected='"role": "assistant"', got=role, so=so)
        elif index in seen and role not in (None, ""):
            so = 'a client on the official SDK joins them to "assistantassistant", and the turn is dropped'
            yield violation(_at(chunk, index), expected="no role again", got=role, so=so)
            return
        seen.add(index)


def _at(chunk: Any, index: int) -> str:
    return f"chunk {chunk.index}, choice {index}"


def _no_events(x: Exchange) -> Finding | None:
    """A stream without any event leaves nothing to judge but that."""
    return None if x.chunks or x.tail else look.unreadable(x)
