"""Stop strings: where an answer ends, and what of them is seen."""

import pytest

from seatrial.checks.areas.params import parts
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Quoted, Scenario
from suites.conformance.scenarios import (
    HELLO,
    NEVER,
    OPEN,
    SUM,
    THINKING,
    USAGE,
    WORLD,
    FirstAsk,
    Judge,
    Send,
    alone,
    chat,
    declinable,
    faulty,
    request,
)

STREAM = {"stream": True, "stream_options": USAGE}

PIECE = Quoted(after="free", first=3, length=9)
BEHIND = Quoted(after="free", of="words", first=6, length=9)
"""A piece that begins with a word: the blank before it is the last character of the answer, and always there."""

UNLIKE = [
    Quoted(after="free", length=8, spelt="between line ends"),
    Quoted(after="free", first=3, length=9, spelt="in the other case"),
]
"""What no answer holds, and what is like a piece of it."""

IN_THOUGHT = Quoted(after="free", of="thought", first=1, length=6)
"""Some characters of a free answer, over the border of two tokens at least."""

STOPS = {
    "free": request(OPEN, max_tokens=24),
    "four": request(OPEN, max_tokens=24, stop=[NEVER, NEVER * 2, NEVER * 3, PIECE]),
    "stream": request(OPEN, max_tokens=24, stop=PIECE, **STREAM),
    "unlike": request(OPEN, max_tokens=24, stop=UNLIKE),
    "unlike-stream": request(OPEN, max_tokens=24, stop=UNLIKE, **STREAM),
    "blank": request(OPEN, max_tokens=24, stop=BEHIND),
    "blank-stream": request(OPEN, max_tokens=24, stop=BEHIND, **STREAM),
}
ANY_SCRIPT = ["語", "🎉", "ï", "é"]
"""Of several planes, and all of them in :data:`WORDS`."""

WORDS = {
    "type": "json_schema",
    "json_schema": {
        "name": "words",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"said": {"type": "string", "enum": ["日本語 🎉 naïve"]}},
            "required": ["said"],
            "additionalProperties": False,
        },
    },
}
"""Leaves no other words than these, for a model that repeats nothing; but JSON may spell them as escapes."""

SCRIPT_STOPS = {
    "free": request(WORLD, max_tokens=40, response_format=WORDS),
    "script": request(WORLD, max_tokens=40, response_format=WORDS, stop=ANY_SCRIPT),
    "script-stream": request(WORLD, max_tokens=40, response_format=WORDS, stop=ANY_SCRIPT, **STREAM),
    "said-free": request(WORLD, max_tokens=16),
    "said": request(WORLD, max_tokens=16, stop=ANY_SCRIPT),
}
PARAMS_STOPS = {
    "stop": chat(HELLO, stop="e", max_tokens=32, of=parts.STOP),
    "stop-stream": chat(HELLO, stop="e", max_tokens=32, of=parts.STOP, **STREAM),
    "stop-strings": Scenario(requests=STOPS, traits=parts.STOPS, alone=True, tokens=24 * len(STOPS)),
    "stop-scripts": declinable(SCRIPT_STOPS, of=parts.SCRIPT_STOPS, asked=FirstAsk.STRUCTURED),
    "stop-none": alone(
        {
            "free": request(OPEN),
            "null": request(OPEN, stop=None),
            "no-string": request(OPEN, stop=[]),
            "empty": request(OPEN, stop=""),
        },
        parts.NO_STOP,
    ),
    "stop-in-thought": declinable(
        {
            "free": request(SUM, max_tokens=128, **THINKING),
            "only": request(SUM, max_tokens=128, stop=[IN_THOUGHT, " the", " is", " to"], **THINKING),
        },
        of=parts.STOP_IN_THOUGHT,
        asked=FirstAsk.REASONING,
    ),
    "stop-five": faulty(request(HELLO, max_tokens=1, stop=[NEVER * n for n in range(1, 6)]), of=parts.MANY_STOPS),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(PARAMS_STOPS))
def test_params_stops(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(PARAMS_STOPS[scenario]))
