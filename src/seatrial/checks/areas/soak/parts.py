"""The rows of a soak by what they can tell.

``expect.settings["stopped"]`` may hold intervals, ``[[from_ns, to_ns], ...]``, in which the server was down or frozen.
Rows that overlap one of them are set apart: what a stop costs is counted in the stop, once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seatrial.checks.areas.soak.aside import astray, queued
from seatrial.checks.traits import trait
from seatrial.reading.soak.columns import Bools, Rows, once, rows_of
from seatrial.records import OUR_ERROR, SECOND, Expect, PhaseSort, SoakRun

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

NOT_JUDGED = frozenset({"busy", "cancelled", "left", OUR_ERROR})
INVALID = "invalid"
"""What rows call requests that a server must refuse; what became of them is no answer to a valid one."""

BESIDE = frozenset({"canary", "look", INVALID})
"""Workloads that are sent beside the traffic, as soon as there is a place: they have lines of their own."""

SATURATING = frozenset({PhaseSort.RAMP, PhaseSort.STEPS, PhaseSort.SWEEP, PhaseSort.FILL})
"""Sorts of phases that are meant to ask for more than a server can do: to turn some away is an answer then."""

UNHEARD = frozenset({"refused", "unreachable", "tls"})
"""Outcomes of requests that cannot have reached the server's counter."""


FLOWING_NS = 30 * SECOND
"""A stream whose last token is no older has not stalled: it may wait while the server reads another's prompt."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The rows of a soak by what they can tell."""

    judged: Rows
    apart: Rows  # overlap a stop of the server
    busy: Rows
    cancelled: Rows
    queued: Rows  # waited for others of ours
    invalid: Rows  # had to be refused
    turned_away: Rows  # busy, in a phase that asks for more than a server can do
    unread: Rows  # prompts as long as a slot has room for, not read by the deadline
    slow: Rows  # were being answered when our deadline came
    astray: Rows  # did not reach the server from a worker's host, while others did


@once
def parts(run: SoakRun, expect: Expect) -> Parts:
    """Set apart what a stop, a busy server or we ourselves took away."""
    rows = rows_of(run)
    apart = np.zeros(len(rows), dtype=np.bool_)
    for of, to in intervals(expect):
        apart |= (rows.whole("sent_at") <= to) & (rows.whole("ended_at") >= of)
    lost = rows.among("id", ids) & ~apart if (ids := astray.ids(run)) else np.zeros_like(apart)
    invalid = rows.among("workload", {INVALID})
    rest = ~(apart | lost | invalid)
    ours = rows.among("id", waited) if (waited := queued.waited(run)) else np.zeros_like(apart)
    filled = rows.among("phase", {span.name for span in run.spans if span.sort == PhaseSort.FILL})
    slow = rest & is_slow(rows) & ~ours
    unread = rest & filled & rows.among("outcome", queued.GIVEN_UP) & (rows.whole("first_at") == 0) & ~ours
    saturated = rows.among("phase", {span.name for span in run.spans if span.sort in SATURATING})
    busy = rest & rows.among("outcome", {"busy"})
    return Parts(
        judged=rows.where(rest & ~rows.among("outcome", NOT_JUDGED) & ~(ours | unread | slow)),
        apart=rows.where(apart),
        busy=rows.where(busy & ~saturated),
        cancelled=rows.where(rest & rows.among("outcome", {"cancelled"})),
        queued=rows.where(rest & ours),
        invalid=rows.where(invalid),
        turned_away=rows.where(busy & saturated),
        unread=rows.where(unread),
        slow=rows.where(slow),
        astray=rows.where(lost),
    )


def is_slow(rows: Rows) -> Bools:
    """Which streams our deadline ended while tokens still came, fewer than their cap: nobody knows their end.

    One that brought more, or has no cap, runs on; one that brought nothing more for a time fell silent.
    """
    gap = np.maximum(rows.whole("gap_to") - rows.whole("gap_from"), FLOWING_NS)
    flows = (rows.whole("first_at") != 0) & (rows.whole("ended_at") - rows.whole("last_at") <= gap)
    return np.asarray(rows.among("outcome", {"deadline"}) & flows & (rows.whole("deltas") < rows.whole("cap")))


def is_no_chat(rows: Rows) -> Bools:
    """Which are no chats: vectors were asked for. Of an older record nobody can tell."""
    return np.asarray(~rows.among("phase", {""}) & (rows.whole("cap") == 0), dtype=np.bool_)


def lost(rows: Rows) -> int:
    """Requests that did not come to an answer."""
    return int(np.sum(~rows.among("outcome", NOT_JUDGED | {"ok"})))


def why_none(run: SoakRun, expect: Expect) -> str:
    found, unread = parts(run, expect), rows_of(run).counts("outcome")[OUR_ERROR]
    if not run.rows:
        return f"none was finished, {len(run.unfinished)} were sent"
    return (
        f"{len(run.rows)} requests: {len(found.apart)} while the server was stopped, {len(found.busy)} busy, "
        f"{len(found.cancelled)} cut by us, {len(found.queued)} waiting for ours, "
        f"{len(found.unread)} not read in time, {len(found.slow)} still answered at our deadline, "
        f"{unread} not read for an error of ours, "
        f"{len(found.astray)} cut off by their worker's network, "
        f"{len(found.judged)} without a stream"
    )


def intervals(expect: Expect) -> list[tuple[int, int]]:
    return [(int(of), int(to)) for of, to in expect.settings.get("stopped", ())]
