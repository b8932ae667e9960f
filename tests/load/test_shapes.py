"""How requests come, on a clock that jumps: when each was meant to be sent stands, whatever became of others."""

from __future__ import annotations

import itertools
from random import Random

import numpy as np
import pytest
from scipy import stats

from load.shapes import shapes
from load.shapes.arriving import dispatch
from load.users.ticket import Ticket
from seatrial.given.phases import SoakPhase
from seatrial.records import SECOND, PhaseSort
from seatrial.statistics import arrivals
from seatrial.statistics.censored import censored
from tests.load.simulated import Queue


def phase(sort: PhaseSort, seconds: float, **more: object) -> SoakPhase:
    return SoakPhase(name=sort.value, sort=sort, seconds=seconds, **more)


def test_every_sort_of_phase_is_sent_by_one_module() -> None:
    assert set(shapes()) == set(PhaseSort)


def test_an_open_load_is_poisson_and_meant_to_be_sent_when_it_arrives() -> None:
    queue = Queue(places=10**9)
    queue.sail(phase(PhaseSort.OPEN, 4000, rps=(1.5,)))
    times = np.array([ticket.intended_at for ticket in queue.taken]) / SECOND
    assert stats.kstest(np.diff(times, prepend=0.0), stats.expon(scale=1 / 1.5).cdf).pvalue > 1e-3
    assert not queue.dropped
    assert queue.at == 4000


def test_a_late_clock_changes_no_time_at_which_a_request_was_meant_to_be_sent() -> None:
    wanted = list(arrivals.poisson(arrivals.steady(5.0), 5.0, 100, Random("1/open/arrivals")))
    queue = Queue(places=10**9, late=0.3)
    queue.sail(phase(PhaseSort.OPEN, 100, rps=(5.0,)))
    assert [ticket.intended_at for ticket in queue.taken] == [round(at * SECOND) for at in wanted]


def test_who_comes_while_all_places_are_taken_is_dropped_and_counted() -> None:
    queue = Queue(slots=1, service_s=10.0, places=4)
    dispatch(iter(range(1, 21)), "open", queue.helm(), 0.0)
    assert len(queue.taken) + len(queue.dropped) == 20
    assert len(queue.taken) == 4 + 1  # another place is free after ten seconds
    assert [ticket.intended_at for ticket in queue.dropped][:2] == [5 * SECOND, 6 * SECOND]


def waits(queue: Queue) -> list[float]:
    return [(t.stream.first_at - t.intended_at) / SECOND for t in queue.taken if t.stream is not None]


def test_a_stall_of_two_minutes_shows_in_an_open_load_and_hides_in_a_closed_one() -> None:
    """load.md, 5: eight slots, four seconds of service, one stall an hour."""
    stalls = ((1800.0, 1920.0),)
    closed, opened = Queue(stalls=stalls), Queue(stalls=stalls)
    closed.sail(phase(PhaseSort.CLOSED, 3600))
    opened.sail(phase(PhaseSort.OPEN, 3600, rps=(1.5,)))
    quiet, loud = (censored(waits(queue), len(queue.dropped), 0.99) for queue in (closed, opened))
    assert quiet is not None
    assert loud is not None
    assert quiet.value < 1.0
    assert loud.value > 90.0
    assert sum(wait > 10 for wait in waits(closed)) <= 8
    assert sum(wait > 10 for wait in waits(opened)) > 200


def test_a_share_is_taken_of_what_was_measured_and_of_nothing_nothing_is_sent() -> None:
    queue = Queue(places=10**9)
    queue.sail(phase(PhaseSort.OPEN, 2000, share=(0.65,)), queue.helm(measured=2.0))
    assert len(queue.taken) == pytest.approx(2600, rel=0.1)
    idle = Queue()
    idle.sail(phase(PhaseSort.OPEN, 2000, share=(0.65,)))
    assert (idle.taken, idle.dropped, idle.at) == ([], [], 2000)


def test_a_ramp_grows_and_steps_are_steps() -> None:
    ramp, steps = Queue(places=10**9), Queue(places=10**9)
    ramp.sail(phase(PhaseSort.RAMP, 1000, rps=(1.0, 5.0)))
    steps.sail(phase(PhaseSort.STEPS, 1000, rps=(1.0, 5.0)))
    for queue, first, second in ((ramp, 1000, 2000), (steps, 500, 2500)):
        early = sum(ticket.intended_at < 500 * SECOND for ticket in queue.taken)
        assert early == pytest.approx(first, rel=0.15)
        assert len(queue.taken) - early == pytest.approx(second, rel=0.15)


def test_a_sweep_finds_the_knee_and_stops_there() -> None:
    """Eight slots of four seconds each answer two requests a second at most."""
    queue = Queue()
    helm = queue.sail(phase(PhaseSort.SWEEP, 7200, rps=(0.25, 16.0), step_s=120.0, factor=1.3))
    assert helm.measured is not None
    assert 1.0 < helm.measured <= 2.0
    assert queue.at < 2400  # and not sixteen steps long
    gone = Queue(places=0)
    assert gone.sail(phase(PhaseSort.SWEEP, 7200, rps=(0.25, 16.0))).measured is None


def test_closed_users_send_when_they_are_answered() -> None:
    queue = Queue(slots=4, service_s=2.0)
    queue.sail(phase(PhaseSort.CLOSED, 100))
    assert len(queue.taken) == 4 * 50
    of_two = Queue(slots=4, service_s=2.0)
    of_two.sail(phase(PhaseSort.WARM_UP, 100, users=2))
    assert len(of_two.taken) == 2 * 50


def test_a_baseline_is_canaries_alone_and_a_rest_is_nothing() -> None:
    queue = Queue(service_s=0.5)
    queue.sail(phase(PhaseSort.BASELINE, 30))
    assert {ticket.asked.workload for ticket in queue.taken} == {"canary"}
    assert len(queue.taken) == 30
    starts = [ticket.asked.body for ticket in queue.taken]
    assert len(set(starts)) == 30
    assert {len(body) for body in starts} == {len(starts[0])}
    taken = len(queue.taken)
    queue.sail(phase(PhaseSort.REST, 30))
    assert (len(queue.taken), queue.at) == (taken, 60)


def test_each_slot_is_filled_with_a_long_prompt() -> None:
    queue = Queue(slots=3, service_s=1.0)
    queue.sail(phase(PhaseSort.FILL, 10))
    first = [ticket.asked for ticket in itertools.islice(queue.taken, 3)]
    assert {asked.workload for asked in first} == {"fill"}
    assert all(1500 < len(asked.body.split()) < 0.7 * 4096 for asked in first)


def test_a_sweep_whose_first_rate_is_too_high_measures_nothing() -> None:
    """One request a second is answered at most: the first rate is compared with itself, and its waits grow."""
    for rate in (1.1, 1.3, 1.6, 4.0):
        queue = Queue(slots=4, service_s=4.0)
        helm = queue.helm(measured=0.9)
        queue.sail(phase(PhaseSort.SWEEP, 3600, rps=(rate, 16.0), step_s=300.0), helm)
        assert helm.measured is None, rate


def test_a_canary_that_found_no_place_in_its_phase_is_dropped_there() -> None:
    queue = Queue()
    helm = queue.helm()
    queue.hurried.append(ticket := Ticket(helm.traffic.canary(), "closed"))
    queue.sail(phase(PhaseSort.CLOSED, 10), helm)
    assert queue.dropped == [ticket]
