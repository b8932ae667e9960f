"""Answers bound to a schema."""

import pytest

from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from suites.conformance.scenarios import FirstAsk, Judge, Send, chats

STRUCTURED = {
    "structured-asked": chats(only=FirstAsk.STRUCTURED[1]),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(STRUCTURED))
def test_structured(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(STRUCTURED[scenario]))
