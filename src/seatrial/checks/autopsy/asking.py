"""The search as a conversation over exchanges: what is sent for a question, and what an answer to it means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from seatrial.checks import answering, schemas
from seatrial.checks.autopsy.cuts import Tool
from seatrial.checks.autopsy.search import Autopsy, Offer, Reception, search
from seatrial.reading import fields
from seatrial.records import Exchange, Request

CALL_TOKENS = 64
"""The cap of a forced call."""

Asked = Callable[[str, Request], Exchange]
"""Sends a request of this name now, and gives what came of it."""


class UnlikeError(ValueError):
    """A record holds other questions than the search asks."""


def hold(tools: Sequence[Tool], ask: Asked) -> dict[str, Exchange]:
    """Hold the whole conversation; its exchanges by name, in order."""
    told: dict[str, Exchange] = {}
    searching = search(tools)
    try:
        question = next(searching)
        while True:
            told[question.name] = x = ask(question.name, request(question.tools))
            question = searching.send(answer(x))
    except StopIteration:
        return told


def read(xs: Mapping[str, Exchange]) -> Autopsy:
    """What the recorded answers tell: the same search, driven by them. The first one offers the whole set.

    Raises:
        UnlikeError: they are the answers of no such search.
    """
    first = next(iter(xs.values()), None)
    offered = fields.listing(fields.mapping(first.request_json).get("tools")) if first is not None else []
    if not all(fields.string(fields.mapping(fields.mapping(tool).get("function")).get("name")) for tool in offered):
        raise UnlikeError("a tool without a function's name")
    if not offered:
        raise UnlikeError("no tools in the first request")
    searching, left = search(offered), iter(xs.items())
    try:
        question = next(searching)
        while True:
            name, x = next(left, ("", None))
            if x is None or name != question.name:
                raise UnlikeError(f"{name or 'nothing'} in place of {question.name}")
            question = searching.send(answer(x))
    except StopIteration as end:
        found: Autopsy = end.value
        return found


def request(tools: Sequence[Tool]) -> Request:
    """A chat that offers a set of tools as clients do; one token is its answer."""
    messages = [{"role": "user", "content": "Say hello."}]
    return Request(
        body={"model": None, "messages": messages, "temperature": 0, "max_tokens": 1, "tools": list(tools)}, exact=True
    )


def first(tools: Sequence[Tool]) -> dict[str, Request]:
    """The only request where the whole set is taken, by its name."""
    question: Offer = next(search(tools))
    return {question.name: request(question.tools)}


def answer(x: Exchange) -> Reception:
    """What a server made of a set of tools."""
    if answering.unheard(x) or x.error in answering.LATE or (x.status is None and not x.raw):
        return Reception.SILENT
    return Reception.REFUSED if answering.silent(x) or answering.refused(x) else Reception.TAKEN


def calls(tools: Sequence[Tool]) -> dict[str, Request]:
    """A call of each tool, forced by its name; the prompt asks for what does not fit its schema, where anything does
    not."""
    return {tool["function"]["name"]: _call(tool) for tool in tools}


def _call(tool: Tool) -> Request:
    name = tool["function"]["name"]
    given = json.dumps(misfit(tool["function"].get("parameters")), ensure_ascii=False)
    return Request(
        body={
            "model": None,
            "messages": [{"role": "user", "content": f"Use the tool {name} with {given}."}],
            "temperature": 0,
            "max_tokens": CALL_TOKENS,
            "tools": [tool],
            "tool_choice": {"type": "function", "function": {"name": name}},
        }
    )


def misfit(schema: Any) -> dict[str, Any]:
    """A short object that does not fit a schema; an empty one where each does."""
    return next((made for made in _candidates(fields.mapping(schema)) if not schemas.fits(schema, made)), {})


def _candidates(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if not schema:
        return
    held = fields.mapping(schema.get("properties"))
    required = [name for name in fields.listing(schema.get("required")) if isinstance(name, str)]
    names = list(dict.fromkeys([*(name for name in required if name in held), *held]))[:3]
    yield {name: _unlike(fields.mapping(held[name])) for name in names}
    yield {name: [] for name in names}
    yield {"unforeseen": 1}


def _unlike(schema: Mapping[str, Any]) -> Any:
    """A value of another type than a schema has."""
    return "none of these" if "enum" in schema or schema.get("type") not in ("string", None) else 7
