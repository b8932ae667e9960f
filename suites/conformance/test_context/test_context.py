"""Prompts that do not fit, prompts that just fit, and texts that nobody thinks of."""

from typing import Any

import pytest
from msgspec.structs import replace

from seatrial.checks.areas.context import parts
from seatrial.checks.areas.sse import stream as sse
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.checks.traits import Traits
from seatrial.records import Hazard, Request, Scenario, TokensLeft, Words
from suites.conformance.scenarios import (
    COUNT,
    HELLO,
    USAGE,
    FirstAsk,
    Judge,
    Send,
    chat,
    chats,
    faulty,
    full,
    optional,
    request,
)

SOON = ["e", "a", "o", " "]
"""These end an answer within a few tokens, whatever its cap."""

HEAVY_S, FULL_S = 120.0, 600.0
CHEAP = 16_384
"""A refusal costs no work on the prompt. A server that cuts it works on all that its context holds: on this at most."""

ANY = 2**30
CANARY = "Zo\u00eb 7: \u65e5\u672c, e\u0301, \u05e9\u05dc, \U0001f469\u200d\U0001f4bb"
"""A letter with its accent, one with it beside it, scripts of both directions, and joined signs of four bytes each."""

ALONE = {
    "type": "object",
    "properties": {"text": {"type": "string", "enum": [CANARY]}},
    "required": ["text"],
    "additionalProperties": False,
}
ONLY = {"type": "json_schema", "json_schema": {"name": "text", "strict": True, "schema": ALONE}}
STORY = " ".join(f"Log {n}: wind west {n + 3}, the glass at {n * 7}." for n in range(20))
BOOK = [{"role": "system", "content": STORY}, {"role": "user", "content": "What was the wind of log 7?"}]


def said(text: Any, *, cap: Any = 1, **body: Any) -> Request:
    """A request of one message, or of several."""
    messages = text if isinstance(text, list) else [{"role": "user", "content": text}]
    return replace(request(messages, max_tokens=cap, **body), exact=True)


def before_a_count(text: Any) -> list[Any]:
    """A text, and a question whose answer goes on until it is cut."""
    return [{"role": "system", "content": text}, {"role": "user", "content": COUNT}]


def several(of: Traits, requests: dict[str, Request], **more: Any) -> Scenario:
    """Requests that a server may refuse."""
    return Scenario(requests=requests, traits=of, tokens=4 * len(requests), **more)


def beyond(of: Traits, first: int, **body: Any) -> Scenario:
    """A prompt beyond the context."""
    long = said(Words(share=2.0, more=64, first=first), cap=4, **body)
    return replace(faulty(long, of=of, hazard=Hazard.HEAVY), within=CHEAP, deadline_s=HEAVY_S)


def edge(prompt: dict[str, Request], text: Any, after: str) -> dict[str, Request]:
    """The same prompt with caps around what the context has left."""
    return prompt | {
        "one-less": said(text, cap=TokensLeft(after=after, more=-1), stop=SOON),
        "fits": said(text, cap=TokensLeft(after=after), stop=SOON),
    }


def odd(*texts: str, **more: Any) -> Scenario:
    """Texts, one a request."""
    return several(parts.ODD, {f"text-{n}": said(text) for n, text in enumerate(texts)}, **more)


def crowd(text: Any) -> dict[str, Request]:
    """Nine requests, each with a text that begins with another word."""
    return {f"user-{n}": said(replace(text, first=7 * n), cap=4) for n in range(9)}


NEARLY = Words(share=0.9)
FILLED = before_a_count(replace(NEARLY, after="short", more=-48))
HEAVY = {"hazard": Hazard.HEAVY, "deadline_s": HEAVY_S}
LONG = {"hazard": Hazard.HEAVY, "deadline_s": FULL_S}

CONTEXT = {
    "beyond-context": beyond(parts.BEYOND | parts.READ, 0),
    "beyond-context-stream": beyond(parts.BEYOND | sse.STREAM_FAULT, 30, stream=True),
    "two-lengths": chats(of=parts.READ, short=said(Words(more=60)), long=said(Words(more=150, first=20))),
    "edge-of-context": several(
        parts.EDGE,
        edge({"short": said(HELLO)}, HELLO, "short")
        | {"over": said(HELLO, cap=TokensLeft(after="short", more=64), stop=SOON)},
        within=ANY,
    ),
    "second-turn": replace(
        chats(
            of=parts.TURNS,
            first=request(BOOK, max_tokens=1),
            second=request(
                [*BOOK, {"role": "assistant", "content": "West 10."}, {"role": "user", "content": "And of log 9?"}],
                max_tokens=1,
            ),
        ),
        alone=True,
    ),
    "blank-text": odd("", " ", "\n\t\n", "a"),
    "control-text": odd("a\x00b", "".join(map(chr, range(1, 32))), "a\x7f\x80\x9f\u2028\ufeffb"),
    "script-text": odd(
        "e\u0301 \u00e9 \u1e69 s\u0323\u0307",
        "\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
        CANARY,
        "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f3f4\u200d\u2620\ufe0f",
    ),
    "long-line": odd("ab" * 300),
    "echo": optional(chat("Give the text.", of=parts.ECHO, response_format=ONLY, max_tokens=72), FirstAsk.STRUCTURED),
    "echo-stream": optional(
        chat("Give the text.", of=parts.ECHO, response_format=ONLY, max_tokens=72, stream=True, stream_options=USAGE),
        FirstAsk.STRUCTURED,
    ),
    "all-slots": several(parts.CROWD, crowd(Words(more=50)), at_once=True, **HEAVY),
    "texts-of-all-lengths": full(
        several(
            parts.LENGTHS,
            {f"{n}-words": said(Words(more=n, first=n % 50)) for n in (2_003, 6_011, 18_017, 54_029)},
            **LONG,
        )
    ),
    "filled-context": full(
        several(
            parts.EDGE,
            edge({"short": said(before_a_count(NEARLY)), "full": said(FILLED)}, FILLED, "full")
            | {"over": said(FILLED, cap=TokensLeft(after="full", more=64))},
            within=ANY,
            **LONG,
        )
    ),
    "long-line-1-mb": full(odd("ab" * 2**19, **LONG)),
    "all-slots-filled": full(several(parts.CROWD, crowd(NEARLY), at_once=True, within=ANY, **LONG)),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(CONTEXT))
def test_context(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(CONTEXT[scenario]))
