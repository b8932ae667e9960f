"""Who waits for a server, at each heartbeat, and for how long nothing can be held against the server."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from seatrial.records import SECOND
from seatrial.stops.evidence.looks import of_this_life as looks_of_this_life
from seatrial.stops.state.limits import LULL_NS
from seatrial.stops.state.server import Life
from seatrial.stops.state.work import Counted, Waits, Work
from seatrial.stops.work import asked, canaries, flow, machine, wellness

STALE_NS = 600 * SECOND
"""A request older than this may have lost its client: nobody says that it still waits."""


def of_this_life(work: Work, life: Life) -> Work:
    """The work of this incarnation. Another one's is begun anew, part by part: what waited for that one is over."""
    main = life.main
    who = "" if main is None else main.incarnation or str(main.pid)
    old = work.waits
    if who == old.who or main is None or not who:
        return work
    if not old.who or old.who == str(main.pid):
        return replace(work, waits=replace(old, who=who))
    return replace(
        work,
        flow=flow.of_this_life(work.flow, main.found_at),
        asked=asked.of_this_life(work.asked),
        canaries=canaries.of_this_life(work.canaries),
        counted=Counted(),
        machine=machine.of_this_life(work.machine),
        busy=looks_of_this_life(work.busy),
        wellness=wellness.of_this_life(work.wellness, main.found_at),
        waits=Waits(who, waited_at=old.waited_at, excused_at=main.found_at),
    )


def excused(waits: Waits, at: int) -> Waits:
    """Until now nothing can be held against the server."""
    return replace(waits, excused_at=at)


def askers(work: Work, now: int) -> list[int]:
    """When those were asked that wait for the engine."""
    flying, canary = work.flow.flying, work.asked.canary
    found = [at for at in flying.values() if now - at < STALE_NS] if flying else []
    return found if canary is None or canary.first_at else [*found, canary.asked_at]


def waited(waits: Waits, askers: Sequence[int], now: int) -> Waits:
    """Since when somebody waits."""
    if askers:
        return Waits(waits.who, waits.waits_from or min(askers), now, waits.excused_at)
    if waits.waits_from and now - waits.waited_at > LULL_NS:
        return replace(waits, waits_from=0)
    return waits
