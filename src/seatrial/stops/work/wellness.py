"""The reader of what /health says of itself: whether the server was well, and since when it says that it is not."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import Probe
from seatrial.stops.state.work import ILL, Wellness, Work


def probed(work: Work, line: Probe) -> Work:
    """The answer of /health to one probe."""
    old, health, at = work.wellness, line.health, line.t
    if health is None:
        new = Wellness(health, at, old.well_at, old.ill_from, line)
    elif health >= ILL:
        new = Wellness(health, at, old.well_at, old.ill_from or at, line)
    else:
        new = Wellness(health, at, at, 0, line)
    return replace(work, wellness=new)


def canary_right(old: Wellness, at: int) -> Wellness:
    """The canary was right: where /health does not say otherwise, the server was well then."""
    return old if old.ill_from else replace(old, well_at=max(old.well_at, at))


def forgotten(work: Work) -> Work:
    """Who answers may be another server: that the one before was well, or ill, says nothing of this one."""
    return replace(work, wellness=replace(work.wellness, well_at=0, ill_from=0))


def of_this_life(old: Wellness, since: int) -> Wellness:
    """What holds of an incarnation that was found at a time: what /health said before was said of another one."""
    if old.well_at >= since:
        return old
    return replace(old, well_at=0, ill_from=old.ill_from if old.ill_from >= since else 0)
