"""Messages that get no answer, and the answer they get."""

import pytest

from seatrial.checks.rules import Rule, cases
from seatrial.records import Request
from suites.conformance.scenarios import RULES, Judge, Send, faulty, request

WORD = request([]).body | {"messages": "hello"}
NONE = {"model": None, "max_tokens": 16}

FAULTS = {
    "no-messages": faulty(Request(body=NONE), of={"bad-messages"}),
    "messages-text": faulty(Request(body=WORD), of={"bad-messages"}),
    "message-number": faulty(request([5]), of={"bad-messages"}),
    "content-number": faulty(request([{"role": "user", "content": 5}]), of={"bad-messages"}),
    "empty-messages": faulty(request([]), of={"empty-messages"}),
    "stream-no-messages": faulty(Request(body=NONE | {"stream": True}), of={"bad-messages", "stream-fault"}),
    "stream-messages-text": faulty(Request(body=WORD | {"stream": True}), of={"bad-messages", "stream-fault"}),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(RULES, FAULTS))
def test_faulty_messages(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(FAULTS[scenario]))
