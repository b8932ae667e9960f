"""Calls whose pieces do not join, in streams."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from tests.golden.answers import Answer
from tests.golden.edits import Json, each_choice, each_message, without
from tests.golden.faults.optional import with_named_tool, with_tools
from tests.golden.faults.tools.calls import each_piece, first, of_function, streamed, with_calls
from tests.golden.items import Item
from tests.golden.registry import Call, Shot, fault, streaming

INDEX = "tools/streamed-calls-carry-their-index"
ONCE = "tools/id-and-name-of-a-streamed-call-come-once"
JOINED = "tools/streamed-arguments-join-to-an-object"
SAME = "tools/streamed-call-is-the-plain-one"
NULL = "tools/no-piece-of-arguments-is-null"
BESIDE = "tools/words-beside-a-call-are-kept"


def named_in_a_stream(call: Call) -> bool:
    return with_named_tool(call) and streaming(call)


@fault("calls-at-one-index", caught_by=INDEX, stage="chunk", when=streamed)
def calls_at_one_index(body: Json, shot: Shot) -> Json:
    """All calls of a stream are of index 0 (gateways; lmdeploy issue 3412)."""
    return each_piece(body, lambda entry: entry if entry["index"] == 0 else {**entry, "index": 0})


@fault("call-index-missing", caught_by=INDEX, stage="chunk", when=streamed)
def call_index_missing(body: Json, shot: Shot) -> Json:
    """The pieces of a streamed call have no index."""
    return each_piece(body, lambda entry: without(entry, "index"))


@fault("call-index-from-one", caught_by=INDEX, stage="chunk", when=streamed)
def call_index_from_one(body: Json, shot: Shot) -> Json:
    """The calls of a stream are numbered from 1."""
    return each_piece(body, lambda entry: {**entry, "index": entry["index"] + 1})


@fault("call-index-a-text", caught_by=INDEX, stage="chunk", when=streamed)
def call_index_a_text(body: Json, shot: Shot) -> Json:
    """The index of a streamed call is a text."""
    return each_piece(body, lambda entry: {**entry, "index": str(entry["index"])})


@fault("call-index-of-the-piece", caught_by=INDEX, stage="chunk", when=streamed)
def call_index_of_the_piece(body: Json, shot: Shot) -> Json:
    """Each piece of a streamed call has a number of its own (LocalAI issue 9722)."""

    def numbered(entry: Json) -> Json:
        shot.scratch["pieces"] = at = shot.scratch.get("pieces", -1) + 1
        return {**entry, "index": at} if at != entry["index"] else entry

    return each_piece(body, numbered)


@fault("streamed-calls-without-a-function", caught_by="tools/call-has-its-fields", stage="chunk", when=streamed)
def streamed_calls_without_a_function(body: Json, shot: Shot) -> Json:
    """Name and arguments of a streamed call stand beside its id, as in the API of Responses."""
    return each_piece(body, lambda entry: {**without(entry, "function"), **entry["function"]})


@fault("name-in-every-delta", caught_by=ONCE, stage="chunk", when=streamed)
def name_in_every_delta(body: Json, shot: Shot) -> Json:
    """Each piece of a streamed call tells the function's name (llama.cpp issue 13774)."""

    def named(entry: Json) -> Json:
        if first(entry):
            shot.scratch[entry["index"]] = entry["function"]["name"]
            return entry
        return of_function(entry, name=shot.scratch[entry["index"]])

    return each_piece(body, named)


@fault("id-in-every-delta", caught_by=ONCE, stage="chunk", when=streamed)
def id_in_every_delta(body: Json, shot: Shot) -> Json:
    """Each piece of a streamed call tells its id (SGLang in lmdeploy issue 3412)."""

    def known(entry: Json) -> Json:
        if first(entry):
            shot.scratch[entry["index"]] = entry["id"]
            return entry
        return {**entry, "id": shot.scratch[entry["index"]]}

    return each_piece(body, known)


@fault("id-new-in-every-delta", caught_by=ONCE, stage="chunk", when=streamed)
def id_new_in_every_delta(body: Json, shot: Shot) -> Json:
    """Each piece of a streamed call has an id of its own (vLLM pull request 23522)."""
    return each_piece(body, lambda e: e if first(e) else {**e, "id": f"call_{shot.draw.getrandbits(96):024x}"})


