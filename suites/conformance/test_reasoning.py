"""Thought, apart from the answer."""

from typing import Any

import pytest
from msgspec.structs import replace

from seatrial.checks.areas import reasoning
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.checks.traits import Traits
from seatrial.reading.reasoning import FIELDS
from seatrial.records import Request, Scenario
from suites.conformance.scenarios import THINKING, USAGE, FirstAsk, Judge, Send, chats, optional, request

SUM = "What is 7 times 6?"
PUZZLE = "Is 2027 a prime number? Try every divisor."
HARD = THINKING | {"reasoning_effort": "high"}
WHOLE = 384
"""Room for a thought and an answer; a context of 512 tokens has it."""

LEAST = 32
"""Tokens of thought that a request allows. Each server that has a budget knows it by one of these names."""

ALLOWED = dict.fromkeys(reasoning.BUDGETS, LEAST) | {"thinking": {"type": "enabled", "budget_tokens": LEAST}}
STREAM = {"stream": True, "stream_options": USAGE}


def asked(prompt: str | list[Any], cap: int, **body: Any) -> Request:
    """A question under a cap that is meant as it stands: nothing is added for thought."""
    return replace(request(prompt, max_tokens=cap, **body), exact=True)


def later(**thought: str) -> Request:
    """A question after an earlier turn, in which the assistant may have thought."""
    before = {"role": "assistant", "content": "42.", **thought}
    return asked([{"role": "user", "content": SUM}, before, {"role": "user", "content": "And 8 times 6?"}], 1)


def several(of: Traits, **requests: Request) -> Scenario:
    """Requests to a server that thinks, streamed or not; where the traits do not say VALID, it may lack them."""
    caps = sum(each.body["max_tokens"] for each in requests.values())
    return optional(Scenario(requests=requests, traits=of, tokens=caps), FirstAsk.REASONING)


REASONING = {
    "reasoning-asked": chats(of=reasoning.THINKS, only=FirstAsk.REASONING[1]),
    "thought-stream": optional(
        chats(of=reasoning.THINKS, only=asked(SUM, 12, **THINKING, **STREAM)), FirstAsk.REASONING
    ),
    "thought": several(
        reasoning.TOLD,
        plain=asked(SUM, WHOLE, **THINKING),
        stream=asked(SUM, WHOLE, **THINKING, **STREAM),
        cut=asked(SUM, 12, **THINKING),
        **{"cut-stream": asked(SUM, 12, **THINKING, **STREAM)},
    ),
    "thought-back": several(
        reasoning.BACK,
        asked=asked(SUM, 48, **THINKING),
        without=later(),
        **{name: later(**{name: "Six times seven is forty-two."}) for name in FIELDS},
    ),
    "thought-off": several(
        reasoning.OFF,
        effort=asked(SUM, 64, reasoning_effort="none"),
        template=asked(SUM, 64, chat_template_kwargs={"enable_thinking": False}),
    ),
    "thought-budget": several(
        reasoning.BUDGET,
        budget=asked(PUZZLE, 320, **HARD, **ALLOWED),
        free=asked(PUZZLE, 320, **HARD),
    ),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(REASONING))
def test_reasoning(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(REASONING[scenario]))
