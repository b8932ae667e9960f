"""Messages that get no answer, and the answer they get; the same fault in several ways; seeded faults."""

import pytest

from seatrial.checks import fuzzing
from seatrial.checks.areas.chat import answers as chat
from seatrial.checks.areas.errors import status
from seatrial.checks.areas.sse import stream as sse
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.records import Hazard, Request, Scenario
from suites.conformance.scenarios import GOOD, Judge, Send, all_faulty, faulty, full, request

WORD = request([]).body | {"messages": "hello"}
ONE_TOKEN = ("chat/one-token", GOOD)
NONE = {"model": None, "max_tokens": 16}

SEED = 18


def fuzz(count: int) -> Scenario:
    """So many chats with seeded faults, and a good one after them."""
    asked = {f"{n:03}": Request(body=body) for n, body in enumerate(fuzzing.chats(SEED, count))}
    return Scenario(
        requests={**asked, "good": GOOD},
        traits=status.FUZZ,
        hazard=Hazard.CARELESS,
        before=ONE_TOKEN,
        tokens=fuzzing.CAP * count,
    )


FAULTS = {
    "no-messages": faulty(Request(body=NONE), of=chat.BAD_MESSAGES),
    "messages-text": faulty(Request(body=WORD), of=chat.BAD_MESSAGES),
    "message-number": faulty(request([5]), of=chat.BAD_MESSAGES),
    "content-number": faulty(request([{"role": "user", "content": 5}]), of=chat.BAD_MESSAGES),
    "empty-messages": faulty(request([]), of=chat.EMPTY_MESSAGES),
    "stream-no-messages": faulty(Request(body=NONE | {"stream": True}), of=chat.BAD_MESSAGES | sse.STREAM_FAULT),
    "fault-both-ways": all_faulty(
        {"plain": Request(body=WORD), "stream": Request(body=WORD | {"stream": True})}, of=status.SAME, asked=ONE_TOKEN
    ),
    "fault-everywhere": all_faulty(
        {route: Request(path=f"/{route}", raw=b'{"model": ') for route in ("chat/completions", "embeddings")},
        of=status.SAME,
        asked=ONE_TOKEN,
    ),
    "fuzz": fuzz(30),
    "fuzz-many": full(fuzz(500)),
    "stream-messages-text": faulty(Request(body=WORD | {"stream": True}), of=chat.BAD_MESSAGES | sse.STREAM_FAULT),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(FAULTS))
def test_faulty_messages(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(FAULTS[scenario]))
