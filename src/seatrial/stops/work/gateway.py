"""A gateway and the server behind it. If both fail together the server is the cause; if the gateway fails alone, it is.

The operator says what stands in front of what (Event ``behind``). The canaries of both tell whose fault it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from seatrial.records import SECOND, Event
from seatrial.stops.state.case import Statement
from seatrial.stops.state.cases import open_one
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.server import Server
from seatrial.stops.state.sights import Sight
from seatrial.stops.state.work import Work
from seatrial.stops.telling import silence
from seatrial.stops.work import wedged

FAILED_TWICE = 2
"""The gateway is at fault after so many failures of its canary in a row: one may be a connection that was cut."""
MOMENT_NS = SECOND


def behind(work: Work, event: Event) -> Work:
    """The operator says that an endpoint, named in the text, stands behind this one."""
    return work if event.text in work.behind else replace(work, behind=(*work.behind, event.text))


def ticked(servers: Mapping[str, Server], now: int, limits: Limits) -> dict[str, Server]:
    """The gateways that are WEDGED at this heartbeat, by name."""
    found = {}
    for name, server in servers.items():
        if server.work.behind and open_one(server) is None and server.work.waits.excused_at != now:
            others = [servers[other] for other in server.work.behind if other in servers and other != name]
            changed = _judged(server, others, now, limits)
            if changed is not server:
                found[name] = changed
    return found


def _judged(server: Server, others: list[Server], now: int, limits: Limits) -> Server:
    """A gateway with a WEDGED, and whose fault it is by the servers behind it, where its canary fails."""
    since, until = _failing(server.work, now, limits)
    if since:
        for other in others:
            case = open_one(other)
            if case is not None:
                cause = f"{other.name}, which stands behind it: {case.family} (see its own stop)"
                return _opened(server, now, since, Sight.BEHIND, cause, f"{other.name} behind it: {case.family}")
        for other in others:
            right = _right(other.work, since, until, limits)
            if right is not None:
                ago = (now - right[1]) / SECOND
                cause = f"the gateway: {other.name} behind it answers directly (canary right {ago:.1f} s ago)"
                seen = f"{other.name} behind it: canary right, asked {(right[0] - since) / SECOND:.1f} s later"
                return _opened(server, now, since, Sight.GATEWAY, cause, seen)
    canaries = [other.work.asked.canary for other in others]
    if any(canary is not None and not canary.first_at for canary in canaries):
        return server  # what stands behind it is asked and has not answered yet: it may be busy
    if since and now - since < limits.wedged and any(_was_right(other.work, since, until) for other in others):
        return server  # what stands behind it will be asked again soon, and that tells whose fault it is
    return wedged.judged(server, now, limits)


def _opened(server: Server, now: int, since: int, shown: Sight, cause: str, seen: str) -> Server:
    base = silence.statement(server, since, shown, 0)
    said = Statement(kind=shown.value, cause=cause, excluded=base.excluded)
    return wedged.opened(server, now, since, shown, said, seen)


def _failing(work: Work, now: int, limits: Limits) -> tuple[int, int]:
    """Since when the gateway's canary has failed or got nothing, and until when that was seen; zeros: it has not."""
    found, flow, canary = [], work.flow, work.asked.canary
    if len(flow.failed) >= FAILED_TWICE:
        found.append((flow.failed[0].asked_at, flow.failed[-1].t))
    quiet = [flow.silence]
    if canary is not None and not canary.first_at:
        quiet.append((canary.asked_at, now))
    for began, until in quiet:
        since = max(began, flow.progress_at)  # another's token cuts the silence short
        if until - since >= limits.wedged_silent:
            found.append((since, until))
    return (min(since for since, _ in found), max(until for _, until in found)) if found else (0, 0)


def _was_right(work: Work, since: int, until: int) -> bool:
    """Whether the latest canary of the server behind was right, but too early to tell of the gateway's failure."""
    rights = work.asked.rights
    return bool(rights) and (rights[-1][0] < since or until < rights[-1][1] + MOMENT_NS)


def _right(work: Work, since: int, until: int, limits: Limits) -> tuple[int, int] | None:
    """The canary of the server behind that was asked while its gateway failed, and that was right at once.

    The gateway must have failed on for a moment: at the end of a long prefill both are answered, one before the other.
    """
    for asked, over in reversed(work.asked.rights):
        if asked >= since and over - asked < limits.wedged_silent and until >= over + MOMENT_NS:
            return asked, over
    return None
