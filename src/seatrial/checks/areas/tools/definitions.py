"""Tools as a request offers them: what is refused, what may be left out, and the functions of old."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from seatrial.checks import answering, causes, look, traits
from seatrial.checks.areas.tools.asked import REQUIRED_CALLS
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import chat, fields, tools
from seatrial.records import Exchange, Expect, Finding, Level

BAD_TOOLS = traits.FAULTY | trait("bad-tools")
"""Definitions of tools that the specification does not allow."""

ORPHANS = traits.FAULTY | trait("orphans")
"""A tool's result without its call, a call without its result, or a call whose arguments were cut."""

CUT_CALL = (
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Os'}}
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "not called: its arguments are no JSON"},
)
"""A turn whose call was cut, as by its cap, and what an agent tells the model of it."""

REQUIRED_ALONE = traits.FAULTY | trait("required-alone")
"""A call is required, and no tool is offered."""

CHOICE_ALONE = traits.DECLINABLE | trait("choice-alone")
"""A choice among tools that asks for nothing, and no tool is offered."""

FUNCTIONS = traits.DECLINABLE | trait("functions")
"""A function is offered as it was before there were tools, and named."""

NO_CHOICE = (causes.CHOICES + causes.SOME,)


@rule(
    row="tools/17",
    part=(
        "two of one name",
        "a bad name",
        "parameters that are no object",
        "an unknown type",
        "an empty list",
        "too many",
    ),
    level=Level.SHOULD,
    of=BAD_TOOLS,
    answer=False,
    source="OpenAPI document, ChatCompletionTool and FunctionObject: name, type, at most 128; Kimi-Vendor-Verifier",
)
def bad_definitions_are_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Tools of one name, with a bad name, with parameters that are no object, of an unknown type, none at all or too
    many are refused with a 4xx."""
    several = len(fields.listing(fields.mapping(x.request_json).get("tools"))) > 1
    for finding in look.not_refused(x, so="a client's slip goes unnoticed, and a tool is missing or called in vain"):
        if x.status == 200:  # who looks at no tool takes any; and who reads one alone sees no second one of its name
            by = (REQUIRED_CALLS + causes.SOME, *(causes.TOLD_OF if several else ()))
            yield replace(finding, causes=(*finding.causes, *by))
        else:
            yield finding


@rule(
    row="tools/16",
    part=("a result without its call", "a call without its result", "arguments that were cut"),
    level=Level.SHOULD,
    of=ORPHANS,
    answer=False,
    source="OpenAI's API answers 400; agents cut their history anywhere, and a 5xx is retried; OpenAPI document, "
    "arguments: the model does not always generate valid JSON; llama.cpp issue 25510",
)
def orphaned_results_are_refused_or_answered(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A result without its call, a call without its result, or one whose arguments were cut, is refused with a 4xx or
    answered: no 5xx, and no 200 without an answer."""
    if x.status != 200:
        yield from look.not_refused(x)
    elif wrong := answering.refused(x):
        yield wrong
    elif not look.holds_something(x) and not chat.answers(x):
        got = x.body[:160].decode("utf-8", "replace")
        yield violation("choices", expected="an answer, or a 4xx", got=got, so="an agent goes on with nothing")


@rule(
    row="tools/18",
    level=Level.SHOULD,
    of=REQUIRED_ALONE,
    answer=False,
    source="OpenAI's API: 'tool_choice' is only allowed when 'tools' are specified; Kimi-Vendor-Verifier, vLLM",
)
def required_without_tools_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """tool_choice required without tools is refused with a 4xx: there is nothing to call."""
    for found in look.not_refused(x, so="a client that lost its tools is answered in words, and never learns of it"):
        yield (
            found
            if x.status != 200
            else violation(found.where, expected=found.expected, got=found.got, so=found.consequence, grave=True)
        )


