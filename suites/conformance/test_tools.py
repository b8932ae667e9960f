"""Calls of tools."""

import pytest

from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from suites.conformance.scenarios import FirstAsk, Judge, Send, chats

TOOLS = {
    "tools-asked": chats(only=FirstAsk.TOOLS[1]),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(TOOLS))
def test_tools(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(TOOLS[scenario]))
