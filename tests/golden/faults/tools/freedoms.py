"""Calls that are unusual and right: no rule may find anything on them."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.golden.answers import Answer, tokens
from tests.golden.app.tools import ToolCall
from tests.golden.edits import Json, each_choice, each_message
from tests.golden.faults.optional import with_tools
from tests.golden.faults.tools.calls import each_call, each_piece, first, of_function, streamed, with_calls
from tests.golden.registry import Shot, freedom


@freedom(
    "call-type-in-every-piece",
    stage="chunk",
    when=streamed,
    of="pieces of calls tell",
    source="OpenAPI document, ChatCompletionMessageToolCallChunk: type; vLLM",
)
def call_type_in_every_piece(body: Json, shot: Shot) -> Json:
    """Each piece of a streamed call tells its type again, and an empty id (vLLM)."""
    return each_piece(body, lambda entry: entry if first(entry) else {**entry, "id": "", "type": "function"})


@freedom(
    "call-of-any-id",
    stage=("whole", "chunk"),
    when=with_tools,
    of="ids of calls",
    source="OpenAPI document, ChatCompletionMessageToolCall: id is a string",
)
def call_of_any_id(body: Json, shot: Shot) -> Json:
    """Ids of calls are of any script and length, and their numbers count the calls of one conversation alone."""
    earlier = sum(len(m.get("tool_calls") or ()) for m in shot.call.says("messages"))
    if body["object"] == "chat.completion":
        return each_call(body, lambda n, c: {**c, "id": f"вызов {earlier + n}"})
    return each_piece(body, lambda e: {**e, "id": f"вызов {earlier + e['index']}"} if first(e) else e)


@freedom(
    "arguments-spread-out",
    stage="draft",
    when=with_tools,
    of="arguments",
    source="RFC 8259 2 and 7: white space, escapes; arguments are in JSON format",
)
def arguments_spread_out(answer: Answer, shot: Shot) -> Answer:
    """The JSON of arguments has white space wherever it may, and spells letters as escapes."""

    def spread(_n: int, call: ToolCall) -> ToolCall:
        value = json.loads("".join(call.arguments))
        return replace(call, arguments=tokens(f" {json.dumps(value, indent=2)}\n"))

    return with_calls(answer, spread)


@freedom(
    "no-arguments-at-first",
    stage="chunk",
    when=streamed,
    of="pieces of calls",
    source="OpenAPI document, ChatCompletionMessageToolCallChunk: index alone is required",
)
def no_arguments_at_first(body: Json, shot: Shot) -> Json:
    """The first piece of a streamed call has no arguments, not even an empty text."""
    return each_piece(body, lambda e: {**e, "function": {"name": e["function"]["name"]}} if first(e) else e)


@freedom(
    "no-calls-as-an-empty-list",
    stage="whole",
    when=with_tools,
    of="no calls, plain",
    source="vLLM: tool_calls: [] where there are none",
)
def no_calls_as_an_empty_list(body: Json, shot: Shot) -> Json:
    """A message without calls has an empty list of them (vLLM)."""
    return each_message(body, lambda m: m if m.get("tool_calls") else {**m, "tool_calls": []})


@freedom(
    "no-calls-as-null",
    stage="chunk",
    when=streamed,
    of="no calls, streamed",
    source="vLLM and others: tool_calls: null where there are none",
)
def no_calls_as_null(body: Json, shot: Shot) -> Json:
    """A delta without calls says tool_calls: null."""
    return each_choice(body, lambda c: {**c, "delta": {"tool_calls": None, **c["delta"]}})


@freedom(
    "calls-with-more-fields",
    stage=("whole", "chunk"),
    when=with_tools,
    of="fields of calls",
    source="OpenAPI document: no schema of an answer says additionalProperties: false",
)
def calls_with_more_fields(body: Json, shot: Shot) -> Json:
    """A plain call has an index as well, and functions have a field of the server's own."""
    if body["object"] == "chat.completion":
        return each_call(body, lambda n, c: of_function({**c, "index": n}, raw=""))
    return each_piece(body, lambda e: {**e, "x_engine": 1})


@freedom(
    "nulls-in-later-pieces",
    stage="chunk",
    when=streamed,
    of="pieces of calls tell",
    source="OpenAPI document, ChatCompletionMessageToolCallChunk: index alone is required; SGLang",
)
def nulls_in_later_pieces(body: Json, shot: Shot) -> Json:
    """Later pieces of a streamed call have null as id and as name, beside a type that comes again (SGLang)."""
    return each_piece(
        body,
        lambda e: e if first(e) else of_function({**e, "id": None, "type": "function"}, name=None),
    )
