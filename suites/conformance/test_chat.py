"""Plain chat answers."""

import pytest

from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from suites.conformance.scenarios import GOOD, HELLO, TURNS, WORLD, Judge, Send, chat, chats

CHATS = {
    "plain": chat(HELLO),
    "turns": chat(TURNS),
    "unicode": chat(WORLD),
    "one-token": chats(only=GOOD),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(CHATS))
def test_chat(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(CHATS[scenario]))
