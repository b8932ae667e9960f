"""What is held against a watch of a middle: each slip of it is found, and what is right is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.middles.account import Struck, account
from tests.middles.watches import ALONE, BEHIND
from tests.trials.tried import Said

AT = 1_000_000_000_000
STRUCK = Struck(AT, AT + 1_000_000)


def stop(name="middle", verdict="WEDGED", *, early=-1.0, late=1.0, until=5.0, number="a-1", kind="stop", rung=""):
    at = {"alive_at": AT + round(early * 1e9), "dead_at": AT + round(late * 1e9), "ms": (late - early) * 1e3}
    over = None if until is None else AT + round(until * 1e9)
    return {"kind": kind, "id": number, "name": name, "verdict": verdict, "interval": at, "until": over, "signal": None,
            "cause": "UNKNOWN", "rung": rung}  # fmt: skip


def wrong(deed, view, *stops, code=1, struck=STRUCK):
    said = Said(code, "\n".join(map(json.dumps, stops)), Path())
    return account(deed, view, said, struck).wrong


def direct(verdict, **more):
    return stop("direct", verdict, number="d-1", **more)


def points(verdict="WEDGED", **more):
    """A stop of the middle that says that it stands behind it."""
    return stop(verdict=verdict, rung="the endpoint behind the gateway", **more)


DIED = direct("STOPPED")


@pytest.mark.parametrize(
    ("deed", "view", "stops"),
    [
        pytest.param("backend killed", ALONE, [stop()], id="killed-alone"),
        pytest.param("backend killed", BEHIND, [direct("STOPPED")], id="killed-behind"),
        pytest.param("backend stopped", BEHIND, [direct("FROZEN")], id="stopped-behind"),
        pytest.param("backend killed", BEHIND, [direct("STOPPED", until=None), direct("RESTARTED")], id="becomes"),
        pytest.param("middle killed", ALONE, [stop(verdict="STOPPED")], id="middle-killed"),
        pytest.param(
            "backend killed",
            BEHIND,
            [DIED, points()],
            id="the-middle-points-behind",
        ),
    ],
)
def test_what_is_right_is_left_alone(deed, view, stops):
    assert not wrong(deed, view, *stops)


def test_what_nobody_struck_is_quiet():
    assert not wrong("idle", ALONE, code=0, struck=None)
    assert wrong("idle", ALONE, stop(), struck=None)
    assert wrong("idle", ALONE, code=10, struck=None)
    assert wrong("loaded", ALONE, stop(kind="unobserved"), code=10, struck=None)


@pytest.mark.parametrize(
    ("deed", "view", "stops", "says"),
    [
        pytest.param("backend killed", ALONE, [], "not told", id="missed"),
        pytest.param("backend stopped", ALONE, [stop(verdict="FROZEN")], "not told", id="a-family-that-lies"),
        pytest.param("backend killed", BEHIND, [stop()], "not told", id="the-wrong-door"),
        pytest.param("backend killed", BEHIND, [direct("STOPPED"), stop()], "too much", id="both-doors"),
        pytest.param("backend killed", ALONE, [stop(), stop(number="a-2")], "too much", id="twice"),
        pytest.param("backend killed", ALONE, [stop(early=1)], "does not hold", id="begins-late"),
        pytest.param("backend killed", ALONE, [stop(early=-9, late=-1)], "does not hold", id="ends-early"),
        pytest.param("backend killed", ALONE, [stop(until=None)], "never over", id="for-ever"),
        pytest.param("backend killed", BEHIND, [DIED, points("FROZEN")], "too much", id="points-as-another-family"),
        pytest.param("backend killed", BEHIND, [DIED, points(name="direct")], "too much", id="points-at-itself"),
        pytest.param("backend killed", BEHIND, [DIED, points(early=1, late=2)], "does not hold", id="points-late"),
        pytest.param("backend killed", BEHIND, [DIED, points(), points(number="a-2")], "too much", id="points-twice"),
    ],
)
def test_a_slip_is_found(deed, view, stops, says):
    assert any(says in text for text in wrong(deed, view, *stops, code=1 if stops else 0))


def test_an_exit_that_does_not_fit():
    assert "exit 0 after 1 stops" in wrong("backend killed", ALONE, stop(), code=0)


def test_a_reload_ends_who_cannot_reload():
    assert wrong("middle reloaded", ALONE, code=0)
    reloads = Struck(AT, AT, middle_lives_on=True)
    assert not wrong("middle reloaded", ALONE, code=0, struck=reloads)
    assert wrong("middle reloaded", ALONE, stop(verdict="RESTARTED"), struck=reloads)


def test_a_middle_that_ended_itself_is_told_too():
    died = Struck(AT, AT, died_by=AT + 5_000_000_000)
    assert not wrong("backend killed", BEHIND, direct("STOPPED"), stop(verdict="STOPPED"), struck=died)
    assert wrong("backend killed", BEHIND, direct("STOPPED"), struck=died)
    late = stop(verdict="STOPPED", early=2, late=3)
    assert not wrong("backend killed", ALONE, late, struck=died)
    assert wrong("middle killed", ALONE, late)


def test_a_restart_may_be_hidden_from_who_sees_the_middle_alone():
    assert not wrong("backend restarted", ALONE, code=0)
    assert wrong("backend restarted", ALONE, stop(verdict="FROZEN"))
    assert wrong("backend restarted", BEHIND, code=0)


def test_of_a_child_both_doors_may_tell():
    child = Struck(AT, AT, child=True)
    assert not wrong("backend killed", BEHIND, direct("STOPPED"), stop(verdict="RUNNER REPLACED"), struck=child)
    assert not wrong("middle killed", BEHIND, stop(verdict="STOPPED"), direct("STOPPED"), struck=child)
    assert wrong("middle killed", BEHIND, stop(verdict="STOPPED"), direct("STOPPED"))
    assert wrong("backend killed", BEHIND, stop(verdict="RUNNER REPLACED"), struck=child)
    assert not wrong("backend killed", BEHIND, direct("STOPPED", until=None), struck=child)
