"""JSON that is none: formats that bind nothing, fences, prefaces, prose, cuts."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.golden.answers import Answer
from tests.golden.edits import Json, each_choice, each_message, without
from tests.golden.faults.optional import with_format
from tests.golden.faults.structured.asked import against, any_object, dumped, of_schema, plain, said, streamed
from tests.golden.registry import Shot, fault

BOUND = "structured/answer-validates"
STREAMED = "structured/streamed-answer-validates"
OBJECT = "structured/json-object-gives-an-object"
PROMPT = "structured/prompt-cannot-talk-it-out-of-the-schema"
CUT = "structured/cut-answer-says-length"


@fault("schema-ignored", caught_by=BOUND, stage="body", when=plain)
def schema_ignored(body: Json, shot: Shot) -> Json:
    """json_schema is accepted, and binds nothing (llama.cpp issue 24097)."""
    return without(body, "response_format")


@fault("schema-in-a-fence", caught_by=BOUND, stage="draft", when=plain)
def schema_in_a_fence(answer: Answer, shot: Shot) -> Answer:
    """The object stands in a fence of Markdown, as models write it that are only asked for it."""
    return said(answer, lambda value: f"```json\n{dumped(value)}\n```", shot)


@fault("schema-as-a-call", caught_by=BOUND, stage="whole", when=of_schema)
def schema_as_a_call(body: Json, shot: Shot) -> Json:
    """The object comes as the arguments of a call that nobody offered (what LiteLLM makes of a schema for who has tools
    alone, if it does not turn it back)."""

    def called(choice: Json) -> Json:
        message = choice["message"]
        if message.get("tool_calls"):
            return choice
        function = {"name": "json_tool_call", "arguments": message["content"]}
        made = [{"id": "call_1", "type": "function", "function": function}]
        return {**choice, "message": {**message, "content": None, "tool_calls": made}, "finish_reason": "tool_calls"}

    return each_choice(body, called)


@fault("object-as-thought", caught_by=BOUND, stage="draft", when=of_schema)
def object_as_thought(answer: Answer, shot: Shot) -> Answer:
    """The object stands in the thought, and the content is empty (LM Studio bug tracker 1602)."""
    return answer if answer.calls or not answer.content else replace(answer, reasoning=answer.content, content=())


@fault("object-decoded", caught_by="chat/content-is-string-or-null", stage="whole", when=with_format)
def object_decoded(body: Json, shot: Shot) -> Json:
    """The content is the object, and not its text."""
    return each_message(body, lambda m: {**m, "content": _value(m["content"])} if m["content"] else m)


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


@fault("schema-after-a-preface", caught_by=BOUND, stage="draft", when=plain)
def schema_after_a_preface(answer: Answer, shot: Shot) -> Answer:
    """Some words come before the object."""
    return said(answer, lambda value: f"Here is the JSON: {dumped(value)}", shot)


@fault("half-an-object-says-stop", caught_by=BOUND, stage="draft", when=plain)
def half_an_object_says_stop(answer: Answer, shot: Shot) -> Answer:
    """The answer ends by itself in the middle of the object."""
    return replace(answer, content=answer.content[: len(answer.content) // 2])


@fault("schema-ignored-in-streams", caught_by=STREAMED, stage="body", when=streamed)
def schema_ignored_in_streams(body: Json, shot: Shot) -> Json:
    """json_schema binds plain answers alone (llama.cpp PR 21537: whole paths of one server leave it out)."""
    return without(body, "response_format")


@fault("fence-in-streams", caught_by=STREAMED, stage="draft", when=streamed)
def fence_in_streams(answer: Answer, shot: Shot) -> Answer:
    """The object stands in a fence of Markdown that is taken off plain answers alone."""
    return said(answer, lambda value: f"```json\n{dumped(value)}\n```", shot)


@fault("json-object-ignored", caught_by=OBJECT, stage="body", when=any_object)
def json_object_ignored(body: Json, shot: Shot) -> Json:
    """json_object is accepted, and binds nothing (igllama PR 81)."""
    return without(body, "response_format")


@fault("json-object-is-a-list", caught_by=OBJECT, stage="draft", when=any_object)
def json_object_is_a_list(answer: Answer, shot: Shot) -> Answer:
    """Where json_object is asked for, any JSON is given."""
    return said(answer, lambda value: dumped([value]), shot)


@fault("prompt-before-schema", caught_by=PROMPT, stage="body", when=against)
def prompt_before_schema(body: Json, shot: Shot) -> Json:
    """The schema is only told to the model, and a prompt that asks for prose is followed."""
    return without(body, "response_format")


@fault("prose-after-the-object", caught_by=PROMPT, stage="draft", when=against)
def prose_after_the_object(answer: Answer, shot: Shot) -> Answer:
    """The schema binds the beginning, and the prose that the prompt asks for follows."""
    return said(answer, lambda value: f"{dumped(value)}\n\nThe sea is wide.", shot)


@fault("cut-object-says-stop", caught_by=CUT, stage="answer", when=of_schema)
def cut_object_says_stop(answer: Answer, shot: Shot) -> Answer:
    """An object cut by its cap says that it ended by itself."""
    return replace(answer, finish="stop") if answer.finish == "length" else answer


@fault("cut-object-is-closed", caught_by=CUT, stage="answer", when=of_schema)
def cut_object_is_closed(answer: Answer, shot: Shot) -> Answer:
    """An object cut by its cap is closed by the server, which says that it ended by itself."""
    if answer.finish != "length" or not answer.content:
        return answer
    return replace(answer.then('"}'), finish="stop")
