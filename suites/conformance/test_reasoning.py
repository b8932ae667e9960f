"""Thought, apart from the answer."""

import pytest

from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from suites.conformance.scenarios import FirstAsk, Judge, Send, chats

REASONING = {
    "reasoning-asked": chats(only=FirstAsk.REASONING[1]),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(REASONING))
def test_reasoning(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(REASONING[scenario]))
