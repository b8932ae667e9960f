"""Faults in what is said to items of probes: those of the simulated model, and some of the server that carries it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.golden.answers import Answer, tokens
from tests.golden.app import asked
from tests.golden.edits import Json, each_choice
from tests.golden.items import Item, Pause
from tests.golden.registry import Call, Shot, chat, fault
from tests.simulated.wrong import FAULTS, Wrong

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
    if _wrong.maker != asked.OWN and _wrong.words:  # of talk the golden server has faults of its own
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


ODDS = "logprobs/log-probabilities-are-those-of-the-answer"
STALL_S = 1.3
SAID_FIRST = 20
"""Chunks before the silence."""


def _listed(body: Json, change: Callable[[list[Json]], list[Json]]) -> Json:
    """With the likeliest tokens of each place changed."""

    def spoil(choice: Json) -> Json:
        told = choice.get("logprobs")
        if not told:
            return choice
        content = [{**each, "top_logprobs": change(each["top_logprobs"])} for each in told["content"]]
        return {**choice, "logprobs": {**told, "content": content}}

    return each_choice(body, spoil)


@fault("odds-from-the-lowest-on", caught_by=ODDS, stage="chunk", when=_of("firsts"), family="behaviour")
def odds_from_the_lowest_on(body: Json, shot: Shot) -> Json:
    """The likeliest tokens are listed from the last on."""
    return _listed(body, lambda given: given[::-1])


@fault("odds-that-add-up-to-more", caught_by=ODDS, stage="chunk", when=_of("firsts"), family="behaviour")
def odds_that_add_up_to_more(body: Json, shot: Shot) -> Json:
    """Each of the likeliest tokens is told as likely as the first."""
    return _listed(body, lambda given: [{**each, "logprob": given[0]["logprob"]} for each in given])


@fault(
    "odds-of-several-models", caught_by="drift/the-odds-of-a-prompt-stay", stage="chunk", when=_of("firsts"),
    family="behaviour",
)  # fmt: skip
def odds_of_several_models(body: Json, shot: Shot) -> Json:
    """Behind one address answer models that agree on the likeliest token and on nothing else."""
    if "model" not in shot.scratch:
        shot.memory["models"] = shot.scratch["model"] = shot.memory.get("models", -1) + 1

    def other(given: list[Json]) -> list[Json]:
        return [*given[:1], *({**each, "logprob": each["logprob"] - shot.scratch["model"] % 8} for each in given[1:])]

    return _listed(body, other)


@fault(
    "silence-between-two-words", caught_by="pace/an-answer-that-has-begun-does-not-stall", stage="events",
    when=_of("pace"), family="behaviour",
)  # fmt: skip
def silence_between_two_words(items: Iterator[Item], shot: Shot) -> Iterator[Item]:
    """A stream has begun, and says nothing for more than a second."""
    yield from itertools.islice(items, SAID_FIRST)
    shot.fire()
    yield Pause(STALL_S)
    yield from items
