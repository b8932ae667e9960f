"""Faults of event streams: of their events and chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.golden.edits import Json, each_choice, without
from tests.golden.items import DONE, EVENT_STREAM, Item, Raw, Reply, encode, event
from tests.golden.registry import Shot, chat, fault, streaming

FORM = "sse/events-are-well-formed"
WHOLE = "sse/each-event-holds-one-whole-object"
AFTER = "sse/nothing-is-said-after-the-end"
ELSEWHERE = "sse/usage-stands-nowhere-else"
FAILURE = "sse/failure-is-told-as-an-error"
WORDLESS = "sse/wordless-stream-is-whole"
AGREES = "sse/end-agrees-with-its-deltas"
UTF_8 = "sse/stream-is-utf-8"
REPLACED = "sse/no-character-is-replaced"
CUTS = "sse/cut-inside-a-character-is-alike-both-ways"
COUNTS = "sse/stream-counts-as-a-plain-answer"
ALIKE = "sse/stream-says-what-a-plain-answer-says"
DELTAS = "sse/deltas-are-deltas"
TOKENS = "sse/log-probabilities-go-with-their-content"
INDICES = "sse/choices-come-under-their-own-index"
PACE = "sse/events-come-as-they-are-made"
HEAD = "sse/head-keeps-proxies-from-buffering"
CONTENT = "sse/stream-has-content-where-a-plain-answer-has"
EMPTY = "sse/no-event-is-empty"
LAST = "sse/done-comes-once-and-last"
ROLE = "sse/role-is-sent-once"
IDENTITY = "sse/identity-is-constant"
FINISH = "sse/one-finish-reason-per-choice"
NULL = "sse/finish-reason-is-null-before-the-end"
USAGE = "sse/usage-comes-last"
REFUSED = "sse/faults-are-refused-before-the-stream"
SDK = "sdk/accumulator-accepts-the-stream"


def _with_usage_asked(call: Any) -> bool:
    options = call.says("stream_options")
    return streaming(call) and isinstance(options, dict) and options.get("include_usage") is True


def has_token(item: Item) -> bool:
    """A chunk that brings a token of thought or content."""
    return isinstance(item, dict) and any(
        choice["delta"].get("content") or choice["delta"].get("reasoning_content") for choice in item["choices"]
    )


@fault("event-json-cut", caught_by=FORM, stage="events", when=streaming)
def event_json_cut(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The JSON of an event lacks its end."""
    for item in items:
        if has_token(item) and not shot.fired:
            shot.fire()
            yield Raw(event(item)[:-5] + b"\n\n")  # type: ignore[arg-type]
        else:
            yield item