@fault("call-begins-without-its-id", caught_by=ONCE, stage="events", when=streamed)
def call_begins_without_its_id(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The first piece of a streamed call has neither its id nor its name: they come with the next (vercel/ai issue
    18440, opencode pull request 47954)."""
    for item in items:
        choice = item["choices"][0] if isinstance(item, dict) and item["choices"] else None
        made = choice["delta"].get("tool_calls") if choice else None
        if made and first(made[0]):
            shot.fire()
            before = [{"index": each["index"], "type": "function", "function": {"arguments": ""}} for each in made]
            yield {**item, "choices": [{**choice, "delta": {**choice["delta"], "tool_calls": before}}]}
            yield {**item, "choices": [{**choice, "delta": {"tool_calls": made}}]}
        else:
            yield item


@fault("streamed-arguments-an-object", caught_by=JOINED, stage=("draft", "chunk"), when=streamed)
def streamed_arguments_an_object(value: Answer | Json, shot: Shot) -> Answer | Json:
    """The arguments of a streamed call come as an object at once (vLLM pull request 10398)."""
    if isinstance(value, Answer):
        shot.scratch["calls"] = ["".join(call.arguments) for call in value.calls]
        return value

    def whole(entry: Json) -> Json:
        if not first(entry):
            return without(entry, "function")
        return of_function(entry, arguments=json.loads(shot.scratch["calls"][entry["index"]]))

    return each_piece(value, whole)


@fault("streamed-arguments-after-braces", caught_by=JOINED, stage="chunk", when=streamed)
def streamed_arguments_after_braces(body: Json, shot: Shot) -> Json:
    """The arguments of a streamed call come behind an empty object (ogx pull request 5462)."""
    return each_piece(body, lambda entry: of_function(entry, arguments="{}") if first(entry) else entry)


@fault("streamed-arguments-never-end", caught_by=JOINED, stage="chunk", when=streamed)
def streamed_arguments_never_end(body: Json, shot: Shot) -> Json:
    """The last brace of a streamed call's arguments is held back."""
    return each_piece(body, lambda e: of_function(e, arguments="") if e["function"]["arguments"] == "}" else e)


@fault("streamed-piece-lost", caught_by=SAME, stage="chunk", when=streamed)
def streamed_piece_lost(body: Json, shot: Shot) -> Json:
    """A piece of a text in a streamed call's arguments is lost."""
    return each_piece(body, lambda e: of_function(e, arguments="") if _of_value(e, shot) else e)


@fault("streamed-piece-twice", caught_by=SAME, stage="chunk", when=streamed)
def streamed_piece_twice(body: Json, shot: Shot) -> Json:
    """A piece of a text in a streamed call's arguments comes twice (vLLM issue 24509)."""
    return each_piece(
        body, lambda e: of_function(e, arguments=2 * e["function"]["arguments"]) if _of_value(e, shot) else e
    )


def _of_value(entry: Json, shot: Shot) -> bool:
    """Whether a piece is letters of a value: behind a colon."""
    text = entry["function"]["arguments"]
    shot.scratch["behind"] = not first(entry) and (shot.scratch.get("behind", False) or ":" in text)
    return bool(shot.scratch["behind"] and text.strip().isalpha())


@fault("streamed-arguments-lose-letters", caught_by=SAME, stage="draft", when=streamed)
def streamed_arguments_lose_letters(answer: Answer, shot: Shot) -> Answer:
    """Letters of several bytes come as U+FFFD in streamed calls: tokens are decoded apart (ferrox issue 124)."""
    torn = tuple(tuple(re.sub(r"[^\x00-\x7f]", "\ufffd", piece) for piece in call.arguments) for call in answer.calls)
    return with_calls(answer, lambda n, call: replace(call, arguments=torn[n]))


@fault("arguments-null-first", caught_by=NULL, stage="chunk", when=streamed)
def arguments_null_first(body: Json, shot: Shot) -> Json:
    """The first piece of a streamed call has null as its arguments (ogx pull request 5462)."""
    return each_piece(body, lambda entry: of_function(entry, arguments=None) if first(entry) else entry)


@fault("words-beside-dropped", caught_by=BESIDE, stage="whole", when=with_tools)
def words_beside_dropped(body: Json, shot: Shot) -> Json:
    """A plain answer with calls has no content, whatever the model said before."""
    return each_message(body, lambda m: {**m, "content": None} if m.get("tool_calls") and m["content"] else m)


@fault("words-beside-dropped-in-streams", caught_by=BESIDE, stage="draft", when=streamed)
def words_beside_dropped_in_streams(answer: Answer, shot: Shot) -> Answer:
    """A stream with calls has no content, whatever the model said before."""
    return replace(answer, content=()) if answer.calls and answer.content else answer


@fault("streamed-arguments-lose-spaces", caught_by=SAME, stage="chunk", when=streamed)
def streamed_arguments_lose_spaces(body: Json, shot: Shot) -> Json:
    """The white space of a streamed call's arguments is lost: each piece is trimmed."""
    return each_piece(body, lambda e: of_function(e, arguments=e["function"]["arguments"].replace(" ", "")))


@fault("finish-reason-in-each-piece", caught_by="sse/one-finish-reason-per-choice", stage="chunk", when=streamed)
def finish_reason_in_each_piece(body: Json, shot: Shot) -> Json:
    """Each piece of a streamed call says that the answer ends with calls."""
    return each_choice(body, lambda c: {**c, "finish_reason": "tool_calls"} if c["delta"].get("tool_calls") else c)


@fault("named-arguments-as-content", caught_by="tools/named-function-is-called", stage="draft", when=named_in_a_stream)
def named_arguments_as_content(answer: Answer, shot: Shot) -> Answer:
    """The arguments of a named function are the content of a stream, which ends with calls all the same."""
    return replace(answer, calls=(), content=answer.calls[0].arguments) if answer.calls else answer


@fault("calls-as-one-object", caught_by="tools/required-calls", stage=("whole", "chunk"), when=with_tools)
def calls_as_one_object(body: Json, shot: Shot) -> Json:
    """tool_calls is the one call itself, and no list."""

    def alone(told: Json) -> Json:
        return {**told, "tool_calls": told["tool_calls"][0]} if told.get("tool_calls") else told

    held = "message" if body["object"] == "chat.completion" else "delta"
    return each_choice(body, lambda c: {**c, held: alone(c[held])} if c[held].get("tool_calls") else c)
