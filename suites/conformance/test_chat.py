"""Plain chat answers, the messages that are read for them, and what they are known by."""

from typing import Any

import pytest

from seatrial.checks import traits
from seatrial.checks.areas.chat import messages, prompts
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Hazard, Request, Scenario, Words
from suites.conformance.scenarios import (
    GOOD,
    HELLO,
    TURNS,
    WEATHER,
    WORLD,
    FirstAsk,
    Judge,
    Send,
    chat,
    chats,
    declinable,
    request,
)

GREETING = request(HELLO, max_tokens=96)
"""Short, and with room to think before."""

ONE_TOKEN = ("chat/one-token", GOOD)
RULES = "You answer in one word, in small letters, and never with a question."
USER = {"role": "user", "content": HELLO}
SAID = {"role": "assistant", "content": "Snow is white, coal is black, and the sea has every colour in between."}
SYSTEM = {"role": "system", "content": RULES}
DEVELOPER = SYSTEM | {"role": "developer"}
MORE = {"role": "system", "content": "You know nothing of the weather, and you say so when somebody asks for it."}
TEXT = "Name a colour of the sea. Use one word, and no other."
HALVES = ("Name a colour of the sea.", " Use one word, and no other.")
NOTHING: dict[str, Any] = dict.fromkeys(("refusal", "audio", "function_call"))
"""What servers say of a turn that has nothing but words."""

TIMES = 8
MARKERS = {
    "chatml": "<|im_start|>",
    "llama": "<|eot_id|>",
    "gemma": "<start_of_turn>",
    "mistral": "[INST]",
    "phi": "<|user|>",
}


def told(*said: Any) -> Request:
    """A conversation, answered with one token."""
    return request(list(said), max_tokens=1)


def asked(of: traits.Traits, **conversations: Request) -> Scenario:
    return declinable(conversations, of=of, asked=ONE_TOKEN)


def text(*parts: str) -> Request:
    return told({"role": "user", "content": [{"type": "text", "text": part} for part in parts]})


CHATS = {
    "plain": chat(HELLO),
    "turns": chat(TURNS),
    "unicode": chat(WORLD),
    "one-token": chats(only=GOOD),
    "prompt-lengths": chats(
        of=prompts.LENGTHS,
        short=request(TEXT, max_tokens=1),
        again=request(TEXT, max_tokens=1),
        long=told({"role": "user", "content": Words(more=60)}),
    ),
    "prompt-marked": chats(
        of=prompts.MARKED,
        none=GOOD,
        **{name: request(HELLO + marker * TIMES, max_tokens=1) for name, marker in MARKERS.items()},
    ),
    "roles": asked(
        messages.ROLES,
        without=told(USER),
        system=told(SYSTEM, USER),
        assistant=told(USER, SAID, USER),
        user=told({"role": "user", "content": f"{RULES} {HELLO}"}),
    ),
    # A template may have a turn of the system for those alone who offer no tools.
    "roles-beside-tools": declinable(
        {
            "without": request([USER], max_tokens=1, tools=[WEATHER]),
            "system": request([SYSTEM, USER], max_tokens=1, tools=[WEATHER]),
        },
        of=messages.ROLES,
        asked=FirstAsk.TOOLS,
    ),
    "role-developer": asked(messages.DEVELOPER, without=told(USER), developer=told(DEVELOPER, USER)),
    "system-in-the-midst": asked(
        messages.MIDST,
        without=told(USER),
        midst=told(USER, SAID, SYSTEM, USER),
        developer=told(USER, SAID, DEVELOPER, USER),
        two=told(SYSTEM, MORE, USER),
    ),
    "turns-in-a-row": asked(
        messages.ROWS, users=told(USER, USER), assistants=told(USER, SAID, SAID, USER), last=told(USER, SAID)
    ),
    "message-fields": asked(
        messages.FIELDS,
        name=told(USER | {"name": "ann_1"}),
        unknown=told(USER | {"seatrial_note": {"a": 1}, "cache_control": {"type": "ephemeral"}}),
    ),
    "turn-as-given": asked(
        messages.GIVEN, calls=told(USER, SAID | {"tool_calls": []}, USER), nulls=told(USER, SAID | NOTHING, USER)
    ),
    "text-parts": asked(
        messages.PARTS, joined=told({"role": "user", "content": TEXT}), one=text(TEXT), two=text(*HALVES)
    ),
    # Late in a run, so that most of it has been answered.
    "whole-run": Scenario(
        requests={"plain": GREETING, "again": GREETING, "stream": request(HELLO, max_tokens=96, stream=True)},
        traits=traits.WHOLE_RUN,
        hazard=Hazard.CARELESS,
        tokens=288,
    ),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(CHATS))
def test_chat(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(CHATS[scenario]))
