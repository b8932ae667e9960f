"""Faults in what is said to items of probes: those of the simulated model, and some of the server that carries it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer, tokens
from tests.golden.app import asked
from tests.golden.edits import Json
from tests.golden.registry import Call, Shot, chat, fault
from tests.simulated.mouths import FAULTS, Wrong

RECALL = "recall/the-start-of-a-long-prompt-is-not-lost"
ROLES = "roles/roles-hold-over-turns"
CROSSTALK = "crosstalk/no-answer-tells-the-code-of-another"


def _of(maker: str) -> Callable[[Call], bool]:
    """Whether a request asks an item of a maker."""

    def when(call: Call) -> bool:
        found = asked.item_of(call.body) if chat(call) else None
        return found is not None and found[0] == maker

    return when


def _spoilt(wrong: Wrong) -> Callable[[Answer, Shot], Answer]:
    def function(answer: Answer, shot: Shot) -> Answer:
        found = asked.item_of(shot.call.body)
        if found is None:
            return answer
        return asked.spoken(wrong.say(found[1], random.Random(shot.draw.random())), answer)

    function.__doc__ = wrong.text
    return function


for _name, _wrong in FAULTS.items():
    if _wrong.maker != asked.OWN:  # of talk the golden server has faults of its own
        fault(_name, caught_by=_wrong.rule, stage="draft", when=_of(_wrong.maker), family="behaviour")(_spoilt(_wrong))


@fault("long-prompts-lose-their-beginning", caught_by=RECALL, stage="body", when=_of("context"), family="behaviour")
def long_prompts_lose_their_beginning(body: Json, shot: Shot) -> Json:
    """A prompt of more than a quarter of the window is cut at its beginning, with a 200 (Ollama 17427 and 17889)."""
    if not isinstance(body, dict):
        return body
    messages: list[Any] = body["messages"]
    long = sum(len(str(m.get("content"))) for m in messages) > 4000
    return {**body, "messages": messages[2:]} if long else body


@fault("only-the-last-turn-is-read", caught_by=ROLES, stage="body", when=_of("roles"), family="behaviour")
def only_the_last_turn_is_read(body: Json, shot: Shot) -> Json:
    """Of a talk the template shows the last message alone."""
    return {**body, "messages": body["messages"][-1:]} if isinstance(body, dict) else body


@fault("the-last-code-stays", caught_by=CROSSTALK, stage="draft", when=_of("codes"), family="behaviour")
def the_last_code_stays(answer: Answer, shot: Shot) -> Answer:
    """The answer to one request goes on with what the one before it was told (llama.cpp 27148)."""
    before = shot.memory.get("last")
    shot.memory["last"] = answer.text
    return replace(answer, content=(*answer.content, *tokens(f" {before}"))) if before else answer
