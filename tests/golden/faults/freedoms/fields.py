"""What the OpenAPI document leaves open: fields beside its own, fields that may be absent, strings of any kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.golden.edits import Json, api, each_choice, error_of, get, without
from tests.golden.faults.optional import with_tools
from tests.golden.faults.tools.calls import each_piece, first, of_function, streamed
from tests.golden.items import Item, Reply
from tests.golden.registry import Shot, freedom

ANSWER = ("whole", "chunk")
MORE = "OpenAPI document: no schema of an answer says additionalProperties: false"
ARGUMENTS = 1


def _held(choice: Json) -> str:
    return "delta" if "delta" in choice else "message"


@freedom("ids-of-any-string", of="ids", source="OpenAPI document, id: a unique identifier; a string", stage=ANSWER)
def ids_of_any_string(body: Json, shot: Shot) -> Json:
    """Ids of answers are of another script, with spaces and a quote."""
    return {**body, "id": f'№ {body["id"][-8:]} "✓"'}


@freedom("ids-of-a-number", of="ids", source="OpenAPI document, id: a unique identifier; a string", stage=ANSWER)
def ids_of_a_number(body: Json, shot: Shot) -> Json:
    """Ids of answers are a number, written as a string."""
    return {**body, "id": str(int(body["id"].rpartition("-")[2], 16))}


@freedom("no-fingerprint", of="fingerprint", source="OpenAPI document, system_fingerprint: not required", stage=ANSWER)
def no_fingerprint(body: Json, shot: Shot) -> Json:
    """Nothing is told of the fingerprint of the system."""
    return without(body, "system_fingerprint")


@freedom("more-fields-everywhere", of="more fields", source=MORE, stage=ANSWER)
def more_fields_everywhere(body: Json, shot: Shot) -> Json:
    """Choices, messages, deltas and usage have fields of the server's own, of every type."""
    own = {"x_engine": {"content": "no", "list": [1.5, 2]}, "stop_reason": None, "token_ids": [1, 2]}

    def of_choice(choice: Json) -> Json:
        return {**own, **choice, _held(choice): {**choice[_held(choice)], **own}}

    usage = {"usage": {**own, **body["usage"]}} if body.get("usage") else {}
    return {**each_choice(body, of_choice), **usage, "service_tier": "default", "prompt_logprobs": None}


@freedom(
    "nulls-for-what-is-not",
    of="nulls",
    source="OpenAPI document, ChatCompletionResponseMessage: refusal and audio are nullable; vLLM's ChatMessage",
    stage=ANSWER,
)
def nulls_for_what_is_not(body: Json, shot: Shot) -> Json:
    """Messages and deltas say null, or an empty list, for what they do not have."""
    nothing = {"refusal": None, "audio": None, "function_call": None}

    def of_choice(choice: Json) -> Json:
        more = {"annotations": []} if _held(choice) == "message" else {}
        return {**choice, _held(choice): {**nothing, **more, **choice[_held(choice)]}}

    return each_choice(body, of_choice)


@freedom(
    "no-logprobs-in-chunks",
    of="logprobs in chunks",
    source="OpenAPI document, CreateChatCompletionStreamResponse: logprobs of a choice is not required",
    stage="chunk",
)
def no_logprobs_in_chunks(body: Json, shot: Shot) -> Json:
    """Choices of chunks have no logprobs where there are none to tell."""
    return each_choice(body, lambda c: c if c.get("logprobs") else without(c, "logprobs"))


@freedom(
    "errors-of-their-own-words",
    of="errors",
    source="OpenAPI document, Error: type and code are strings of any kind",
    stage="reply",
    when=api,
)
def errors_of_their_own_words(reply: Reply, shot: Shot) -> Reply:
    """Error objects have a type, a code and fields that no list knows."""
    error = error_of(reply)
    if error is None:
        return reply
    told = {"details": [{"at": 1}], **error, "type": "falsche Anfrage", "code": "E-17"}
    return replace(reply, payload={"error": told, "request_id": "7f"})


