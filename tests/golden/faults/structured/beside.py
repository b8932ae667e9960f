"""What stands beside a format: calls, thought, white space, a refusal."""

from __future__ import annotations

from dataclasses import replace

from tests.golden.answers import Answer
from tests.golden.edits import Json, each_choice, each_message, with_usage, without
from tests.golden.faults.optional import with_format
from tests.golden.faults.structured.asked import beside_thought, beside_tools, dumped, of_schema, said
from tests.golden.registry import Shot, fault

CALLS = "structured/calls-are-free-of-the-format"
THOUGHT = "structured/thought-is-free-of-the-format"
SPACE = "structured/white-space-ends"
PARSE = "structured/parse-helper-gives-the-object"


@fault("format-lost-beside-tools", caught_by=CALLS, stage="body", when=beside_tools)
def format_lost_beside_tools(body: Json, shot: Shot) -> Json:
    """Where tools are offered, response_format binds nothing (modelship PR 70)."""
    return without(body, "response_format")


@fault("format-in-place-of-the-call", caught_by=CALLS, stage="body", when=beside_tools)
def format_in_place_of_the_call(body: Json, shot: Shot) -> Json:
    """Where a format is asked for, no tool is called (Ollama issue 11037)."""
    return without(body, "tools", "tool_choice")


@fault("format-stops-thought", caught_by=THOUGHT, stage="body", when=beside_thought)
def format_stops_thought(body: Json, shot: Shot) -> Json:
    """Where a format is asked for, the model does not think (vLLM issue 47027)."""
    return {**without(body, "chat_template_kwargs"), "reasoning_effort": "none"}


@fault("thought-bound-by-the-format", caught_by=THOUGHT, stage="draft", when=beside_thought)
def thought_bound_by_the_format(answer: Answer, shot: Shot) -> Answer:
    """The format binds the thought (vLLM issue 50948)."""
    return replace(answer, reasoning=answer.content) if answer.reasoning else answer


@fault("white-space-without-end", caught_by=SPACE, stage="draft", when=with_format)
def white_space_without_end(answer: Answer, shot: Shot) -> Answer:
    """After the opening brace white space goes on and on (vLLM issue 13260)."""
    return said(answer, lambda value: "{" + "\n" * 400 + dumped(value)[1:], shot)


@fault("white-space-cut-off", caught_by=SPACE, stage="whole", when=with_format)
def white_space_cut_off(body: Json, shot: Shot) -> Json:
    """White space goes on after the object up to the cap, and is not shown (measured of llama.cpp)."""
    size = len(body["choices"][0]["message"]["content"] or "")
    wasted = each_choice(body, lambda choice: {**choice, "finish_reason": "length"})
    return with_usage(wasted, completion_tokens=lambda n: n + size, total_tokens=lambda n: n + size)


@fault("refusal-beside-the-object", caught_by=PARSE, stage="whole", when=of_schema)
def refusal_beside_the_object(body: Json, shot: Shot) -> Json:
    """A refusal in words stands beside an answer that is none, where null has to stand."""
    return each_message(body, lambda message: {**message, "refusal": "none"})
