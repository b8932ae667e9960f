"""Faults of bridges: of what stands between clients and an engine, and tells its answers on in OpenAI's form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from tests.golden.edits import CAPS, Json, capped, each_choice, several, with_usage, without
from tests.golden.items import DONE, Item, Raw, Reply, event
from tests.golden.registry import Call, Shot, chat, fault, streaming

USAGE = "chat/usage-adds-up"
SCHEMA = "schema/answer-validates"
EVENTS = "sse/events-are-well-formed"
FINISH = "sse/one-finish-reason-per-choice"
COPIES = "params/n-gives-n-choices"
CAPPED = "params/max-tokens-caps"
CUT = "chat/completion-tokens-keep-the-cap"
ONE = "models/answers-name-one-model"
ALIKE = "sse/stream-says-what-a-plain-answer-says"
BOTH = ("whole", "chunk")


def _plain(call: Call) -> bool:
    return chat(call) and not streaming(call)


@fault("usage-of-zeros", caught_by=USAGE, stage=BOTH)
def usage_of_zeros(body: Json, shot: Shot) -> Json:
    """usage is there and holds zeros alone: the engine's counts are not told on (cascadia issue 55, open-swarm pull
    request 141)."""
    nothing = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), lambda _n: 0)
    return with_usage(body, **nothing)


def _of_one_count(body: Json, name: str) -> Json:
    """With a usage that counts either the prompt or the answer, and says 0 of the other."""
    usage = body.get("usage")
    nothing = {"prompt_tokens": 0, "completion_tokens": 0}
    return {**body, "usage": {**usage, **nothing, name: usage[name], "total_tokens": usage[name]}} if usage else body


@fault("prompt-counted-as-nothing", caught_by=USAGE, stage=BOTH)
def prompt_counted_as_nothing(body: Json, shot: Shot) -> Json:
    """prompt_tokens is 0 whatever the prompt is, and the sum is right (dify issue 2144)."""
    usage = body.get("usage")
    return (
        {**body, "usage": {**usage, "prompt_tokens": 0, "total_tokens": usage["completion_tokens"]}} if usage else body
    )


@fault("answer-counted-as-nothing", caught_by=USAGE, stage=BOTH)
def answer_counted_as_nothing(body: Json, shot: Shot) -> Json:
    """completion_tokens is 0, and the sum is right (CLIProxyAPI issue 5733)."""
    usage = body.get("usage")
    return (
        {**body, "usage": {**usage, "completion_tokens": 0, "total_tokens": usage["prompt_tokens"]}} if usage else body
    )


@fault("answer-in-a-list", caught_by=SCHEMA, stage="reply", when=_plain)
def answer_in_a_list(reply: Reply, shot: Shot) -> Reply:
    """The answer stands in a list of one, as a batch of answers would."""
    return replace(reply, payload=[reply.payload]) if reply.status == 200 else reply


@fault("answer-encoded-twice", caught_by=SCHEMA, stage="reply", when=_plain)
def answer_encoded_twice(reply: Reply, shot: Shot) -> Reply:
    """The answer is a text in which the JSON stands: a handler returns what it has encoded already."""
    return replace(reply, payload=json.dumps(reply.payload)) if reply.status == 200 else reply


@fault("answers-of-no-model", caught_by=ONE, stage=BOTH)
def answers_of_no_model(body: Json, shot: Shot) -> Json:
    """The model of an answer is an empty text (dify pull request 3506)."""
    return {**body, "model": ""}


@fault("streams-of-no-model", caught_by=ONE, stage="chunk")
def streams_of_no_model(body: Json, shot: Shot) -> Json:
    """The model of a chunk is a blank."""
    return {**body, "model": " "}


@fault("data-written-twice", caught_by=EVENTS, stage="events", when=streaming)
def data_written_twice(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Each event begins with "data: data:": two layers have each put it there (shimmy issue 26)."""
    for item in items:
        if isinstance(item, (dict, Raw)):
            shot.fire()
            yield Raw(b"data: " + event(item))
        else:
            yield item


