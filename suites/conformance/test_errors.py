"""Messages that get no answer, and the answer they get."""

import pytest

from seatrial.checks.areas import chat, sse
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Request
from suites.conformance.scenarios import Judge, Send, faulty, request

WORD = request([]).body | {"messages": "hello"}
NONE = {"model": None, "max_tokens": 16}

FAULTS = {
    "no-messages": faulty(Request(body=NONE), of=chat.BAD_MESSAGES),
    "messages-text": faulty(Request(body=WORD), of=chat.BAD_MESSAGES),
    "message-number": faulty(request([5]), of=chat.BAD_MESSAGES),
    "content-number": faulty(request([{"role": "user", "content": 5}]), of=chat.BAD_MESSAGES),
    "empty-messages": faulty(request([]), of=chat.EMPTY_MESSAGES),
    "stream-no-messages": faulty(Request(body=NONE | {"stream": True}), of=chat.BAD_MESSAGES | sse.STREAM_FAULT),
    "stream-messages-text": faulty(Request(body=WORD | {"stream": True}), of=chat.BAD_MESSAGES | sse.STREAM_FAULT),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(FAULTS))
def test_faulty_messages(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(FAULTS[scenario]))
