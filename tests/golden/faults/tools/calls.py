"""Calls that are not made as asked, that lack what a call has, or of which an answer's end says something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from tests.golden.answers import Answer, tokens
from tests.golden.app.tools import ToolCall
from tests.golden.edits import Json, each_choice, each_message, without
from tests.golden.faults.optional import with_named_tool, with_tools
from tests.golden.registry import Call, Shot, fault, streaming

NONE = "tools/none-calls-nothing"
REQUIRED = "tools/required-calls"
NAMED = "tools/named-function-is-called"
SHAPED = "tools/call-has-its-fields"
FIT = "tools/forced-arguments-validate"
FINISH = "tools/finish-reason-tells-of-calls"
CUT = "tools/cut-call-says-length"
APART = "tools/parallel-calls-are-apart"
ONE = "tools/parallel-calls-can-be-turned-off"
EMPTY = "tools/no-parameters-are-an-empty-object"


def choice_is(word: str) -> Callable[[Call], bool]:
    """A chat that offers tools and makes this choice among them."""
    return lambda call: with_tools(call) and call.says("tool_choice") == word


def streamed(call: Call) -> bool:
    return with_tools(call) and streaming(call)


def forced(call: Call) -> bool:
    return choice_is("required")(call) or with_named_tool(call)


def each_call(body: Json, change: Callable[[int, Json], Json]) -> Json:
    """With each call of a plain answer changed, by its place."""

    def of_message(message: Json) -> Json:
        made = message.get("tool_calls")
        return {**message, "tool_calls": [change(n, c) for n, c in enumerate(made)]} if made else message

    return each_message(body, of_message)


def each_piece(body: Json, change: Callable[[Json], Json]) -> Json:
    """With each entry of the calls in a chunk changed; the same object where none was."""

    def of_choice(choice: Json) -> Json:
        made = choice["delta"].get("tool_calls")
        if not made:
            return choice
        entries = [change(entry) for entry in made]
        same = all(new is old for new, old in zip(entries, made, strict=True))
        return choice if same else {**choice, "delta": {**choice["delta"], "tool_calls": entries}}

    return each_choice(body, of_choice)


def first(entry: Json) -> bool:
    """Whether a piece is the first of its call."""
    return bool(entry.get("id"))


def of_function(entry: Json, **changes: object) -> Json:
    return {**entry, "function": {**entry["function"], **changes}}


def with_calls(answer: Answer, change: Callable[[int, ToolCall], ToolCall]) -> Answer:
    """With each call of an answer changed, by its place; the same object where it has none."""
    if not answer.calls:
        return answer
    return replace(answer, calls=tuple(change(n, call) for n, call in enumerate(answer.calls)))


# whether it calls


@fault("none-is-auto", caught_by=NONE, stage="body", when=choice_is("none"))
def none_is_auto(body: Json, shot: Shot) -> Json:
    """tool_choice "none" is not looked at (Ollama issue 17921)."""
    return without(body, "tool_choice")


@fault("none-calls-beside-words", caught_by=NONE, stage="draft", when=choice_is("none"))
def none_calls_beside_words(answer: Answer, shot: Shot) -> Answer:
    """Under tool_choice "none" a call stands beside the words."""
    name = shot.call.says("tools")[0]["function"]["name"]
    call = ToolCall("call_000000000000000000000000", tokens(name), tokens('{"city": "Oslo"}'))
    return replace(answer, content=("Let", " me", " look", "."), calls=(call,), finish="tool_calls")


@fault("none-drops-the-call", caught_by=NONE, stage=("body", "whole", "chunk"), when=choice_is("none"))
def none_drops_the_call(value: Json, shot: Shot) -> Json:
    """Under tool_choice "none" the model calls all the same, and the call is dropped from its answer."""
    if "messages" in value:
        return without(value, "tool_choice")
    if value["object"] == "chat.completion":
        return each_choice(value, lambda c: {**c, "message": without(c["message"], "tool_calls"), **STOPPED})
    return each_choice(
        value,
        lambda c: {**c, "delta": without(c["delta"], "tool_calls"), **(STOPPED if c["finish_reason"] else {})},
    )


STOPPED = {"finish_reason": "stop"}


@fault("required-is-auto", caught_by=REQUIRED, stage="body", when=choice_is("required"))
def required_is_auto(body: Json, shot: Shot) -> Json:
    """tool_choice "required" is not looked at (Ollama issue 8421)."""
    return without(body, "tool_choice")


@fault("tools-not-looked-at", caught_by=REQUIRED, stage="body", when=with_tools)
def tools_not_looked_at(body: Json, shot: Shot) -> Json:
    """Tools are accepted and left out, and whatever is said of them (Ollama for models whose template has none, before
    it refused them)."""
    return without(body, "tools", "tool_choice", "parallel_tool_calls")


@fault("required-empty-list", caught_by=REQUIRED, stage=("draft", "whole"), when=choice_is("required"))
def required_empty_list(value: Answer | Json, shot: Shot) -> Answer | Json:
    """tool_choice "required" is answered with an empty list of calls."""
    if isinstance(value, Answer):
        return replace(value, calls=())
    return each_message(value, lambda m: {**m, "content": None, "tool_calls": []})


@fault("streams-without-calls", caught_by=REQUIRED, stage="chunk", when=streamed)
def streams_without_calls(body: Json, shot: Shot) -> Json:
    """Calls are left out of streams (vMLX issue 219)."""
    return each_choice(
        body, lambda c: {**c, "delta": without(c["delta"], "tool_calls")} if c["delta"].get("tool_calls") else c
    )


@fault("named-is-auto", caught_by=NAMED, stage="body", when=with_named_tool)
def named_is_auto(body: Json, shot: Shot) -> Json:
    """The function that tool_choice names is not looked at (Ollama, LocalAI)."""
    return without(body, "tool_choice")


@fault("named-is-required", caught_by=NAMED, stage="body", when=with_named_tool)
def named_is_required(body: Json, shot: Shot) -> Json:
    """Of a named function only that something is called is heeded."""
    return {**body, "tool_choice": "required"}


@fault("named-and-another", caught_by=NAMED, stage="draft", when=with_named_tool)
def named_and_another(answer: Answer, shot: Shot) -> Answer:
    """Beside the named function another one is called."""
    named = shot.call.says("tool_choice")["function"]["name"]
    others = [tool["function"]["name"] for tool in shot.call.says("tools") if tool["function"]["name"] != named]
    if not others:
        return answer
    more = ToolCall("call_111111111111111111111111", tokens(others[0]), tokens('{"city": "Oslo"}'))
    return replace(answer, calls=(*answer.calls, more))


# what a call has


@fault("call-without-id", caught_by=SHAPED, stage=("whole", "chunk"), when=with_tools)
def call_without_id(body: Json, shot: Shot) -> Json:
    """Calls have no id (vLLM issue 18412)."""
    if body["object"] == "chat.completion":
        return each_call(body, lambda _n, c: without(c, "id"))
    return each_piece(body, lambda entry: without(entry, "id"))


@fault("call-id-empty", caught_by=SHAPED, stage="whole", when=with_tools)
def call_id_empty(body: Json, shot: Shot) -> Json:
    """The id of a call is an empty text."""
    return each_call(body, lambda _n, c: {**c, "id": ""})


@fault("call-type-missing", caught_by=SHAPED, stage=("whole", "chunk"), when=with_tools)
def call_type_missing(body: Json, shot: Shot) -> Json:
    """Calls have no type (llama.cpp before pull request 13800)."""
    if body["object"] == "chat.completion":
        return each_call(body, lambda _n, c: without(c, "type"))
    return each_piece(body, lambda entry: without(entry, "type"))


@fault("call-type-null-later", caught_by=SHAPED, stage="chunk", when=streamed)
def call_type_null_later(body: Json, shot: Shot) -> Json:
    """Later pieces of a streamed call say that its type is null (a model of fields that is written out whole)."""
    return each_piece(body, lambda entry: entry if first(entry) else {**entry, "type": None})


@fault("arguments-as-a-repr", caught_by=SHAPED, stage="draft", when=with_tools)
def arguments_as_a_repr(answer: Answer, shot: Shot) -> Answer:
    """The arguments of a call are what Python prints of them, plain and streamed."""
    return with_calls(answer, lambda _n, c: replace(c, arguments=tokens(repr(json.loads("".join(c.arguments))))))


@fault("words-behind-arguments", caught_by=SHAPED, stage="draft", when=with_tools)
def words_behind_arguments(answer: Answer, shot: Shot) -> Answer:
    """What the model says after its arguments stands in them, plain and streamed (librefang pull request 2995: so from
    Ollama)."""
    return with_calls(answer, lambda _n, c: replace(c, arguments=(*c.arguments, *tokens("\n\nI will look."))))


@fault("call-by-another-name", caught_by=SHAPED, stage=("whole", "chunk"), when=with_tools)
def call_by_another_name(body: Json, shot: Shot) -> Json:
    """A call has its function's name with a prefix of the model's own."""
    if body["object"] == "chat.completion":
        return each_call(body, lambda _n, c: of_function(c, name=f"functions.{c['function']['name']}"))
    return each_piece(body, lambda e: of_function(e, name=f"functions.{e['function']['name']}") if first(e) else e)


@fault("arguments-an-object", caught_by=SHAPED, stage="whole", when=with_tools)
def arguments_an_object(body: Json, shot: Shot) -> Json:
    """The arguments of a call are an object, and not its text (vLLM pull request 10398)."""
    return each_call(body, lambda _n, c: of_function(c, arguments=_value(c["function"]["arguments"])))


@fault("arguments-encoded-twice", caught_by=SHAPED, stage="whole", when=with_tools)
def arguments_encoded_twice(body: Json, shot: Shot) -> Json:
    """The arguments of a call are the JSON of a text that holds JSON."""
    return each_call(body, lambda _n, c: of_function(c, arguments=json.dumps(c["function"]["arguments"])))


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return {}


@fault("arguments-with-nan", caught_by=SHAPED, stage="draft", when=with_tools)
def arguments_with_nan(answer: Answer, shot: Shot) -> Answer:
    """The arguments of a call hold NaN, which is no JSON (RFC 8259 6; Python's own encoder writes it)."""
    return with_calls(answer, lambda _n, c: replace(c, arguments=tokens('{"city": NaN}')))


@fault("arguments-beside-the-schema", caught_by=FIT, stage="draft", when=forced)
def arguments_beside_the_schema(answer: Answer, shot: Shot) -> Answer:
    """The arguments of a forced call have other keys than the schema (13 of 100 calls in the K2 Vendor Verifier)."""
    return with_calls(answer, lambda _n, c: replace(c, arguments=tokens('{"location": "Oslo"}')))


@fault("arguments-of-another-type", caught_by=FIT, stage="draft", when=forced)
def arguments_of_another_type(answer: Answer, shot: Shot) -> Answer:
    """The arguments of a forced call are numbers where the schema has texts."""
    return with_calls(
        answer, lambda _n, c: replace(c, arguments=tokens(json.dumps(dict.fromkeys(_value("".join(c.arguments)), 7))))
    )


@fault("no-arguments-no-text", caught_by=EMPTY, stage="draft", when=with_tools)
def no_arguments_no_text(answer: Answer, shot: Shot) -> Answer:
    """A call without arguments has an empty text as its arguments (ogx pull request 5462)."""
    empty = [call for call in answer.calls if "".join(call.arguments) == "{}"]
    return with_calls(answer, lambda _n, c: replace(c, arguments=())) if empty else answer


# how the answer ends


@fault("calls-say-stop", caught_by=FINISH, stage=("whole", "chunk"), when=choice_is("required"))
def calls_say_stop(body: Json, shot: Shot) -> Json:
    """An answer with calls ends with "stop" (vLLM before pull request 9209)."""
    return each_choice(body, lambda c: {**c, "finish_reason": "stop"} if c["finish_reason"] == "tool_calls" else c)


@fault("named-calls-say-function-call", caught_by=FINISH, stage=("whole", "chunk"), when=with_named_tool)
def named_calls_say_function_call(body: Json, shot: Shot) -> Json:
    """An answer with a named call ends with the word of old, "function_call"."""
    return each_choice(
        body, lambda c: {**c, "finish_reason": "function_call"} if c["finish_reason"] == "tool_calls" else c
    )


@fault("talk-says-tool-calls", caught_by=FINISH, stage=("whole", "chunk"), when=choice_is("none"))
def talk_says_tool_calls(body: Json, shot: Shot) -> Json:
    """An answer of words ends with "tool_calls" where tools were offered."""
    return each_choice(body, lambda c: {**c, "finish_reason": "tool_calls"} if c["finish_reason"] else c)


@fault("cut-call-says-tool-calls", caught_by=CUT, stage="answer", when=with_tools)
def cut_call_says_tool_calls(answer: Answer, shot: Shot) -> Answer:
    """A call that the cap cuts ends with "tool_calls" (vLLM issue 53269)."""
    return replace(answer, finish="tool_calls") if answer.calls and answer.finish == "length" else answer


@fault("cut-call-mended", caught_by=CUT, stage="answer", when=streamed)
def cut_call_mended(answer: Answer, shot: Shot) -> Answer:
    """A stream whose call the cap cuts is mended: the arguments are closed, and it ends with "tool_calls"."""
    if not answer.calls or answer.finish != "length":
        return answer
    *others, last = answer.calls
    closed = ("{", *[" "] * (len(last.arguments) - 2), "}")
    return replace(answer, calls=(*others, replace(last, arguments=closed)), finish="tool_calls")


# several


@fault("calls-share-an-id", caught_by=APART, stage=("whole", "chunk"), when=with_tools)
def calls_share_an_id(body: Json, shot: Shot) -> Json:
    """All calls of an answer have one id."""
    same = shot.scratch.setdefault("id", "call_0")
    if body["object"] == "chat.completion":
        return each_call(body, lambda _n, c: {**c, "id": same})
    return each_piece(body, lambda entry: {**entry, "id": same} if first(entry) else entry)


@fault("calls-in-one", caught_by=APART, stage="whole", when=with_tools)
def calls_in_one(body: Json, shot: Shot) -> Json:
    """The arguments of all calls stand in the first one (what gateways make of calls without an index)."""

    def of_message(message: Json) -> Json:
        made = message.get("tool_calls") or []
        if len(made) < 2:
            return message
        joined = "".join(call["function"]["arguments"] for call in made)
        return {**message, "tool_calls": [of_function(made[0], arguments=joined)]}

    return each_message(body, of_message) if _several(body) else body


def _several(body: Json) -> bool:
    return any(len(choice["message"].get("tool_calls") or ()) > 1 for choice in body["choices"])


@fault("parallel-not-heeded", caught_by=ONE, stage="body", when=with_tools)
def parallel_not_heeded(body: Json, shot: Shot) -> Json:
    """parallel_tool_calls is not looked at (vLLM of old)."""
    return without(body, "parallel_tool_calls")
