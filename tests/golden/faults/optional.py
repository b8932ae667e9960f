"""Optional areas that a server lacks: what it says when they are asked for, honestly or not."""

from __future__ import annotations

from tests.golden.edits import Json, failure, html
from tests.golden.items import Reply
from tests.golden.registry import Call, Shot, chat, embedding, fault
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


@fault("no-tools", stage="body", when=with_tools, family="honest")
def no_tools(body: Json, shot: Shot) -> Json:
    """Tools are refused with a 400."""
    shot.fire()
    raise RefusedError("tools are not supported by this model", param="tools")


@fault("no-tools-500", stage="body", when=with_tools, family="honest")
def no_tools_500(body: Json, shot: Shot) -> Json:
    """Tools are refused with a 500 that names the switch for them (llama.cpp without --jinja)."""
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


@fault("no-thought", stage="body", when=with_thought, family="honest")
def no_thought(body: Json, shot: Shot) -> Json:
    """A model that cannot think answers as ever, whatever effort it is asked for."""
    return {**body, "reasoning_effort": "none"}


@fault("no-embeddings", stage="reply", when=embedding, family="honest")
def no_embeddings(reply: Reply, shot: Shot) -> Reply:
    """Embeddings are refused with a 501 that names their switch (llama.cpp without --embeddings)."""
    return failure(501, "This server does not support embeddings. Start it with `--embeddings`")


@fault("no-embeddings-route", stage="reply", when=embedding, family="honest")
def no_embeddings_route(reply: Reply, shot: Shot) -> Reply:
    """There is no route for embeddings: the page of a web framework says 404."""
    return html(404, "Not Found")
