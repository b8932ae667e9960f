"""Event streams: plain, with usage, cut short, ended by a stop string, beyond ASCII."""

import pytest

from seatrial.checks.rules import Rule, cases
from suites.conformance.scenarios import RULES, Judge, Send, chat

USAGE = {"include_usage": True}

STREAMS = {
    "stream": chat("Say hello.", stream=True),
    "stream-usage": chat("Say hello.", stream=True, stream_options=USAGE),
    "stream-unicode": chat("Repeat: 日本語 🎉 naïve", stream=True, stream_options=USAGE),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(RULES, STREAMS))
def test_stream(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(STREAMS[scenario]))
