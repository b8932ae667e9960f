"""Many clients at the same time, and clients that leave."""

from typing import Any

import pytest
from msgspec.structs import replace

from seatrial.checks.areas.concurrency import parts
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.checks.traits import Traits
from seatrial.records import Hazard, Leaving, Marked, Request, Scenario, Wave, Width, Words
from suites.conformance.scenarios import COUNT, HELLO, USAGE, FirstAsk, Judge, Send, full, optional, request

LONG = 300
"""A cap that takes a server seconds to reach: who leaves before has left work behind."""

STORY = " ".join(f"Log {n}: wind west {n + 3}, the glass at {n * 7}." for n in range(12))
SEA = "one two three four five six seven eight nine ten"
LIMIT_S = 120.0


def told(text: str, *, cap: int = 24, **body: Any) -> Request:
    """A request with a mark in its text."""
    return request([{"role": "user", "content": Marked(text=text)}], max_tokens=cap, **body)


def repeating(text: str, *, of: str = "", cap: int = 16) -> Request:
    """A request whose answer was given once already, so that a small model too gives it again."""
    asks = {"role": "user", "content": Marked(text=f"Repeat: {text}", of=of)}
    return request([asks, {"role": "assistant", "content": Marked(text=text, of=of)}, asks], max_tokens=cap)


def together(of: Traits, requests: dict[str, Request], *waves: Wave, tokens: int, **more: Any) -> Scenario:
    """Waves of requests; each may have to wait for many others of ours."""
    whole = Scenario(requests=requests, traits=of, waves=waves, tokens=tokens, hazard=Hazard.HEAVY, **more)
    return replace(whole, deadline_s=LIMIT_S)


def stream(asked: Request) -> Request:
    """The same, as a stream with its usage."""
    return replace(asked, body={**asked.body, "stream": True, "stream_options": USAGE})


def leaving(asked: Request, leaves: Leaving) -> Request:
    return replace(asked, leaves=leaves)


def bound() -> Request:
    """Its answer can only be the mark, which its schema alone holds; the prompt shows a short form, to be kept."""
    schema = {
        "type": "object",
        "properties": {"word": {"type": "string", "enum": [Marked()]}},
        "required": ["word"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "word", "strict": True, "schema": schema}}
    return request('Answer with this JSON object: {"word": "sand"}', max_tokens=64, response_format=form)


def turn(echo: Request, *, times: int = 1) -> Request:
    """The same behind a beginning that all have in common; asked so many times more."""
    begins, (first, *again) = {"role": "system", "content": STORY}, echo.body["messages"]
    return replace(echo, body={**echo.body, "messages": [begins, first, *again * times]})


FIRST, SECOND = turn(repeating("{mark}")), turn(repeating("{mark}", of="first-1"), times=2)
ECHO = repeating("{mark}")
COUNTING = told("{mark}. " + COUNT, cap=LONG)
STAYS = stream(repeating(f"{{mark}} {SEA}", cap=24))
READING = request([{"role": "user", "content": Words(more=300)}], max_tokens=LONG, stream=True)
GOOD = request(HELLO, max_tokens=1)

AFTER = (Wave(of=("after",)), Wave(of=("later",), if_kept=True, after_s=2.0))
LEFT = {
    "before": STAYS,
    "after": STAYS,
    "later": STAYS,
    "leaver": leaving(replace(COUNTING, body={**COUNTING.body, "stream": True}), Leaving.WORDS),
    "plain": leaving(COUNTING, Leaving.SOON),
}

