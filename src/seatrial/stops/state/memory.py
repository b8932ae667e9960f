"""Counts of processes killed for want of memory, as probes read them: ``oom_kill`` of the host and of the cgroup."""

from __future__ import annotations

from seatrial.records import SECOND, Probe
from seatrial.stops.state.incarnations import Oom
from seatrial.stops.state.server import Memory

OOMS_KEPT = 12
BEFORE_NS = 10 * SECOND
"""The kernel counts a kill before its victim dies, and a large victim may be long in dying."""


def counted(memory: Memory, probe: Probe) -> Memory:
    """The counts with those of a probe; the same object where they have not moved."""
    ooms = memory.ooms
    if ooms and (ooms[-1].host, ooms[-1].cgroup) == (probe.oom_host, probe.oom_cgroup):
        return memory
    return Memory((*ooms, Oom(probe.t, probe.oom_host, probe.oom_cgroup))[-OOMS_KEPT:])


def of_the_host(memory: Memory) -> Memory:
    """What holds for another incarnation too: the last count of the host. The new cgroup may be another one."""
    return Memory(tuple(Oom(oom.at, oom.host, None) for oom in memory.ooms[-1:]))


def oom_before(ooms: tuple[Oom, ...], alive_at: int, dead_at: int) -> Oom | None:
    """The counts well before the last proof of life; where nobody looked then, the first that were read.

    The cgroup's count is that of this incarnation: another one may have had another cgroup.
    """
    well_before = min(alive_at, dead_at - BEFORE_NS)
    host = _last_before([oom for oom in ooms if oom.host is not None], well_before, alive_at)
    group = _last_before([oom for oom in ooms if oom.cgroup is not None], well_before, alive_at)
    if host is None and group is None:
        return None
    return Oom(well_before, host.host if host else None, group.cgroup if group else None)


def _last_before(ooms: list[Oom], well_before: int, alive_at: int) -> Oom | None:
    """The last count well before an end; else the first count, if it was read before the last proof of life."""
    known = [oom for oom in ooms if oom.at <= well_before]
    if known:
        return known[-1]
    return ooms[0] if ooms and ooms[0].at <= alive_at else None
