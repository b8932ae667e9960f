"""Optional areas that a server lacks: what it says when they are asked for, honestly or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer
from tests.golden.edits import Json, each_choice, each_message, failure, get, html
from tests.golden.items import Item, Reply
from tests.golden.registry import Call, Shot, When, chat, embedding, fault, freedom, streaming
from tests.golden.validation import InsteadError, RefusedError


def with_tools(call: Call) -> bool:
    """A chat that offers tools."""
    return chat(call) and bool(call.says("tools"))


def with_format(call: Call) -> bool:
    """A chat whose answer is to be JSON."""
    form = call.says("response_format")
    return chat(call) and isinstance(form, dict) and form.get("type") != "text"


def with_thought(call: Call) -> bool:
    """A chat that asks for thought."""
    return chat(call) and call.says("reasoning_effort") not in (None, "none")


def _or_told(asked: When) -> When:
    """Such a request, or one for the page on which the server says what it can."""
    return lambda call: asked(call) or get("/props")(call)


def _cannot(reply: Reply, what: str) -> Reply:
    """The page of a server that cannot do something, and does not claim it."""
    caps = reply.payload.get("chat_template_caps") if isinstance(reply.payload, dict) else None
    return replace(reply, payload={**reply.payload, "chat_template_caps": {**caps, what: False}}) if caps else reply


@fault("no-tools", stage=("body", "reply"), when=_or_told(with_tools), family="honest")
def no_tools(body: Any, shot: Shot) -> Any:
    """Tools are refused with a 400."""
    if isinstance(body, Reply):
        return _cannot(body, "supports_tool_calls")
    shot.fire()
    raise RefusedError("tools are not supported by this model", param="tools")


@fault("no-tools-500", stage=("body", "reply"), when=_or_told(with_tools), family="honest")
def no_tools_500(body: Any, shot: Shot) -> Any:
    """Tools are refused with a 500 that names the switch for them (llama.cpp without --jinja)."""
    if isinstance(body, Reply):
        return _cannot(body, "supports_tool_calls")
    shot.fire()
    raise InsteadError(failure(500, "tools param requires --jinja flag"))


@fault("tools-500-plain", caught_by="http/valid-request-is-answered", stage="body", when=with_tools)
def tools_500_plain(body: Json, shot: Shot) -> Json:
    """A chat with tools gets a 500 that says nothing of them."""
    shot.fire()
    raise InsteadError(failure(500, "internal error"))


@fault("tools-500-crash", caught_by="http/valid-request-is-answered", stage="body", when=with_tools)
def tools_500_crash(body: Json, shot: Shot) -> Json:
    """A chat with tools gets a 500 with the error of a crash, which names them and refuses nothing."""
    shot.fire()
    raise InsteadError(failure(500, "KeyError: 'tools' is not available in the template context"))


@fault("no-response-format", stage="body", when=with_format, family="honest")
def no_response_format(body: Json, shot: Shot) -> Json:
    """response_format is refused with a 422."""
    shot.fire()
    raise RefusedError("response_format is not supported", param="response_format", status=422)


@fault("no-thought", stage=("body", "reply"), when=_or_told(with_thought), family="honest")
def no_thought(body: Any, shot: Shot) -> Any:
    """A model that cannot think answers as ever, whatever effort it is asked for."""
    if isinstance(body, Reply):
        return _cannot(body, "supports_reasoning_effort")
    return {**body, "reasoning_effort": "none"}


@fault("no-embeddings", stage="reply", when=embedding, family="honest")
def no_embeddings(reply: Reply, shot: Shot) -> Reply:
    """Embeddings are refused with a 501 that names their switch (llama.cpp without --embeddings)."""
    return failure(501, "This server does not support embeddings. Start it with `--embeddings`")


@fault("no-embeddings-route", stage="reply", when=embedding, family="honest")
def no_embeddings_route(reply: Reply, shot: Shot) -> Reply:
    """There is no route for embeddings: the page of a web framework says 404."""
    return html(404, "Not Found")


def with_named_tool(call: Call) -> bool:
    """A chat that names the tool to call."""
    return with_tools(call) and isinstance(call.says("tool_choice"), dict)


@freedom(
    "named-call-says-stop",
    stage=("whole", "chunk"),
    when=with_named_tool,
    of="end of a named call",
    source="OpenAPI document, finish_reason; OpenAI says stop, measured in vLLM pull request 25054",
)
def named_call_says_stop(body: Json, shot: Shot) -> Json:
    """A call of a named tool ends with stop (measured of OpenAI in vLLM PR 25054)."""
    return each_choice(body, lambda c: {**c, "finish_reason": "stop"} if c["finish_reason"] == "tool_calls" else c)


@freedom(
    "words-beside-calls",
    stage="draft",
    when=with_tools,
    of="content beside calls",
    source="OpenAPI document, ChatCompletionResponseMessage: content and tool_calls are no alternatives",
)
def words_beside_calls(answer: Answer, shot: Shot) -> Answer:
    """Some words stand beside a call."""
    if not answer.calls:
        return answer
    return replace(answer, content=("Let", " me", " look", "."))


@freedom(
    "empty-content-beside-calls",
    stage="whole",
    when=with_tools,
    of="content beside calls",
    source="OpenAPI document, ChatCompletionResponseMessage: content is a string or null",
)
def empty_content_beside_calls(body: Json, shot: Shot) -> Json:
    """The content beside a call is empty, and not null."""
    return each_message(body, lambda m: {**m, "content": ""} if m.get("tool_calls") and not m["content"] else m)


@freedom(
    "call-in-one-delta",
    stage="events",
    when=lambda call: with_tools(call) and streaming(call),
    of="pieces of calls",
    source="OpenAPI document, ChatCompletionMessageToolCallChunk: nothing is said of where arguments are cut",
    turn=1,
)
def call_in_one_delta(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """The whole of a call comes in one delta."""
    held: dict[tuple[int, int], Json] = {}
    for item in items:
        choice = item["choices"][0] if isinstance(item, dict) and item["choices"] else None
        if choice and choice["delta"].get("tool_calls"):
            shot.fire()
            entry = choice["delta"]["tool_calls"][0]
            key = (choice["index"], entry["index"])
            if key not in held:
                held[key] = {**item, "choices": [{**choice, "delta": {**choice["delta"], "tool_calls": [entry]}}]}
            else:
                _lengthen(held[key], entry["function"]["arguments"])
            continue
        if choice is None or choice["finish_reason"]:
            yield from held.values()
            held = {}
        yield item


def _lengthen(chunk: Json, text: str) -> None:
    """Add to the arguments of the call in a chunk that is ours."""
    choice = chunk["choices"][0]
    entry = choice["delta"]["tool_calls"][0]
    function = {**entry["function"], "arguments": entry["function"]["arguments"] + text}
    choice["delta"] = {"tool_calls": [{**entry, "function": function}]}
