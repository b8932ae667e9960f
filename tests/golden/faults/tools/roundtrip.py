"""Faults in what becomes of a tool's result, and of thought beside calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer, tokens
from tests.golden.edits import Json, failure
from tests.golden.faults.optional import with_thought
from tests.golden.registry import Call, Shot, chat, fault
from tests.golden.validation import InsteadError

REACHES = "tools/result-reaches-the-model"
FORMS = "tools/result-reaches-the-model-in-every-form"
CALLED = "tools/earlier-call-reaches-the-model"
APART = "tools/thought-stays-apart-from-calls"


def with_result(call: Call) -> bool:
    """A chat whose history holds a tool's result."""
    told = call.says("messages")
    return chat(call) and isinstance(told, list) and any(isinstance(m, dict) and m.get("role") == "tool" for m in told)


def _results(body: Json, change: Callable[[Json], Json]) -> Json:
    """With each result changed; the same object where none was."""
    made = [change(message) if message["role"] == "tool" else message for message in body["messages"]]
    return body if made == body["messages"] else {**body, "messages": made}


def _without_turns(body: Json, dropped: Callable[[Json], bool]) -> Json:
    """Without the calls that are to be dropped, and without their results."""
    gone = {call["id"] for m in body["messages"] if m.get("tool_calls") and dropped(m) for call in m["tool_calls"]}
    if not gone:
        return body
    kept = [
        m for m in body["messages"] if m.get("tool_call_id") not in gone and not (m.get("tool_calls") and dropped(m))
    ]
    return {**body, "messages": kept}


@fault("results-dropped", caught_by=REACHES, stage="body", when=with_result)
def results_dropped(body: Json, shot: Shot) -> Json:
    """The chat template knows system, user and assistant: calls and results are left out of the prompt."""
    return _without_turns(body, lambda _message: True)


@fault("results-end-in-a-500", caught_by="http/valid-request-is-answered", stage="body", when=with_result)
def results_end_in_a_500(body: Json, shot: Shot) -> Json:
    """The chat template raises for a role that it does not know."""
    shot.fire()
    raise InsteadError(failure(500, "Unexpected message role."))


@fault("results-emptied", caught_by=REACHES, stage="body", when=with_result)
def results_emptied(body: Json, shot: Shot) -> Json:
    """A result stands in the prompt without its content: the template reads another field."""
    return _results(body, lambda m: {**m, "content": ""})


@fault("results-cut", caught_by=REACHES, stage="body", when=with_result)
def results_cut(body: Json, shot: Shot) -> Json:
    """Of a result the first word is kept."""
    return _results(
        body, lambda m: m if not isinstance(m["content"], str) else {**m, "content": m["content"].split()[0]}
    )


def _earlier_calls(body: Json, change: Callable[[Json], Json]) -> Json:
    """With the function of each call in the history changed."""

    def of_message(message: Json) -> Json:
        made = message.get("tool_calls")
        calls = [{**call, "function": change(call["function"])} for call in made or ()]
        return {**message, "tool_calls": calls} if made else message

    made = [of_message(message) for message in body["messages"]]
    return body if made == body["messages"] else {**body, "messages": made}


@fault("earlier-calls-dropped", caught_by=CALLED, stage="body", when=with_result)
def earlier_calls_dropped(body: Json, shot: Shot) -> Json:
    """The calls of an assistant's turn are dropped before the template sees it, and their results stay (llama.cpp issue
    27588: silently dropped from the rendered prompt)."""
    return _earlier_calls(body, lambda _function: {"name": "", "arguments": ""})


@fault("earlier-arguments-dropped", caught_by=CALLED, stage="body", when=with_result)
def earlier_arguments_dropped(body: Json, shot: Shot) -> Json:
    """The template looks for an object of arguments, and writes nothing of the text that it gets (vllm.cpp pull request
    1758)."""
    return _earlier_calls(body, lambda function: {**function, "arguments": "{}"})


@fault("null-content-drops-the-call", caught_by=FORMS, stage="body", when=with_result)
def null_content_drops_the_call(body: Json, shot: Shot) -> Json:
    """A message of the assistant without a text is left out, and the result of its call with it."""
    return _without_turns(body, lambda m: "content" in m and m["content"] is None)


@fault("missing-content-drops-the-call", caught_by=FORMS, stage="body", when=with_result)
def missing_content_drops_the_call(body: Json, shot: Shot) -> Json:
    """A message of the assistant that has no content at all is left out, and the result of its call with it."""
    return _without_turns(body, lambda m: "content" not in m)


@fault("empty-content-drops-the-call", caught_by=FORMS, stage="body", when=with_result)
def empty_content_drops_the_call(body: Json, shot: Shot) -> Json:
    """A message of the assistant whose content is empty is left out, and the result of its call with it."""
    return _without_turns(body, lambda m: m.get("content") == "")


@fault("result-in-parts-lost", caught_by=FORMS, stage="body", when=with_result)
def result_in_parts_lost(body: Json, shot: Shot) -> Json:
    """A result in parts is empty in the prompt: only a string is read."""
    return _results(body, lambda m: {**m, "content": ""} if isinstance(m["content"], list) else m)


@fault("result-in-parts-first-alone", caught_by=FORMS, stage="body", when=with_result)
def result_in_parts_first_alone(body: Json, shot: Shot) -> Json:
    """Of a result in parts the first is kept."""
    return _results(body, lambda m: {**m, "content": m["content"][:1]} if isinstance(m["content"], list) else m)


@fault("result-of-a-strange-id-lost", caught_by=FORMS, stage="body", when=with_result)
def result_of_a_strange_id_lost(body: Json, shot: Shot) -> Json:
    """A result whose id is not plain ASCII finds no call, and is emptied (aichat #1296 has ids that are null)."""
    return _results(body, lambda m: m if str(m["tool_call_id"]).isascii() else {**m, "content": ""})


def _thinks_and_calls(call: Call) -> bool:
    return with_thought(call) and bool(call.says("tools"))


@fault("thought-left-beside-a-call", caught_by=APART, stage="draft", when=_thinks_and_calls)
def thought_left_beside_a_call(answer: Answer, shot: Shot) -> Answer:
    """Where there is a call, the thought stays in the content with its marks."""
    if not answer.calls or not answer.reasoning:
        return answer
    return replace(answer, reasoning=(), content=tokens(f"<think>{''.join(answer.reasoning)}</think>"))


@fault("call-left-in-thought", caught_by=APART, stage="draft", when=_thinks_and_calls)
def call_left_in_thought(answer: Answer, shot: Shot) -> Answer:
    """The call is taken for a part of the thought (ds4 #318): it is told there, in the template's markup."""
    if not answer.calls or not answer.reasoning:
        return answer
    function: Any = answer.calls[0].whole()["function"]
    call = json.dumps({"name": function["name"], "arguments": json.loads(function["arguments"])}, ensure_ascii=False)
    thought = (*answer.reasoning, *tokens(f"\n<tool_call>{call}</tool_call>"))
    return replace(answer, reasoning=thought, calls=(), finish="stop")


@fault("thought-in-arguments", caught_by=APART, stage="draft", when=_thinks_and_calls)
def thought_in_arguments(answer: Answer, shot: Shot) -> Answer:
    """The thought stands before the arguments of the call."""
    if not answer.calls or not answer.reasoning:
        return answer
    thought = tokens(f"<think>{''.join(answer.reasoning)}</think>")
    first, *others = answer.calls
    return replace(answer, reasoning=(), calls=(replace(first, arguments=(*thought, *first.arguments)), *others))
