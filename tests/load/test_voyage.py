"""From phase to phase, on a clock that jumps: what one has measured the next takes a share of; a sweep ends early."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from load.voyage import LoadVoyage, is_served
from load.voyage import sail as set_out
from seatrial.given.phases import SoakPhase
from seatrial.records import LoadRow, PhaseSort
from tests.load.simulated import Queue


class Lines:
    """A recorder that keeps what is written."""

    def __init__(self, queue: Queue) -> None:
        self.listeners = queue.listeners
        self.written: list[tuple[Any, ...]] = []

    def phase(self, name: str, sort: PhaseSort, _: int, facts: dict[str, str]) -> None:
        self.written.append((name, sort, facts))

    def measured(self, name: str, _: PhaseSort, __: int, facts: dict[str, str]) -> None:
        self.written.append(("measured", name, facts["rps"]))


def sail(queue: Queue, *phases: SoakPhase) -> tuple[Lines, list[str]]:
    lines, over = Lines(queue), []
    voyage: Any = LoadVoyage
    voyage(phases, queue.helm(), queue, lines, 60.0).sail(lambda: over.append("over"))
    return lines, over


def phase(sort: PhaseSort, seconds: float, **more: Any) -> SoakPhase:
    return SoakPhase(name=sort.value, sort=sort, seconds=seconds, **more)


def test_an_open_phase_takes_its_share_of_what_the_closed_one_measured() -> None:
    queue = Queue()  # eight slots of four seconds: two requests a second
    lines, over = sail(
        queue, phase(PhaseSort.CLOSED, 400), phase(PhaseSort.OPEN, 1000, share=(0.65,)), phase(PhaseSort.REST, 60)
    )
    (_, sort, closed), (word, name, rate), (_, _, opened), (_, _, rest) = lines.written
    assert (sort, closed) == (PhaseSort.CLOSED, {"n": "1 of 3", "seconds": "400", "users": "8"})
    assert (word, name) == ("measured", "closed")
    assert float(rate) == pytest.approx(2.0, rel=0.05)
    assert float(opened["rps"]) == pytest.approx(1.3, rel=0.05)
    assert rest == {"n": "3 of 3", "seconds": "60"}
    sent = [ticket for ticket in queue.taken if ticket.phase == "open"]
    assert len(sent) == pytest.approx(1300, rel=0.1)
    assert not over


def test_clients_that_leave_as_they_were_to_are_work_that_was_done() -> None:
    """Else a server would be asked for less than its share of what it can do, and where all leave for nothing."""
    rates = []
    for named in ("short", "agent"):  # of an agent's requests one in ten is left
        lines, _ = sail(Queue(named=named), phase(PhaseSort.CLOSED, 400), phase(PhaseSort.REST, 60))
        rates.append(float(lines.written[1][2]))
    assert rates[1] == rates[0] == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize(
    ("outcome", "more", "served"),
    [
        ("ok", {}, True),
        ("left", {}, True),
        ("busy", {}, False),
        ("no_terminator", {}, False),
        ("ok", {"canary": True}, False),
        ("ok", {"workload": "look"}, False),
        ("declined", {"workload": "invalid"}, False),
    ],
)
def test_what_a_phase_measures_is_what_became_of_its_traffic(
    outcome: str, more: dict[str, Any], *, served: bool
) -> None:
    row = LoadRow(id="l-1", endpoint="e", outcome=outcome, intended_at=1, sent_at=1, ended_at=2, **more)
    assert is_served(row) is served


def test_where_no_answer_ended_within_a_phase_those_it_waits_for_count() -> None:
    lines, _ = sail(Queue(slots=2, service_s=50.0), phase(PhaseSort.CLOSED, 10), phase(PhaseSort.REST, 90))
    assert 0 < float(lines.written[1][2]) < 0.3


def test_nothing_measured_is_said_and_nothing_is_sent() -> None:
    queue = Queue()
    lines, _ = sail(queue, phase(PhaseSort.OPEN, 100, share=(0.5,)))
    assert lines.written[0][2]["rps"] == "none"
    assert not queue.taken


def test_a_sweep_that_has_found_the_knee_gives_its_time_back() -> None:
    queue = Queue()
    sweep = phase(PhaseSort.SWEEP, 7200, rps=(0.25, 16.0), step_s=120.0)
    lines, over = sail(queue, sweep, phase(PhaseSort.OPEN, 600, share=(0.6,)))
    knee = float(lines.written[1][2])
    assert float(lines.written[2][2]["rps"]) == pytest.approx(0.6 * knee, rel=0.01)
    assert over == ["over"]
    assert queue.at < 3600


def test_canaries_are_no_answers_to_the_traffic() -> None:
    queue = Queue()
    counted: list[LoadRow] = []
    queue.listeners.append(counted.append)
    sail(queue, phase(PhaseSort.BASELINE, 30), phase(PhaseSort.REST, 10))
    assert counted
    assert all(row.canary and row.phase == "baseline" for row in counted)


def test_a_load_that_cannot_go_on_ends_and_is_not_taken_for_one_that_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, told = Queue(), []
    lines: Any = Lines(queue)
    monkeypatch.setattr(lines, "phase", lambda *_: 1 / 0)
    voyage: Any = LoadVoyage
    monkeypatch.setattr("load.voyage.LoadVoyage.every", lambda *_: None)
    going = voyage((phase(PhaseSort.REST, 10),), queue.helm(), queue, lines, 60.0)
    set_out(going, 60.0, None, lambda: told.append("over"), lambda error: told.append(str(error)))
    monkeypatch.setattr(gevent.get_hub(), "handle_error", lambda *_: None)  # its traceback belongs on the load's log
    gevent.wait(timeout=1)
    assert told == ["division by zero"]
