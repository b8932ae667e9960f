"""Who has the port after an end: a successor is a new process, and what was there before the end serves on."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from seatrial.records import Clock, Event, Line, Probe, Sample, Stop
from seatrial.stops import fold
from tests.stops.simulation import BOOT_OFFSET, MS, S

START = 1_000 * S
DIES = START + 10 * S + 300 * MS
MASTER, WORKER, FRESH = 41, 42, 43


def ticks(at: int) -> int:
    return (at + BOOT_OFFSET) // (S // 100)


def found(pid: int, at: int, began: int, *, parent: int = 0, socket: str = "77", above: int = 1) -> Event:
    facts = {"exe": "/srv", "socket": socket, "parent": str(above), "parent process": "there"}
    return Event(
        what="found", name="a", at=at, pid=pid, incarnation=f"i-{pid}", started_ticks=ticks(began), parent=parent,
        facts=facts, t=at,
    )  # fmt: skip


def ended(pid: int, status: int, at: int = DIES) -> Event:
    facts = {"alive_at": str(at - 20 * MS)}
    return Event(
        what="exit", name="a", at=at, signalled_at=at, pid=pid, incarnation=f"i-{pid}", status=status, t=at + 5 * MS,
        source="pidfd-info", facts=facts,
    )  # fmt: skip


def record(
    *events: Event, main: int = MASTER, answers: bool = True, seconds: int = 20, owners: tuple[int, ...] = ()
) -> list[Line]:
    """A server watched each second: its main process by samples until it ends, and /health, which may not come back."""
    lines: list[Line] = [*events]
    for n in range(seconds):
        t = START + n * S
        lines.append(Clock(wall_ns=t, boot_ns=t + BOOT_OFFSET, raw_ns=t, w="recorder", t=t))
        alive = t < DIES
        if alive:
            lines.append(Sample(name="a", pid=main, incarnation=f"i-{main}", state="S", cpu_ns=n, switches=n, t=t + 1))
        well = alive or answers
        lines.append(Probe(name="a", listens=True, inode=77, health=200 if well else None,
                           error="" if well else "deadline", t=t + 2, owners=owners))  # fmt: skip
    return sorted(lines, key=lambda line: line.t)


def stops(lines: list[Line]) -> list[tuple[str, int | None, str]]:
    told: list[Stop] = []
    state = fold.start()
    for line in lines:
        state, given = fold.step(state, line)
        told += given
    last = fold.finish(state)
    assert {stop.id for stop in told} <= {stop.id for stop in last}, "what was told of is a stop at the end too"
    return [(stop.family, stop.signal, stop.successor) for stop in last]


OLD = found(MASTER, START, START - 90 * S)
CHILD = found(WORKER, START + 1, START - 80 * S, parent=MASTER, above=MASTER)


def taken_over(pid: int, began: int, after: int = 100 * MS, **more: Any) -> Event:
    return found(pid, DIES + after, began, **more)


def test_an_old_worker_is_no_successor_of_its_master():
    lines = record(OLD, CHILD, ended(MASTER, 9), taken_over(WORKER, START - 80 * S))
    assert stops(lines) == [("STOPPED", 9, "")]
    (stop,) = fold.fold(lines)
    assert stop.until is not None
    assert DIES < stop.until < DIES + 2 * S
    assert any("is no new server" in text for text in stop.evidence)
    assert "restart (no new incarnation)" in stop.excluded


def test_the_worker_may_be_found_before_the_end_is_written():
    end = ended(MASTER, 9)
    late = Event(**{f: getattr(end, f) for f in end.__struct_fields__} | {"t": DIES + 300 * MS})
    assert stops(record(OLD, CHILD, late, taken_over(WORKER, START - 80 * S))) == [("STOPPED", 9, "")]


def test_where_the_old_worker_does_not_serve_the_stop_lasts():
    for status in (9, 0):
        lines = record(OLD, CHILD, ended(MASTER, status), taken_over(WORKER, START - 80 * S), answers=False)
        (stop,) = fold.fold(lines)
        assert (stop.family, stop.until, stop.successor) == ("STOPPED", None, "")


@pytest.mark.parametrize("status", [0, 15])
def test_an_end_in_order_beside_a_worker_that_serves_is_no_stop(status):
    assert stops(record(OLD, CHILD, ended(MASTER, status), taken_over(WORKER, START - 80 * S))) == []


@pytest.mark.parametrize(("status", "told"), [(0, []), (15, []), (9, ["RESTARTED"]), (11, ["RESTARTED"])])
def test_a_worker_whose_master_starts_another_in_order_is_recycled(status, told):
    first = found(WORKER, START, START - 80 * S, above=MASTER)
    second = taken_over(FRESH, DIES + 50 * MS, above=MASTER)
    assert [family for family, _, _ in stops(record(first, ended(WORKER, status), second, main=WORKER))] == told


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("after", [2 * MS, 400 * MS, 8 * S])
def test_a_family_that_is_killed_is_one_story_in_whatever_order_it_ends(after, again):
    """Its worker is found at the port before it ends too: no second stop begins there, however often that is told."""
    end, heir = ended(MASTER, 9), taken_over(WORKER, START - 80 * S, after=MS)
    later = [ended(WORKER, 9, DIES + after)] + [replace(ended(WORKER, 9, DIES + after), t=DIES + after + S)] * again
    lines = record(OLD, CHILD, end, heir, *later, answers=False)
    (stop,) = fold.fold(lines)
    assert (stop.family, stop.signal, stop.pid, stop.until, stop.successor) == ("STOPPED", 9, MASTER, None, "")
    assert any(text.startswith(f"pid {WORKER} ended too, ") for text in stop.evidence)
    fresh = found(FRESH, DIES + after + 2 * S, DIES + after + 2 * S - 50 * MS)
    assert stops(sorted([*lines, fresh], key=lambda line: line.t)) == [("RESTARTED", 9, "i-43")]


@pytest.mark.parametrize("late", [0, 500 * MS])
def test_many_workers_that_have_the_port_one_after_another_and_end_are_one_story(late):
    """A slow recorder finds each at the port before it is told that the one before has ended."""
    pids = range(WORKER, WORKER + 8)
    born = [found(pid, START + 1, START - 80 * S, parent=MASTER, above=MASTER) for pid in pids]
    heirs = [taken_over(pid, START - 80 * S, after=(n + 1) * MS) for n, pid in enumerate(pids)]
    ends = [ended(MASTER, 9), *(ended(pid, 9, DIES + (n + 2) * MS) for n, pid in enumerate(pids))]
    told = [replace(end, t=end.t + late) for end in ends]
    (stop,) = fold.fold(record(OLD, *born, *heirs, *told, answers=False))
    assert (stop.family, stop.signal, stop.pid, stop.until) == ("STOPPED", 9, MASTER, None)
    assert sum("ended too" in text for text in stop.evidence) == 3


def test_a_worker_that_served_on_and_ends_later_is_a_stop_of_its_own():
    lines = record(OLD, CHILD, ended(MASTER, 9), taken_over(WORKER, START - 80 * S), ended(WORKER, 9, DIES + 6 * S))
    assert [family for family, _, _ in stops(lines)] == ["STOPPED", "STOPPED"]


@pytest.mark.parametrize("changed", [{"socket": "78"}, {"above": 40}, {"above": 1}])
def test_a_successor_of_another_socket_or_parent_is_a_restart(changed):
    above = 1 if changed == {"above": 1} else MASTER
    first = found(WORKER, START, START - 80 * S, above=above)
    second = taken_over(FRESH, DIES + 50 * MS, **({"above": above} | changed))
    assert stops(record(first, ended(WORKER, 0), second, main=WORKER)) == [("RESTARTED", None, "i-43")]


def test_no_gap_is_negative():
    """Whoever came is known by its start: a stop's own times say the same."""
    for began in (START - 80 * S, DIES + 10 * MS):
        (stop,) = fold.fold(record(OLD, CHILD, ended(MASTER, 9), taken_over(WORKER, began)))
        assert stop.alive_at <= stop.dead_at
        assert stop.until is not None
        assert stop.until >= stop.dead_at


