"""The rows of a soak by what they can tell.

``expect.settings["stopped"]`` may hold intervals, ``[[from_ns, to_ns], ...]``, in which the server was down or frozen.
Rows that overlap one of them are set apart: what a stop costs is counted in the stop, once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from seatrial.checks.areas.soak.aside import astray, queued
from seatrial.checks.traits import trait
from seatrial.records import Expect, LoadRow, PhaseSort, SoakRun

SOAK = trait("soak", own=True)
"""Trait of a scenario that is a load."""

COUNTED = SOAK | trait("server-counters")
"""The server tells totals of its own: a rule that wants them is not planned where it tells none."""

LASTING = SOAK | trait("lasting")
"""It lasts long enough to show growth: not planned in a shorter soak."""

CANARIED = LASTING | trait("canaries")
"""Canaries enough are sent in it to show that they wait longer."""

BEGUN = {
    "truncated": "ended before the framing of its body did",
    "no_terminator": "ended without [DONE], finish_reason or final usage",
    "stall": "fell silent and was given up",
    "deadline": "did not end within its deadline",
    "reset": "was reset",
    "too_large": "never ended",
    "tls": "broke in the middle of a record",
    "not_http": "broke its framing",
}
"""What can become of a stream that began with 200, and why that is no end."""

NOT_JUDGED = frozenset({"busy", "cancelled", "left"})
INVALID = "invalid"
"""What rows call requests that a server must refuse; what became of them is no answer to a valid one."""

BESIDE = frozenset({"canary", "look", INVALID})
"""Workloads that are sent beside the traffic, as soon as there is a place: they have lines of their own."""

SATURATING = frozenset({PhaseSort.RAMP, PhaseSort.STEPS, PhaseSort.SWEEP, PhaseSort.FILL})
"""Sorts of phases that are meant to ask for more than a server can do: to turn some away is an answer then."""

UNHEARD = frozenset({"refused", "unreachable", "tls"})
"""Outcomes of requests that cannot have reached the server's counter."""


_Asked = ParamSpec("_Asked")
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Parts:
    """The rows of a soak by what they can tell."""

    judged: tuple[LoadRow, ...]
    apart: tuple[LoadRow, ...]  # overlap a stop of the server
    busy: tuple[LoadRow, ...]
    cancelled: tuple[LoadRow, ...]
    queued: tuple[LoadRow, ...]  # waited for others of ours
    invalid: tuple[LoadRow, ...]  # had to be refused
    turned_away: tuple[LoadRow, ...]  # busy, in a phase that asks for more than a server can do
    unread: tuple[LoadRow, ...]  # prompts as long as a slot has room for, not read by the deadline
    astray: tuple[LoadRow, ...]  # did not reach the server from a worker's host, while others did


def once(function: Callable[_Asked, _Made]) -> Callable[_Asked, _Made]:
    """Keep what came of the soak that was looked at last: a dozen rules ask for the same of a night of a million lines.

    Args:
        function: of a soak, and of what is known beside it; what it makes is changed by nobody.
    """
    held: list[Any] = []

    @functools.wraps(function)
    def asked(*about: _Asked.args, **more: _Asked.kwargs) -> _Made:
        if not held or held[0][0] is not about[0] or held[0][1:] != about[1:]:
            held[:] = [about, function(*about, **more)]
        made: _Made = held[1]
        return made

    return asked


@once
def parts(run: SoakRun, expect: Expect) -> Parts:
    """Set apart what a stop, a busy server or we ourselves took away."""
    stopped = intervals(expect)
    apart = tuple(row for row in run.rows if any(row.sent_at <= to and row.ended_at >= of for of, to in stopped))
    gone = {row.id for row in apart}
    lost = tuple(row for row in astray.rows(run) if row.id not in gone)
    gone |= {row.id for row in lost}
    rest = [row for row in run.rows if row.id not in gone and row.workload != INVALID]
    ours = queued.waited(run)
    filled = {span.name for span in run.spans if span.sort == PhaseSort.FILL}
    unread = {r.id for r in rest if r.phase in filled and r.outcome in queued.GIVEN_UP and not r.first_at} - ours
    saturated = {span.name for span in run.spans if span.sort in SATURATING}
    busy = [row for row in rest if row.outcome == "busy"]
    return Parts(
        judged=tuple(row for row in rest if row.outcome not in NOT_JUDGED and row.id not in ours | unread),
        apart=apart,
        busy=tuple(row for row in busy if row.phase not in saturated),
        cancelled=tuple(row for row in rest if row.outcome == "cancelled"),
        queued=tuple(row for row in rest if row.id in ours),
        invalid=tuple(row for row in run.rows if row.workload == INVALID),
        turned_away=tuple(row for row in busy if row.phase in saturated),
        unread=tuple(row for row in rest if row.id in unread),
        astray=lost,
    )


def lost(rows: Iterable[LoadRow]) -> int:
    """Requests that did not come to an answer."""
    return sum(row.outcome not in NOT_JUDGED | {"ok"} for row in rows)


def why_none(run: SoakRun, expect: Expect) -> str:
    found = parts(run, expect)
    if not run.rows:
        return f"none was finished, {len(run.unfinished)} were sent"
    return (
        f"{len(run.rows)} requests: {len(found.apart)} while the server was stopped, {len(found.busy)} busy, "
        f"{len(found.cancelled)} cut by us, {len(found.queued)} waiting for ours, "
        f"{len(found.unread)} not read in time, {len(found.astray)} cut off by their worker's network, "
        f"{len(found.judged)} without a stream"
    )


def intervals(expect: Expect) -> list[tuple[int, int]]:
    return [(int(of), int(to)) for of, to in expect.settings.get("stopped", ())]