@fault("event-json-split", caught_by=WHOLE, stage="events", when=streaming)
def event_json_split(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """One JSON object is spread over two events."""
    for item in items:
        if has_token(item) and not shot.fired:
            shot.fire()
            data = encode(item)
            yield Raw(b"data: " + data[:40] + b"\n\ndata: " + data[40:] + b"\n\n")
        else:
            yield item


@fault("events-run-together", caught_by=WHOLE, stage="events", when=streaming)
def events_run_together(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """No empty line stands between events, so that two objects are one event."""
    for item in items:
        if isinstance(item, dict):
            shot.fire()
            yield Raw(event(item)[:-1])
        else:
            yield item


@fault("line-without-field", caught_by=FORM, stage="events", when=streaming)
def line_without_field(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Each chunk stands on a line of its own without "data:"."""
    for item in items:
        if isinstance(item, dict):
            shot.fire()
            yield Raw(encode(item) + b"\n\n")
        else:
            yield item


@fault("last-event-incomplete", caught_by=FORM, stage="events", when=streaming)
def last_event_incomplete(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The empty line after [DONE] is missing: no reader of events delivers it."""
    for item in items:
        if item is DONE:
            shot.fire()
            yield Raw(b"data: [DONE]\n")
        else:
            yield item


@fault("empty-event", caught_by=EMPTY, stage="events", when=streaming)
def empty_event(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """An event with empty data comes before the terminator."""
    for item in items:
        if item is DONE:
            shot.fire()
            yield Raw(b"data:\n\n")
        yield item


@fault("done-missing", caught_by=LAST, stage="events", when=streaming)
def done_missing(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The stream ends without [DONE]."""
    for item in items:
        if item is DONE:
            shot.fire()
        else:
            yield item


@fault("done-twice", caught_by=LAST, stage="events", when=streaming)
def done_twice(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """[DONE] comes twice."""
    for item in items:
        if item is DONE:
            shot.fire()
            yield DONE
        yield item


@fault("chunk-after-done", caught_by=LAST, stage="events", when=streaming)
def chunk_after_done(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A chunk follows [DONE]."""
    last: Item = DONE
    for item in items:
        yield item
        if item is DONE:
            shot.fire()
            yield last
        last = item


@fault("role-in-every-chunk", caught_by=ROLE, stage="chunk")
def role_in_every_chunk(body: Json, shot: Shot) -> Json:
    """Each chunk of a choice repeats the role."""
    return each_choice(body, lambda c: {**c, "delta": {"role": "assistant", **c["delta"]}})


@fault("role-never", caught_by=ROLE, stage="chunk")
def role_never(body: Json, shot: Shot) -> Json:
    """No chunk carries a role."""
    return each_choice(body, lambda c: {**c, "delta": without(c["delta"], "role")} if "role" in c["delta"] else c)


@fault("role-late", caught_by=ROLE, stage="events", when=streaming)
def role_late(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The role comes after the first token."""
    held: Item | None = None
    for item in items:
        if held is None and not shot.fired and isinstance(item, dict) and "role" in item["choices"][0]["delta"]:
            held = item
            continue
        yield item
        if held is not None and isinstance(item, dict):
            shot.fire()
            yield held
            held = None


def _changing(name: str, body: Json, value: Any, shot: Shot) -> Json:
    """Another value in each chunk but the first."""
    if not shot.scratch:
        shot.scratch["first"] = True
        return body
    return {**body, name: value}


@fault("id-changes", caught_by=IDENTITY, stage="chunk")
def id_changes(body: Json, shot: Shot) -> Json:
    """Each chunk has an id of its own."""
    return _changing("id", body, f"chatcmpl-{shot.draw.randrange(10**12)}", shot)


@fault("created-drifts", caught_by="sse/created-is-constant", stage="chunk")
def created_drifts(body: Json, shot: Shot) -> Json:
    """created is the time of the chunk, and moves on."""
    return _changing("created", body, body["created"] + 1, shot)


@fault("model-changes", caught_by=IDENTITY, stage="chunk")
def model_changes(body: Json, shot: Shot) -> Json:
    """Later chunks name the model's file."""
    return _changing("model", body, "/models/golden-1.gguf", shot)


@fault("chunk-object-wrong", caught_by=IDENTITY, stage="chunk")
def chunk_object_wrong(body: Json, shot: Shot) -> Json:
    """Chunks are called chat.completion, like a whole answer."""
    return {**body, "object": "chat.completion"}


@fault("finish-reason-never", caught_by=FINISH, stage="chunk")
def finish_reason_never(body: Json, shot: Shot) -> Json:
    """No chunk of a stream has a finish_reason."""
    return each_choice(body, lambda c: {**c, "finish_reason": None} if c["finish_reason"] else c)


@fault("finish-reason-only-at-the-end", caught_by=NULL, stage="chunk")
def finish_reason_only_at_the_end(body: Json, shot: Shot) -> Json:
    """Chunks before the last one have no key finish_reason."""
    return each_choice(body, lambda c: c if c["finish_reason"] else without(c, "finish_reason"))


@fault("finish-reason-left-out", caught_by=FINISH, stage="chunk")
def finish_reason_left_out(body: Json, shot: Shot) -> Json:
    """No chunk has a key finish_reason, the last one neither."""
    return each_choice(body, lambda c: without(c, "finish_reason"))


@fault("finish-reason-twice", caught_by=FINISH, stage="events", when=streaming)
def finish_reason_twice(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The chunk with the finish_reason comes twice."""
    for item in items:
        yield item
        if isinstance(item, dict) and any(choice["finish_reason"] for choice in item["choices"]):
            shot.fire()
            yield item


@fault("finish-reason-in-every-chunk", caught_by=FINISH, stage="chunk")
def finish_reason_in_every_chunk(body: Json, shot: Shot) -> Json:
    """Each chunk has a finish_reason."""
    return each_choice(body, lambda c: c if c["finish_reason"] else {**c, "finish_reason": "stop"})


@fault("stream-usage-missing", caught_by=USAGE, stage="events", when=_with_usage_asked)
def stream_usage_missing(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """include_usage is ignored."""
    for item in items:
        if isinstance(item, dict) and item.get("usage"):
            shot.fire()
        else:
            yield item


@fault("no-chunk-at-first", caught_by="schema/answer-validates", stage="events", when=streaming)
def no_chunk_at_first(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream begins with an event that is JSON and no chunk: a sign of life of a gateway."""
    shot.fire()
    yield {"type": "ping"}
    yield from items


@fault("stream-usage-twice", caught_by=ELSEWHERE, stage="events", when=_with_usage_asked)
def stream_usage_twice(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The chunk with usage is sent twice: by the engine, and by the gateway before it."""
    for item in items:
        yield item
        if isinstance(item, dict) and item.get("usage"):
            shot.fire()
            yield item


@fault("stream-usage-early", caught_by=USAGE, stage="events", when=_with_usage_asked)
def stream_usage_early(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The chunk with usage comes before the one that finishes."""
    held: list[Item] = []
    for item in items:
        if isinstance(item, dict) and any(choice["finish_reason"] for choice in item["choices"]):
            held.append(item)
        elif held and item is DONE:
            shot.fire()
            yield from held
            yield item
        else:
            yield item


@fault("stream-usage-without-choices", caught_by=USAGE, stage="chunk", when=_with_usage_asked)
def stream_usage_without_choices(body: Json, shot: Shot) -> Json:
    """The chunk with usage has no key "choices"."""
    return without(body, "choices") if body.get("usage") else body


@fault("stream-usage-beside-a-choice", caught_by=USAGE, stage="chunk", when=_with_usage_asked)
def stream_usage_beside_a_choice(body: Json, shot: Shot) -> Json:
    """The chunk with usage repeats a choice instead of an empty list."""
    choice = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": None}
    return {**body, "choices": [choice]} if body.get("usage") else body


@fault("stream-error-in-200", caught_by=REFUSED, stage="reply", when=streaming)
def stream_error_in_200(reply: Reply, shot: Shot) -> Reply:
    """A faulty request for a stream gets 200 and an event that holds the error."""
    if reply.status < 400:
        return reply
    return Reply(200, b"data: " + reply.body() + b"\n\ndata: [DONE]\n\n", EVENT_STREAM)


@fault("stream-error-as-event", caught_by=REFUSED, stage="reply", when=streaming)
def stream_error_as_event(reply: Reply, shot: Shot) -> Reply:
    """A faulty request for a stream gets its 4xx as an event stream."""
    return Reply(reply.status, b"data: " + reply.body() + b"\n\n", EVENT_STREAM) if reply.status >= 400 else reply


@fault("stream-index-from-one", caught_by=SDK, stage="chunk")
def stream_index_from_one(body: Json, shot: Shot) -> Json:
    """Choices of a stream are counted from 1."""
    return each_choice(body, lambda c: {**c, "index": c["index"] + 1})


@fault("stream-choices-null", caught_by=SDK, stage="chunk")
def stream_choices_null(body: Json, shot: Shot) -> Json:
    """The last chunk has "choices": null."""
    return {**body, "choices": None} if not body["choices"] or body["choices"][0]["finish_reason"] else body


@fault("stream-without-delta", caught_by=SDK, stage="chunk")
def stream_without_delta(body: Json, shot: Shot) -> Json:
    """The choice that finishes has no delta."""
    return each_choice(body, lambda c: without(c, "delta") if c["finish_reason"] else c)


def _hollow(items: Iterator[Item], shot: Shot, *, kept: Callable[[Item], bool]) -> Iterator[Item]:
    """A stream of what is kept, and of [DONE]."""
    for item in items:
        if item is DONE or kept(item):
            yield item
        else:
            shot.fire()


@fault("stream-without-content", caught_by=CONTENT, stage="events", when=streaming)
def stream_without_content(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream has its role, its end and its terminator, and not a word."""
    return _hollow(items, shot, kept=lambda item: not has_token(item))


@fault("stream-of-done-alone", caught_by=CONTENT, stage="events", when=streaming)
def stream_of_done_alone(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream is [DONE], and nothing before it."""
    return _hollow(items, shot, kept=lambda _item: False)


@fault("stream-with-usage-alone", caught_by=CONTENT, stage="events", when=streaming)
def stream_with_usage_alone(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream that is asked for its usage has that, and no word."""
    spoiled = isinstance(shot.call.says("stream_options"), dict)
    return _hollow(items, shot, kept=lambda item: not spoiled or not has_token(item))


@fault("stream-of-blanks", caught_by=CONTENT, stage="chunk", when=streaming)
def stream_of_blanks(body: Json, shot: Shot) -> Json:
    """Each word of a stream is a blank."""
    return each_choice(body, lambda c: {**c, "delta": {"content": " "}} if c["delta"].get("content") else c)


@fault("plain-answer-without-content", caught_by=CONTENT, stage="whole", when=chat)
def plain_answer_without_content(body: Json, shot: Shot) -> Json:
    """A plain answer is empty where the stream has words."""
    return each_choice(body, lambda c: {**c, "message": {**c["message"], "content": ""}})
