"""Canaries that are sent and not answered: in a row, as a share of the latest, or turned away for long.

A canary that was turned away (429, 503) has a clock of its own. Until that has run down the canary counts neither in
the row nor in the share.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from seatrial.records import SECOND
from seatrial.statistics.intervals import wilson
from seatrial.stops.state.limits import IN_A_ROW, LULL_NS, Limits
from seatrial.stops.state.sights import Sight
from seatrial.stops.state.work import Work
from seatrial.stops.work.canaries import LATELY
from seatrial.stops.work.flow import FAILED_KEPT

SHARE = 0.10
"""The share that fails is told where its lower bound (Wilson, 95 %) is above this: five of twenty. Of canaries that
are not yet sent we suppose that they are answered."""
WELL_AGAIN = 10
"""So many answers in a row end a stop that a share of failures shows."""
BUSY_NS = 300 * SECOND
"""No server is busy for longer than this without one answer."""
LOADING = 503
LOADING_NS = 600 * SECOND
"""No server loads for longer than this: a server that says so is not well."""
LOADS = re.compile(r"\b(?:re)?loading\b|\bwarming[ -]up\b|\bstarting[ -]up\b", re.IGNORECASE)


class Unanswered(NamedTuple):
    """What a stop rests on that canaries show. Times in ns."""

    shown: Sight
    since: int  # the first canary that was not answered
    alive: int = 0  # the last answer before it; 0: not known here


def unanswered(work: Work, now: int, limits: Limits, told_until: int) -> Unanswered | None:
    """What canaries show of a server; None: nothing yet.

    Args:
        told_until: what was seen until then, a stop has told already.
    """
    row = _in_a_row(work, now, limits, told_until)
    if row:
        return Unanswered(Sight.CANARY, row)
    return _turned_away(work, now, told_until) or _share(work, now, limits, told_until)


def mended(work: Work) -> bool:
    """Whether the latest canaries were all answered."""
    lately = work.canaries.latest[-WELL_AGAIN:]
    return len(lately) == WELL_AGAIN and not any(once.failed for once in lately)


def _in_a_row(work: Work, now: int, limits: Limits, told_until: int) -> int:
    """Since when canaries have failed, three of them and more; 0: they have not.

    Where none was ever answered in this life, the server may still be coming up.
    """
    failed = work.flow.failed
    if len(failed) < FAILED_KEPT or now - failed[-1].t > LULL_NS:
        return 0
    since = failed[0].asked_at
    if since <= told_until:
        later = [once.asked_at for once in work.canaries.latest if once.failed and once.asked_at > told_until]
        if len(later) < FAILED_KEPT:
            return 0
        since = later[0]
    if work.asked.rights:
        return since
    since = max(since, work.waits.excused_at)
    return since if failed[1].asked_at >= since and now - since >= limits.wedged else 0


def _turned_away(work: Work, now: int, told_until: int) -> Unanswered | None:
    """A server that turns canaries away is busy, or loads: for so long as it asked for, and no longer than that."""
    busy = work.canaries.busy
    if work.canaries.row < IN_A_ROW or len(busy) < 2 or now - busy[-1].t > LULL_NS:
        return None
    first, last = busy[0], busy[-1]
    since = max(first.asked_at, work.flow.progress_at, work.waits.excused_at, told_until)
    loads = work.wellness.health == LOADING or LOADS.search(last.detail) is not None
    until = max(since + (LOADING_NS if loads else BUSY_NS), work.canaries.promised)
    return Unanswered(Sight.REFUSING, since) if last.ended_at >= until else None


def _share(work: Work, now: int, limits: Limits, told_until: int) -> Unanswered | None:
    """Of the latest canaries too many failed, and the last one did."""
    lately = work.canaries.latest
    if not lately or not lately[-1].failed or now - lately[-1].over_at > LULL_NS:
        return None
    after = max(told_until, work.waits.excused_at)
    seen = [once for once in lately if once.asked_at > after]
    failed = [once for once in seen if once.failed]
    if not failed or wilson(len(failed), LATELY)[0] <= SHARE:
        return None
    since = failed[0].asked_at
    if len(failed) == len(seen):  # a row, though others may have got tokens meanwhile
        up = bool(work.asked.rights) or now - since >= limits.wedged
        served = work.flow.progress_at > since  # then canaries alone tell when it is over
        return Unanswered(Sight.SHARE if served else Sight.CANARY, since) if up else None
    alive = max((once.over_at for once in lately if not once.failed and once.over_at <= since), default=0)
    return Unanswered(Sight.SHARE, since, alive)
