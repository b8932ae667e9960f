"""The closing line counts a canary that has waited for long: it was sent, and the engine was asked."""

from __future__ import annotations

from seatrial.records import SECOND, Ask
from seatrial.verdict import canaries


def under_way(number: int, *, waited_s: float, first_at: int = 0) -> Ask:
    """A line of a canary that is under way."""
    asked_at = 100 * SECOND
    return Ask(v=2, w="recorder", n=number, t=asked_at + int(waited_s * SECOND), name="a", rung="canary",
               id=f"canary-{number}", asked_at=asked_at, first_at=first_at)  # fmt: skip


def right(number: int) -> Ask:
    """A line of a canary that was answered."""
    return Ask(v=2, w="recorder", n=number, t=50 * SECOND, name="a", rung="canary", id=f"canary-{number}",
               asked_at=49 * SECOND, ended_at=50 * SECOND, first_at=50 * SECOND, status=200, outcome="ok")  # fmt: skip


def said(*lines: Ask) -> str:
    return canaries.words(canaries.tallies(lines), ["a"])


def test_one_that_has_waited_for_long_was_sent():
    assert said(under_way(1, waited_s=65)) == "canaries: 0 of 1 answered"
    assert said(right(1), under_way(2, waited_s=65)) == "canaries: 1 of 2 answered"


def test_one_that_left_a_moment_ago_or_has_its_token_is_not_held_against_a_server():
    assert said(under_way(1, waited_s=2)) == ""
    assert said(right(1), under_way(2, waited_s=2)) == "canaries: 1 of 1 answered"
    assert said(right(1), under_way(2, waited_s=65, first_at=101 * SECOND)) == "canaries: 1 of 1 answered"
