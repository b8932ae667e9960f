"""Requests together at the server without sockets: slots, queues and leavings, in a time of its own."""

import json
import time

import pytest

from seatrial.records import LEFT, SECOND, Leaving
from seatrial.wire.transports.prepare import Prepared
from tests.golden.chat import SLOTS
from tests.golden.client import chat
from tests.golden.faults import FAULTS
from tests.golden.memory import Memory
from tests.golden.together import Asked, Hour

TOGETHER = {name for name, fault in FAULTS.items() if "left" in fault.stages} | {
    "no-line-500",
    "no-line-closes",
    "line-is-short",
}
"""Faults and freedoms that show where clients leave, or more come than there are slots."""

COUNT = [{"role": "user", "content": "Count from 1 to 200."}]


def asked(memory: Memory, leaves: Leaving = Leaving.NEVER, **body: object) -> Asked:
    told = {"messages": COUNT, "max_tokens": 40, **body}
    prepared = Prepared("POST", "/chat/completions", json.dumps(chat(**told)).encode())
    with memory.client() as client:
        return Asked(client.request_bytes(prepared), leaves)


def test_more_than_slots_wait_in_line_and_no_time_passes() -> None:
    memory, began = Memory(), time.monotonic()
    said = Hour(memory).hold({str(n): asked(memory, stream=True) for n in range(3 * SLOTS)})
    ends = sorted(each.ended_at - each.sent_at for each in said.values())
    assert {each.error for each in said.values()} == {""}
    assert 0.8 * SECOND <= ends[0] < 1.1 * SECOND  # 40 tokens of 20 ms
    assert 2.4 * SECOND <= ends[-1] < 3.3 * SECOND
    assert time.monotonic() - began < 2.4


def test_who_leaves_gives_his_slot_back() -> None:
    memory = Memory()
    hour = Hour(memory)
    left = hour.hold({str(n): asked(memory, Leaving.WORDS, stream=True) for n in range(SLOTS)})
    assert {each.error for each in left.values()} == {LEFT}
    assert memory.service.truth.snapshot()["in_flight"] == 0
    (said,) = hour.hold({"after": asked(memory)}).values()
    assert said.error == ""
    assert said.ended_at - said.sent_at < 1.1 * SECOND


def test_who_waits_in_line_may_leave_too() -> None:
    memory = Memory()
    crowd = {str(n): asked(memory) for n in range(SLOTS)} | {"queued": asked(memory, Leaving.SOON)}
    said = Hour(memory).hold(crowd)
    assert (said["queued"].error, said["queued"].response) == (LEFT, b"")
    assert {said[str(n)].error for n in range(SLOTS)} == {""}


@pytest.mark.parametrize("name", sorted(TOGETHER))
def test_a_fault_of_company_fires_there_and_leaves_a_single_request_alone(name: str) -> None:
    memory = Memory((name,))
    hour = Hour(memory)
    (single,) = hour.hold({"alone": asked(memory)}).values()
    assert (single.error, single.response[9:12]) == ("", b"200")
    assert memory.service.truth.snapshot()["fired"] == {}
    story = [{"role": "user", "content": "a b c d " * 100}]
    hour.hold({str(n): asked(memory, Leaving.WORDS, stream=True) for n in range(4)})
    hour.hold({str(n): asked(memory, Leaving.SOON) for n in range(4)})
    hour.hold({str(n): asked(memory, Leaving.SOON, messages=story) for n in range(4)})
    hour.hold({str(n): asked(memory, Leaving.NEVER if n < SLOTS else Leaving.SOON) for n in range(4 * SLOTS)})
    hour.hold({"after": asked(memory)})
    assert set(memory.service.truth.snapshot()["fired"]) == {name}
