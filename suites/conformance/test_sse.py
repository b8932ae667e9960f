"""Event streams."""

import pytest

from seatrial.checks.areas import sse
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from suites.conformance.scenarios import COUNT, HELLO, NEVER, TURNS, USAGE, WORLD, Judge, Send, both_ways, chat

STREAMS = {
    "stream": chat(HELLO, stream=True),
    "stream-usage": chat(HELLO, stream=True, stream_options=USAGE),
    "stream-turns": chat(TURNS, stream=True),
    "stream-unicode": chat(WORLD, stream=True, stream_options=USAGE),
    "stream-long": chat(COUNT, stream=True, of=sse.LONG, max_tokens=96, stop=[NEVER]),
    "both-ways": both_ways(HELLO, of=sse.BOTH_WAYS),
    "both-ways-turns": both_ways(TURNS, of=sse.BOTH_WAYS, stream_options=USAGE),
    "stream-one-token": chat(HELLO, stream=True, stream_options=USAGE, max_tokens=1),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(STREAMS))
def test_stream(rule: Rule, scenario: str, send: Send, judge: Judge) -> None:
    judge(rule, send(STREAMS[scenario]))
