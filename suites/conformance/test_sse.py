"""Event streams."""

import pytest
from msgspec.structs import replace

from seatrial.checks.areas.sse import ends, words
from seatrial.checks.areas.sse import stream as sse
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.checks.traits import Traits
from seatrial.records import Quoted, Request, Scenario
from suites.conformance.scenarios import (
    COUNT,
    GOOD,
    HELLO,
    NEVER,
    TURNS,
    USAGE,
    WORLD,
    Judge,
    Send,
    both_ways,
    chat,
    declinable,
    request,
)

CUT = "Repeat: \N{ROCKET}\N{PARTY POPPER}\N{ROCKET}\N{PARTY POPPER}"
"""Characters of several tokens each, in most vocabularies."""

LINES = "Count from 1 to 60, three numbers on each line, with commas between them."
"""What is said to it has blanks and line ends in it before its cap cuts it."""


def mixed(of: Traits, **asked: Request) -> Scenario:
    """Valid chats, some of them streamed."""
    return Scenario(requests=asked, traits=of, tokens=12 * len(asked))


def cut(cap: int, *, stream: bool) -> Request:
    return request(CUT, max_tokens=cap, stream=stream)


STREAMS = {
    "stream": chat(HELLO, stream=True),
    "stream-usage": chat(HELLO, stream=True, stream_options=USAGE),
    "stream-turns": chat(TURNS, stream=True),
    "stream-unicode": chat(WORLD, stream=True, stream_options=USAGE),
    "stream-long": chat(COUNT, stream=True, of=sse.LONG, max_tokens=96, stop=[NEVER]),
    "both-ways": both_ways(HELLO, of=sse.BOTH_WAYS),
    "both-ways-turns": both_ways(TURNS, of=sse.BOTH_WAYS, stream_options=USAGE),
    "scripts-both-ways": both_ways(WORLD, of=words.SCRIPTS),
    "cuts-both-ways": mixed(
        words.CUTS,
        **{f"{way} {cap}": cut(cap, stream=way == "stream") for cap in (2, 3) for way in ("plain", "stream")},
    ),
    "same-words": replace(
        declinable(
            {
                "first": request(LINES, seed=7, max_tokens=12),
                "plain": request(LINES, seed=7, max_tokens=12),
                "stream": request(LINES, seed=7, max_tokens=12, stream=True),
            },
            of=words.ALIKE,
            asked=("chat/one-token", GOOD),
        ),
        alone=True,
    ),
    "wordless": declinable(
        {
            "plain": request(HELLO),
            "stream": request(HELLO, stream=True, stop=[Quoted(after="plain", length=1)]),
        },
        of=ends.WORDLESS,
        asked=("chat/one-token", GOOD),
    ),
    "stream-one-token": chat(HELLO, stream=True, stream_options=USAGE, max_tokens=1),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(STREAMS))
def test_stream(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(STREAMS[scenario]))