@fault("a-chunk-of-filters-first", caught_by=SCHEMA, stage="events", when=streaming)
def a_chunk_of_filters_first(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A chunk without an id, an object, a time and a model comes first, to tell what was filtered of the prompt
    (azure-sdk-for-go issue 21086)."""
    shot.fire()
    yield {"id": "", "object": "", "created": 0, "model": "", "prompt_filter_results": [], "choices": []}
    yield from items


@fault("choices-at-one-index", caught_by=COPIES, stage="chunk", when=several)
def choices_at_one_index(body: Json, shot: Shot) -> Json:
    """Every choice of a stream is told under index 0 (LiteLLM issues 3276 and 8977)."""
    return each_choice(body, lambda c: {**c, "index": 0} if c["index"] else c)


@fault("choices-end-at-one-index", caught_by=FINISH, stage="chunk", when=several)
def choices_end_at_one_index(body: Json, shot: Shot) -> Json:
    """The end of every choice of a stream is told under index 0 (llama.cpp pull request 20226)."""
    return each_choice(body, lambda c: {**c, "index": 0} if c["index"] and c["finish_reason"] else c)


@fault("no-reason-for-a-natural-end", caught_by=FINISH, stage="chunk", when=streaming)
def no_reason_for_a_natural_end(body: Json, shot: Shot) -> Json:
    """A stream that ends by itself has no finish_reason; one that its cap cuts has (vllm-mlx issue 628)."""
    return each_choice(body, lambda c: {**c, "finish_reason": None} if c["finish_reason"] == "stop" else c)


@fault("caps-ignored-in-streams", caught_by=CAPPED, stage="body", when=streaming)
def caps_ignored_in_streams(body: Json, shot: Shot) -> Json:
    """max_tokens holds for plain answers alone (FastDeploy pull request 3789)."""
    return without(body, "max_tokens")


@fault("stream-loses-line-ends", caught_by=ALIKE, stage="chunk", when=streaming)
def stream_loses_line_ends(body: Json, shot: Shot) -> Json:
    """Line ends are lost in streams: code and lists run into one line (LiteLLM issue 14159, grok2api issue 421)."""

    def lost(choice: Json) -> Json:
        said = choice["delta"].get("content") or ""
        return {**choice, "delta": {**choice["delta"], "content": said.replace("\n", "")}} if "\n" in said else choice

    return each_choice(body, lost)


@fault("done-in-the-last-event", caught_by=EVENTS, stage="events", when=streaming)
def done_in_the_last_event(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """No empty line stands before [DONE]: it is a line of the last chunk's event."""
    last: Item | None = None
    for item in items:
        if item is DONE and isinstance(last, dict):
            shot.fire()
            last = Raw(event(last)[:-1] + DONE.data)
        elif last is not None:
            yield last
            last = item
        else:
            last = item
    if last is not None:
        yield last


@fault("done-as-json", caught_by=EVENTS, stage="events", when=streaming)
def done_as_json(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Every event is encoded as JSON, and [DONE] with them: it stands in quotes."""
    for item in items:
        if item is DONE:
            shot.fire()
        yield Raw(b'data: "[DONE]"\n\n') if item is DONE else item


@fault("cap-met-a-token-late", caught_by=CUT, stage="body", when=capped)
def cap_met_a_token_late(body: Json, shot: Shot) -> Json:
    """An answer that its cap ends has a token more: it is counted from 0."""
    return {**body, **{name: body[name] + 1 for name in CAPS if body.get(name) is not None}}


@fault("streams-count-one-token", caught_by=CUT, stage="chunk", when=streaming)
def streams_count_one_token(body: Json, shot: Shot) -> Json:
    """The usage of a stream is that of its last step: one token, whatever came before it."""
    usage = body.get("usage")
    one = {"completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 0}}
    return {**body, "usage": {**usage, **one, "total_tokens": usage["prompt_tokens"] + 1}} if usage else body
