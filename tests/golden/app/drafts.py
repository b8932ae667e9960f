"""What would be said to a request if nothing limited it: calls of tools, an object or talk, and thought before it."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.golden import answers
from tests.golden.answers import Answer, tokens
from tests.golden.app import asked, sampling, schemas, tools, wants
from tests.golden.app.tools import ToolCall
from tests.golden.validation import RefusedError


def draft(
    body: Mapping[str, Any], last: str, text: Callable[[Any], str], *, index: int, thinking: bool, turn: int = 0
) -> Answer:
    """The answer to a request that was checked, unlimited.

    Args:
        last: what is answered: the last message of a user, or all that was said.
        text: gives the text of a message.
        index: of the choice.
        turn: another one for each request: what is drawn without a seed differs by it.

    Raises:
        RefusedError: no arguments validate against the schema of a tool that is called.
    """
    told = tools.results(body["messages"], text)
    seed = sampling.seed(body, turn)
    made = answers.draft(last, seed=seed, index=index, thinking=thinking, hard=wants.tries_hard(body))
    if (most := wants.budget(body)) is not None:
        made = made.thinking(most)
    if asked_by_a_probe := asked.said_to(body, made):
        return asked_by_a_probe
    draw = random.Random(f"{seed}\0{index}\0{last}\0bound")
    try:
        calls = tools.decide(body, last, draw)
    except schemas.UnenforceableError as error:
        raise RefusedError(f"tools: {error}", param="tools") from error
    if calls:
        held = tuple(ToolCall(f"call_{secrets.token_hex(12)}", tokens(n), tokens(args)) for n, args in calls)
        beside = tools.BESIDE.search(last) if (body.get("tool_choice") or "auto") == "auto" else None
        return replace(made, content=tokens(beside[1]) if beside else (), calls=held, finish="tool_calls")
    form = body.get("response_format") or {}
    if form.get("type") in ("json_object", "json_schema"):
        return replace(made, content=tokens(_bound(form, last, made.text, draw)))
    said = told or sampling.forced(body) or sampling.within(made.text, body)
    return replace(made, content=tokens(said))


def _bound(form: Mapping[str, Any], last: str, said: str, draw: random.Random) -> str:
    """JSON: an object that the prompt gives, where it fits; else one that is made."""
    schema = form["json_schema"]["schema"] if form["type"] == "json_schema" else {"type": "object"}
    for given in tools.objects(last):
        if schemas.validates(schema, given):
            return json.dumps(given, ensure_ascii=False)
    if form["type"] == "json_object":
        return json.dumps({"answer": said, "words": len(said.split()), "sure": True}, ensure_ascii=False)
    return json.dumps(schemas.sample(schema, draw), ensure_ascii=False)