CONCURRENCY = {
    "crowd": together(
        parts.MARKED | parts.UNLIKE | parts.CROWD,
        {
            "cold": request(HELLO, max_tokens=8),
            "hot": request(COUNT, max_tokens=10, temperature=1.9),
            "echo": ECHO,
            "echo-stream": stream(ECHO),
        },
        Wave(of=("cold",), width=Width.ONE),
        Wave(of=("cold",), width=Width.ONE),
        Wave(of=("hot", "echo", "echo-stream", "cold"), width=Width.FOUR),
        tokens=16 * 12,
    ),
    "bound-beside-free": optional(
        together(
            parts.BOUND,
            {"bound": bound(), "free": request(HELLO, max_tokens=16)},
            Wave(of=("bound", "free", "bound"), width=Width.TWICE),
            tokens=8 * 32,
        ),
        FirstAsk.STRUCTURED,
    ),
    "same-beginning": together(
        parts.BEFORE,
        {"first": FIRST, "other": FIRST, "second": SECOND},
        Wave(of=("first",)),
        Wave(of=("other",), width=Width.TWICE),
        Wave(of=("second",), after_s=1.0),
        tokens=16 * 16,
    ),
    "leaving": together(
        parts.LEAVING | parts.OTHERWISE | parts.BEFORE,
        {
            **LEFT,
            "holder": stream(told("{mark}. " + COUNT, cap=48)),
            "queued": leaving(COUNTING, Leaving.SOON),
            "prefill": leaving(READING, Leaving.SOON),
        },
        Wave(of=("before",)),
        Wave(of=("leaver",), width=Width.SPARE),
        *AFTER,
        Wave(of=("plain",), width=Width.SPARE),
        *AFTER,
        Wave(of=("holder",), later=("queued", "queued")),
        *AFTER,
        Wave(of=("prefill",), width=Width.ONE),
        *AFTER,
        tokens=20 * 24 + 4 * 48,
    ),
    "dropped": together(
        parts.DROPPED,
        {"good": GOOD, "open": leaving(GOOD, Leaving.OPEN), "sent": leaving(GOOD, Leaving.SENT)},
        Wave(of=("good",), width=Width.ONE),
        Wave(of=("open", "sent"), width=Width.FOUR),
        Wave(of=("good",), width=Width.ONE),
        enough=24,
        tokens=16,
    ),
    "counted": together(
        parts.COUNTED,
        {"counters": Request(method="GET", path="//metrics"), "chat": request(COUNT, max_tokens=6)},
        Wave(of=("counters",), width=Width.ONE),
        Wave(of=("chat",), width=Width.SLOTS),
        Wave(of=("counters",), width=Width.ONE),
        tokens=4 * 6,
    ),
    "crowd-often": full(
        together(
            parts.MARKED | parts.CROWD,
            {"echo": ECHO, "echo-stream": stream(ECHO)},
            Wave(of=("echo", "echo-stream"), width=Width.FOUR),
            enough=96,
            tokens=96 * 16,
        )
    ),
    "bound-often": full(
        optional(
            together(
                parts.BOUND,
                {"bound": bound(), "free": request(HELLO, max_tokens=8)},
                Wave(of=("bound", "bound", "bound", "free"), width=Width.FOUR),
                enough=128,
                tokens=128 * 32,
            ),
            FirstAsk.STRUCTURED,
        )
    ),
    "same-beginning-often": full(
        together(
            parts.BEFORE,
            {"first": FIRST, "other": FIRST, "second": SECOND},
            Wave(of=("first",)),
            Wave(of=("other",), width=Width.TWICE),
            Wave(of=("second",)),
            enough=96,
            tokens=96 * 16,
        )
    ),
    "leaving-often": full(
        together(
            parts.LEAVING | parts.OTHERWISE | parts.BEFORE,
            LEFT,
            Wave(of=("before",)),
            Wave(of=("leaver",), width=Width.SPARE),
            *AFTER,
            Wave(of=("plain",), width=Width.SPARE),
            *AFTER,
            enough=192,
            tokens=192 * 24,
        )
    ),
    "dropped-often": full(
        together(
            parts.DROPPED,
            {"good": GOOD, "open": leaving(GOOD, Leaving.OPEN), "sent": leaving(GOOD, Leaving.SENT)},
            Wave(of=("good",), width=Width.ONE),
            Wave(of=("open", "sent"), width=Width.FOUR),
            Wave(of=("good",), width=Width.ONE),
            enough=1000,
            tokens=1000,
        )
    ),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(CONCURRENCY))
def test_concurrency(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(CONCURRENCY[scenario]))
