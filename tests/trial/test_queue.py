"""Who waited in a queue of ours, and who merely was slow."""

from __future__ import annotations

import pytest

from seatrial.records import SECOND, Received, Sent
from seatrial.trial.sending import queue
from tests.behaviour.specimens import exchange, streamed
from tests.trial.senders import ROLE, first_word_at

CHATS, VECTORS = exchange().path, "/embeddings"


def sent(name: str, at: float, path: str = CHATS, method: str = "POST") -> Sent:
    return Sent(endpoint="golden", scenario="s", method=method, path=path, w=name, n=1, t=int(at * SECOND))


def test_one_that_was_being_served_waited_for_nobody_from_then_on():
    spoke = streamed(ROLE, id="main-1", error="deadline", sent_at=10 * SECOND, ended_at=40 * SECOND)
    early = first_word_at(spoke, 11)
    assert not queue.waited(early, [received("a", 12, 39)])
    assert queue.waited(first_word_at(spoke, 30), [received("a", 12, 29)])


def received(name: str, of: float, to: float, *, first: float | None = None, path: str = CHATS) -> Received:
    frames = ((int((first or of) * SECOND), 5), (int(to * SECOND), 5))
    return Received(id=f"{name}-1", endpoint="golden", scenario="s", method="POST", path=path, request=(0, 0),
                    response=(0, 0), frames=frames, sent_at=int(of * SECOND), ended_at=int(to * SECOND))  # fmt: skip


LATE = exchange(id="main-1", error="idle", status=None, sent_at=10 * SECOND, ended_at=40 * SECOND)


@pytest.mark.parametrize(
    ("lines", "held"),
    [
        ([], False),
        ([received("a", 5, 39)], True),  # one of ours was answered meanwhile
        ([received("a", 1, 9)], False),  # its answer had ended before
        ([received("a", 41, 42)], False),
        ([received("a", 5, 20), *(received(f"b{n}", 21 + n, 22 + n) for n in range(3))], True),  # a few overtook it
        ([received("a", 5, 20), *(received(f"b{n}", 21 + n, 22 + n) for n in range(4))], False),  # too many did
        ([received(f"b{n}", 21 + n, 22 + n, path=VECTORS) for n in range(9)], True),  # of another route
    ],
    ids=["nobody", "one", "before", "after", "overtaken-by-few", "overtaken-by-many", "overtaken-by-another-route"],
)
def test_who_waited_in_a_queue(lines, held):
    assert queue.waited(LATE, lines) is held


@pytest.mark.parametrize(("slots", "held"), [(None, True), (1, True), (2, True), (3, False)])
def test_company_is_counted_at_one_time_against_the_slots(slots, held):
    lines = [sent("a", 5), received("a", 5, 15), sent("b", 12), sent("c", 16), received("c", 16, 20)]
    assert queue.in_company(LATE, lines, slots) is held


@pytest.mark.parametrize(
    ("beside", "held"),
    [
        (sent("a", 12, VECTORS), True),  # an engine may do one kind of work at a time, whatever its slots
        (sent("a", 12, "/models", "GET"), False),
        (sent("a", 41, VECTORS), False),
    ],
    ids=["vectors", "a-list", "later"],
)
def test_work_of_another_route_is_company_whatever_the_slots(beside, held):
    assert queue.in_company(LATE, [beside], 4) is held


@pytest.mark.parametrize(
    ("x", "held"),
    [
        (LATE, True),
        (exchange(status=503), True),
        (exchange(status=429), True),
        (exchange(error="deadline", body=b" "), True),
        (exchange(error="deadline", body=b'{"id'), True),
        (streamed(error="idle"), True),
        (streamed(ROLE, error="idle"), False),
        (streamed(ROLE, error="deadline"), True),
        (exchange(error="idle", body=b'{"id'), False),
        (exchange(error="reset", status=None), False),
        (exchange(status=500), False),
        (exchange(), False),
    ],
)
def test_what_looks_as_if_it_had_waited(x, held):
    assert queue.may_have(x) is held