@rule(
    row="tools/19",
    level=Level.MAY,
    of=CHOICE_ALONE,
    optional=True,
    answer=False,
    source="OpenAPI document, tool_choice: none is the default when no tools are present; vLLM #9426",
)
def idle_choice_without_tools_is_accepted(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """tool_choice none, auto or null without tools is answered with words, or refused with a 4xx as OpenAI does."""
    if said := _declined(x):
        yield said
    elif wrong := answering.refused(x):
        so = "a framework that always names a choice gets no answer at all"
        yield violation(wrong.where, expected="an answer, or a 4xx", got=wrong.got, so=so, grave=True)
    elif not chat.answers(x):
        got = x.body[:160].decode("utf-8", "replace")
        yield no_evidence("choices", expected="an answer", got=got, causes=NO_CHOICE)
    else:
        for made in (call for held in tools.calls(x).values() for call in held):
            so = "a client runs a tool that it never offered, or breaks"
            yield violation(made.where, expected="no call: no tool is offered", got=made.name, so=so, grave=True)


@rule(
    row="tools/26",
    level=Level.SHOULD,
    of=FUNCTIONS,
    answer=False,
    source="OpenAPI document, functions and function_call: deprecated, not removed",
)
def functions_of_old_work_or_are_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """functions and function_call of old give a function_call with the arguments as a string of JSON, or are refused
    with a 4xx; never ignored."""
    if _declined(x):
        return
    if wrong := answering.refused(x):
        so = "a client of old takes its own request for a passing fault, and repeats it"
        yield violation(wrong.where, expected="an answer, or a 4xx", got=wrong.got, so=so, grave=True)
    elif not chat.answers(x):
        got = x.body[:160].decode("utf-8", "replace")
        yield no_evidence("choices", expected="an answer", got=got, causes=NO_CHOICE)
    else:
        for index, answer in chat.answers(x).items():
            yield from _function_call(x, index, answer)


def _declined(x: Exchange) -> Finding | None:
    """The refusal of a feature that a server may lack; None where it is none, or nobody was there to give it."""
    if x.status is None or not 400 <= x.status < 500:
        return None
    got = f"{x.status} {x.body[:200].decode('utf-8', 'replace')}"
    return refusal("the status", expected="an answer, or a 4xx", got=got, optional=True)


def _function_call(x: Exchange, index: int, answer: chat.Answer) -> Iterator[Finding]:
    """What is wrong with the function_call of a choice that had to have one."""
    where, expected = f"choice {index}, function_call", "a call of the function that was named, or a 4xx"
    names, arguments = _joined(x, index)
    cut = answer.reasons == ["length"]
    if not names:
        if cut and not answer.content:
            got = f"{len(answer.reasoning)} characters of thought, cut"
            yield no_evidence(where, expected="an answer beyond its thought", got=got)
            return
        instead = [made.name for made in tools.calls(x).get(index, ())]
        got = f"tool_calls {instead}" if instead else f"none; content {answer.content!r}"
        so = "a client of old reads function_call, finds none, and its function is never called"
        ignored = "" if instead else "function_call"
        yield violation(where, expected=expected, got=got, so=so, ignores=ignored)
        return
    offered = {fields.mapping(f).get("name") for f in fields.listing(fields.mapping(x.request_json).get("functions"))}
    if "".join(names) not in offered:
        yield violation(f"{where}.name", expected=" or ".join(map(str, offered)), got="".join(names))
    if not isinstance(_decoded(arguments), dict):
        if cut:
            yield no_evidence(f"{where}.arguments", expected="arguments to their end", got=arguments)
        else:
            so = "a client of old decodes them, and breaks"
            yield violation(f"{where}.arguments", expected="a string of JSON, an object", got=arguments, so=so)


def _joined(x: Exchange, index: int) -> tuple[list[str], str]:
    """Names and arguments of the function_call of a choice, of a stream one after the other."""
    names: list[str] = []
    arguments = ""
    for _where, at, _choice, message in chat.choices(x):
        called = fields.mapping(message.get("function_call"))
        if at == index:
            names += [name for name in (fields.string(called.get("name")),) if name]
            arguments += fields.string(called.get("arguments")) or ""
    return names, arguments


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
