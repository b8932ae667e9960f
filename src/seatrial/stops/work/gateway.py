"""A gateway and what stands behind it: of two that fail together one is the cause, and of one that fails alone it is.

The operator says what stands in front of what (Event ``behind``); the canaries of both tell whose fault it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.records import SECOND
from seatrial.stops.state.cases import open_one
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.server import Server
from seatrial.stops.state.work import Told, Work
from seatrial.stops.telling import wedged as told
from seatrial.stops.work import wedged

FAILED_TWICE = 2
"""So often in a row the gateway's canary fails before it is its fault; once may be a connection that was cut."""
MOMENT_NS = SECOND


def ticked(servers: Mapping[str, Server], now: int, limits: Limits) -> dict[str, Server]:
    """The gateways that are WEDGED at this heartbeat, by name."""
    found = {}
    for name, server in servers.items():
        if server.work.behind and open_one(server) is None and server.work.excused_at != now:
            behind = [servers[other] for other in server.work.behind if other in servers and other != name]
            changed = _judged(server, behind, now, limits)
            if changed is not server:
                found[name] = changed
    return found


def _judged(server: Server, behind: list[Server], now: int, limits: Limits) -> Server:
    since, until = _failing(server.work, now, limits)
    if since:
        for other in behind:
            case = open_one(other)
            if case is not None:
                cause = f"{other.name}, which stands behind it: {case.family} (see its own stop)"
                return _opened(server, now, since, "behind", cause, f"{other.name} behind it: {case.family}")
        for other in behind:
            right = _right(other.work, since, until, limits)
            if right is not None:
                ago = (now - right[1]) / SECOND
                cause = f"the gateway: {other.name} behind it answers directly (canary right {ago:.1f} s ago)"
                seen = f"{other.name} behind it: canary right, asked {(right[0] - since) / SECOND:.1f} s later"
                return _opened(server, now, since, "gateway", cause, seen)
    if any(other.work.canary is not None and not other.work.canary.first_at for other in behind):
        return server  # what stands behind it is asked and has not answered yet: it may be busy
    if since and now - since < limits.wedged and any(_was_right(other.work, since, until) for other in behind):
        return server  # what stands behind it will be asked again soon, and that tells whose fault it is
    return wedged.judged(server, now, limits)


def _opened(server: Server, now: int, since: int, shown: str, cause: str, seen: str) -> Server:
    base = told.told(server, since, shown, 0)
    said = Told(kind="gateway" if shown == "gateway" else "behind", cause=cause, excluded=base.excluded)
    return wedged.opened(server, now, since, shown, said, seen)


def _failing(work: Work, now: int, limits: Limits) -> tuple[int, int]:
    """Since when the gateway's canary has failed or got nothing, and until when that was seen; zeros: it has not."""
    found = []
    if len(work.failed) >= FAILED_TWICE:
        found.append((work.failed[0].asked_at, work.failed[-1].t))
    quiet = [work.silence]
    if work.canary is not None and not work.canary.first_at:
        quiet.append((work.canary.asked_at, now))
    for began, until in quiet:
        since = max(began, work.progress_at)  # another's token cuts the silence short
        if until - since >= limits.wedged_silent:
            found.append((since, until))
    return (min(since for since, _ in found), max(until for _, until in found)) if found else (0, 0)


def _was_right(work: Work, since: int, until: int) -> bool:
    """Whether the latest canary of what stands behind was right, too early to tell of the gateway's failure."""
    return bool(work.rights) and (work.rights[-1][0] < since or until < work.rights[-1][1] + MOMENT_NS)


def _right(work: Work, since: int, until: int, limits: Limits) -> tuple[int, int] | None:
    """The canary that what stands behind was asked while its gateway failed, and that was right at once.

    The gateway must have failed on for a moment: at the end of a long prefill both are answered, one before the other.
    """
    for asked, over in reversed(work.rights):
        if asked >= since and over - asked < limits.wedged_silent and until >= over + MOMENT_NS:
            return asked, over
    return None