def test_a_worker_with_a_socket_of_its_own_follows_another_while_others_listen():
    first = found(WORKER, START, START - 80 * S, above=MASTER)
    second = taken_over(FRESH, DIES + 50 * MS, above=MASTER, socket="78")
    for owners, told in (((WORKER, 99), []), ((WORKER, WORKER), ["RESTARTED"])):
        lines = record(first, ended(WORKER, 0), second, main=WORKER, owners=owners)
        assert [family for family, _, _ in stops(lines)] == told


@pytest.mark.parametrize(("status", "told"), [(0, []), (9, ["RESTARTED"])])
@pytest.mark.parametrize("sampled", [True, False])
def test_an_end_that_is_told_after_another_was_found_in_its_place_says_all_the_same_how_it_was(status, told, sampled):
    """A slow recorder finds the port with a worker's sibling before it is told that the worker ended in order."""
    first = found(WORKER, START, START - 80 * S, above=MASTER)
    sibling = taken_over(FRESH, DIES + 2 * MS, above=MASTER, socket="78")
    end = replace(ended(WORKER, status), t=sibling.t + MS)
    lines = record(first, sibling, end, main=WORKER, owners=(WORKER, FRESH))
    lines = [line for line in lines if sampled or not isinstance(line, Sample)]
    assert [family for family, _, _ in stops(lines)] == told
