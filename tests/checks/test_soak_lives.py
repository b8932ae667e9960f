"""Which life of the server answered a row of a soak in which it was started again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from seatrial.checks.areas.soak import figures, lives
from seatrial.records import Event, Expect, Happening, Meter, SoakRun
from tests.checks.test_soak import MS, load, row

ROWS = tuple(row(n, byte_at=(n * 1000 + 10) * MS) for n in range(1, 10))
"""One a second; the server ends after 4.5 s, and its next life is there from 6.2 s on."""
CUT = row(4, "reset", sent_at=4400 * MS, byte_at=4410 * MS, ended_at=4500 * MS, id="load1-cut")
UNHEARD = row(5, "refused", sent_at=5500 * MS, ended_at=5501 * MS, first_at=0, last_at=0, status=0, id="load1-none")


def event(what: Happening, at_ms: int, pid: int, **more: Any) -> Event:
    return Event(what=what, name="8080", at=at_ms * MS, pid=pid, **more)


KEPT = (
    event(Happening.START, -9000, 70),
    event(Happening.FOUND, -8000, 70, incarnation="i-70"),
    event(Happening.FOUND, -8000, 71, incarnation="i-71", parent=70),
    event(Happening.EXIT, 4600, 70, signalled_at=4500 * MS),
    event(Happening.EXIT, 4501, 70, incarnation="i-70"),
    event(Happening.EXIT, 4502, 71, incarnation="i-71"),
    event(Happening.START, 5200, 80, generation=1),
    event(Happening.FOUND, 6200, 80, incarnation="i-80", generation=1),
)
"""As a keeper and a recorder tell of a server of ours, one of its children among it."""
NAMED = (
    event(Happening.FOUND, -8000, 1, incarnation="i-70"),
    event(Happening.LOST, 4500, 1, incarnation="i-70"),
    event(Happening.FOUND, 6200, 1, incarnation="i-80"),
)
"""As a recorder alone tells of a server in a container, whose pid is the same each time."""


def soak(*events: Event, meters: tuple[Meter, ...] = ()) -> SoakRun:
    sound = tuple(each for each in ROWS if each.sent_at < 4500 * MS or each.sent_at > 6500 * MS)
    return msgspec.structs.replace(load(*sound, CUT, UNHEARD), events=events, meters=meters)


def by_life(run: SoakRun) -> dict[int | None, list[str]]:
    found: dict[int | None, list[str]] = {}
    for each in run.rows:
        found.setdefault(lives.answering(run, each), []).append(each.id)
    return found


MARKED = tuple(
    Meter(name="8080", source="/metrics", t=t * MS, start=mark) for t, mark in ((0, "a"), (4000, "a"), (6200, "b"))
)


@pytest.mark.parametrize("run", [soak(*KEPT), soak(*NAMED), soak(meters=MARKED)], ids=["ours", "named", "elsewhere"])
def test_a_row_belongs_to_the_life_that_answered_it(run: SoakRun) -> None:
    assert by_life(run) == {
        1: ["load1-1", "load1-2", "load1-3", "load1-4", "load1-cut"],
        2: ["load1-7", "load1-8", "load1-9"],
        None: ["load1-none"],
    }
    told = figures.figures(run, Expect())
    assert "5 answers" in told["soak: life 1 of the server"]
    assert "3 answers" in told["soak: life 2 of the server"]
    assert "TTFT p50" in told["soak: life 2 of the server"]
    assert told["soak: answered by none"] == "1 requests"


def test_times_of_the_lives_are_told_apart() -> None:
    slow = tuple(
        msgspec.structs.replace(each, first_at=each.sent_at + 90 * MS) if each.sent_at > 6500 * MS else each
        for each in soak(*KEPT).rows
    )
    told = figures.figures(msgspec.structs.replace(soak(*KEPT), rows=slow), Expect())
    assert "TTFT p50 0.020" in told["soak: life 1 of the server"]
    assert "TTFT p50 0.090" in told["soak: life 2 of the server"]
    assert told["soak: life 2 of the server"].startswith("pid 80, 5 s after the load began, 3 answers")


def test_an_answer_that_came_after_the_end_of_the_life_it_was_sent_to_is_the_next_ones() -> None:
    waited = row(4, sent_at=4400 * MS, byte_at=7300 * MS, first_at=7300 * MS, ended_at=7400 * MS)
    late_bytes = row(4, sent_at=4400 * MS, byte_at=4505 * MS)
    run = msgspec.structs.replace(soak(*KEPT), rows=(waited, late_bytes))
    assert [lives.answering(run, each) for each in run.rows] == [2, 1]


@pytest.mark.parametrize(
    ("run", "life"),
    [
        (soak(*KEPT[:3]), 1),  # one life is no story
        (soak(), None),  # nobody watched
        (soak(event(Happening.FOUND, -9000, 60), event(Happening.EXIT, -100, 60), *KEPT[:3]), 1),  # over before
        (soak(meters=MARKED[:2]), 1),
    ],
    ids=["one", "unknown", "an earlier one", "one that is marked"],
)
def test_where_there_was_one_life_nothing_is_told_apart(run: SoakRun, life: int | None) -> None:
    assert lives.answering(run, run.rows[0]) == life
    assert not any("of the server" in name for name in figures.figures(run, Expect()))


def test_marks_that_come_again_are_of_several_servers_behind_one_name() -> None:
    """Who asks a gateway is answered now by one of them and now by another: none of them was started again."""
    marks = tuple(Meter(name="8080", source="/metrics", t=t * 1000 * MS, start="ab"[t % 2]) for t in range(60))
    run = soak(meters=marks)
    assert lives.lives(run) == ()
    assert not any("of the server" in name for name in figures.figures(run, Expect()))


def test_of_a_server_that_dies_all_night_the_first_lives_are_told_and_the_rest_are_counted() -> None:
    deaths = [
        event(what, (3 * n + at) * 1000, 100 + n, incarnation=f"i-{n}")
        for n in range(2000)
        for what, at in ((Happening.FOUND, 0), (Happening.LOST, 2))
    ]
    rows = tuple(row(3 * n + 1, byte_at=(3 * n + 1) * 1000 * MS + MS) for n in range(2000))
    run = msgspec.structs.replace(load(*rows), events=tuple(deaths), phases=load().phases[:1])
    assert [lives.answering(run, each) for each in run.rows] == [*range(1, 2001)]
    told = dict(lives.of_lives(run))
    assert len(told) == lives.TOLD + 1
    assert told["soak: further lives of the server"] == f"{2000 - lives.TOLD} of them, {2000 - lives.TOLD} answers"


def test_a_pid_that_begins_again_after_its_end_is_a_life_of_its_own() -> None:
    """Whoever starts a server knows its pid alone: the life whose end was never seen is not taken up again."""
    events = (
        event(Happening.FOUND, 0, 7, incarnation="i-1"),
        event(Happening.FOUND, 2000, 7, incarnation="i-2"),
        event(Happening.EXIT, 3000, 7),
        event(Happening.START, 4000, 7),
    )
    found = lives.lives(msgspec.structs.replace(load(row(5)), events=events, phases=()))
    assert [(each.since, each.until) for each in found] == [
        (0, None),
        (2000 * MS, 3000 * MS),
        (4000 * MS, None),
    ]