@freedom(
    "models-with-more-fields",
    of="models",
    source="OpenAPI document, Model; vLLM's ModelCard",
    stage="reply",
    when=get("/v1/models"),
)
def models_with_more_fields(reply: Reply, shot: Shot) -> Reply:
    """Models have fields of the server's own, and so has their list."""
    if not isinstance(reply.payload, dict) or "data" not in reply.payload:
        return reply
    own = {"root": "/models/x", "parent": None, "permission": [{"id": "p", "object": "model_permission"}]}
    models = [{**own, **each} for each in reply.payload["data"]]
    return replace(reply, payload={"models": [], **reply.payload, "data": models})


@freedom(
    "arguments-a-letter-a-piece",
    of="pieces of calls",
    source="OpenAPI document, ChatCompletionMessageToolCallChunk: arguments come in pieces",
    stage="events",
    when=streamed,
    turn=ARGUMENTS,
)
def arguments_a_letter_a_piece(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """Each letter of the arguments of a call has a piece of its own."""
    for item in items:
        made = item["choices"][0]["delta"].get("tool_calls") if isinstance(item, dict) and item["choices"] else None
        if not made or first(made[0]) or not made[0]["function"].get("arguments"):
            yield item
            continue
        shot.fire()
        for letter in made[0]["function"]["arguments"]:
            entry = of_function(made[0], arguments=letter)
            yield each_choice(item, lambda c, entry=entry: {**c, "delta": {"tool_calls": [entry]}})


@freedom(
    "nulls-in-pieces-of-calls",
    of="pieces of calls tell",
    source="OpenAPI document, ChatCompletionMessageToolCallChunk: index alone is required; vLLM's DeltaToolCall",
    stage="chunk",
    when=streamed,
)
def nulls_in_pieces_of_calls(body: Json, shot: Shot) -> Json:
    """Later pieces of a call say null for id and name."""
    return each_piece(body, lambda e: e if first(e) else of_function({**e, "id": None}, name=None))


@freedom(
    "calls-beside-empty-content",
    of="content beside pieces",
    source="OpenAPI document, ChatCompletionStreamResponseDelta: content and tool_calls are no alternatives",
    stage="chunk",
    when=with_tools,
)
def calls_beside_empty_content(body: Json, shot: Shot) -> Json:
    """Deltas of calls have an empty content."""
    return _beside(body, "")


@freedom(
    "calls-beside-null-content",
    of="content beside pieces",
    source="OpenAPI document, ChatCompletionStreamResponseDelta: content is nullable",
    stage="chunk",
    when=with_tools,
)
def calls_beside_null_content(body: Json, shot: Shot) -> Json:
    """Deltas of calls have null as content."""
    return _beside(body, None)


def _beside(body: Json, content: str | None) -> Json:
    return each_choice(
        body, lambda c: {**c, "delta": {"content": content, **c["delta"]}} if c["delta"].get("tool_calls") else c
    )


@freedom(
    "models-listed-twice",
    of="list of models",
    source="LiteLLM issue 942: a name for each of its servers; OpenAPI document, ListModelsResponse: any Models",
    stage="reply",
    when=get("/v1/models"),
)
def models_listed_twice(reply: Reply, shot: Shot) -> Reply:
    """The list holds the same model twice."""
    return Reply(200, {**reply.payload, "data": reply.payload["data"] * 2}) if reply.status == 200 else reply


@freedom(
    "models-of-no-date",
    of="list of models",
    source="OpenAPI document, Model.created: an integer; text-generation-inference says 0",
    stage="reply",
    when=get("/v1/models"),
)
def models_of_no_date(reply: Reply, shot: Shot) -> Reply:
    """Nobody knows when the model was made: created is 0."""
    if reply.status != 200:
        return reply
    return Reply(200, {**reply.payload, "data": [{**item, "created": 0} for item in reply.payload["data"]]})
