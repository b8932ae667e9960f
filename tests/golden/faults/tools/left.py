"""Calls that are left in the words, beside a call that was made or in its place."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.golden.answers import Answer, tokens
from tests.golden.edits import Json, each_choice, each_message, without
from tests.golden.faults.optional import with_format, with_tools
from tests.golden.faults.tools.calls import choice_is
from tests.golden.registry import Call, Shot, fault, freedom

MARKUP = "tools/no-markup-is-left-in-the-content"


def _free(call: Call) -> bool:
    """A chat that offers tools, and leaves it to the model whether it calls any."""
    return with_tools(call) and call.says("tool_choice") in (None, "auto")


def _first(answer: Answer) -> tuple[str, str]:
    """Name and arguments of the first call."""
    return "".join(answer.calls[0].name), "".join(answer.calls[0].arguments)


def _as_a_program(answer: Answer) -> str:
    name, arguments = _first(answer)
    given = ", ".join(f"{key}={json.dumps(value)}" for key, value in json.loads(arguments).items())
    return f"[{name}({given})]"


@fault("markup-in-the-content", caught_by=MARKUP, stage="draft", when=choice_is("none"))
def markup_in_the_content(answer: Answer, shot: Shot) -> Answer:
    """Under tool_choice "none" the model's own markup of a call comes as content (llama.cpp)."""
    return replace(answer, content=tokens('<tool_call>{"name": "get_weather"}</tool_call>'))


@fault("markup-beside-calls", caught_by=MARKUP, stage="draft", when=with_tools)
def markup_beside_calls(answer: Answer, shot: Shot) -> Answer:
    """The end of a model's markup is left beside a call."""
    return replace(answer, content=tokens("[TOOL_CALLS]")) if answer.calls else answer


@fault("markup-of-lists-beside-calls", caught_by=MARKUP, stage="draft", when=with_tools)
def markup_of_lists_beside_calls(answer: Answer, shot: Shot) -> Answer:
    """The list in which LFM2 calls is left beside the call that was made of it (Rapid-MLX pull request 1592)."""
    if not answer.calls:
        return answer
    return replace(answer, content=tokens(f"<|tool_call_start|>{_as_a_program(answer)}<|tool_call_end|>"))


@fault("markup-of-a-maker-in-the-content", caught_by=MARKUP, stage="draft", when=choice_is("none"))
def markup_of_a_maker_in_the_content(answer: Answer, shot: Shot) -> Answer:
    """Under tool_choice "none" markup that bears its maker's name comes as content (vLLM issue 51073)."""
    return replace(answer, content=tokens("<minimax:tool_call>\n"))


@fault("call-told-in-the-content-too", caught_by=MARKUP, stage="draft", when=with_tools)
def call_told_in_the_content_too(answer: Answer, shot: Shot) -> Answer:
    """The JSON that the model wrote is left in the content, beside the call that was made of it (MTPLX issue 249)."""
    if not answer.calls:
        return answer
    name, arguments = _first(answer)
    return replace(answer, content=tokens(f'{{"name": "{name}", "parameters": {arguments}}}'))


@fault("call-told-in-json-alone", caught_by=MARKUP, stage="draft", when=_free)
def call_told_in_json_alone(answer: Answer, shot: Shot) -> Answer:
    """No call is made of the JSON that the model wrote: it is the content (llama.cpp issue 22786)."""
    if not answer.calls:
        return answer
    name, arguments = _first(answer)
    told = f'```json\n{{"name": "{name}", "arguments": {arguments}}}\n```'
    return replace(answer, content=tokens(told), calls=(), finish="stop")


@fault("call-told-as-a-program-alone", caught_by=MARKUP, stage="draft", when=_free)
def call_told_as_a_program_alone(answer: Answer, shot: Shot) -> Answer:
    """No call is made of what the model wrote as a program calls: it is the content (qwen-code issue 10692 has it of
    another spelling)."""
    return replace(answer, content=tokens(_as_a_program(answer)), calls=(), finish="stop") if answer.calls else answer


@fault("calls-as-parts-of-the-content", caught_by="chat/content-is-string-or-null", stage="whole", when=with_tools)
def calls_as_parts_of_the_content(body: Json, shot: Shot) -> Json:
    """A call is a part of the content, as in Anthropic's API: a gateway translates the words alone."""

    def of_message(message: Json) -> Json:
        made = message.get("tool_calls")
        if not made:
            return message
        parts = [{"type": "tool_use", "id": call["id"], **call["function"]} for call in made]
        return {**without(message, "tool_calls"), "content": parts}

    return each_message(body, of_message)


@fault("calls-as-they-were-of-old", caught_by="tools/required-calls", stage="whole", when=with_tools)
def calls_as_they_were_of_old(body: Json, shot: Shot) -> Json:
    """A call of a tool is answered as function_call, which was before there were tools."""

    def of_choice(choice: Json) -> Json:
        message = choice["message"]
        made = message.get("tool_calls")
        if not made:
            return choice
        old = {**without(message, "tool_calls"), "function_call": made[0]["function"]}
        return {**choice, "message": old, "finish_reason": "function_call"}

    return each_choice(body, of_choice)


@freedom(
    "words-speak-of-a-call",
    of="words on tools",
    source="OpenAPI document, ChatCompletionResponseMessage: content is a string, of any words",
    stage="draft",
    when=lambda call: choice_is("none")(call) and not with_format(call),
)
def words_speak_of_a_call(answer: Answer, shot: Shot) -> Answer:
    """Where no call is allowed the model says which it would make."""
    return replace(answer, content=tokens('I would ask get_weather(city="Oslo") for that.'))
