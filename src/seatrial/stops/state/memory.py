"""What is known of memory: the kernel's counts of kills for want of it, and how much each process used of late."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND, Probe, Sample
from seatrial.stops.state.incarnations import Growth, Main, Oom
from seatrial.stops.state.server import Memory

OOMS_KEPT = 12
USERS_KEPT = 64
"""Processes of which it is remembered how much memory they used: those that changed last."""
POINTS_KEPT = 24
STEP = 1 << 23
"""Bytes by which memory must change to be noted: 8 MiB, and a twentieth of itself."""
GREW = 1 << 27
"""Bytes by which memory must have grown to be told of: 128 MiB, and by half."""
GREW_NS = 600 * SECOND
"""A growth is looked for in so long a time before an end."""
RECENT_NS = 60 * SECOND
"""Memory that has stood still for so long did not grow before the end: a model was loaded."""
BEFORE_NS = 10 * SECOND
"""The kernel counts a kill before its victim dies, and a large victim may be long in dying."""


def counted(memory: Memory, probe: Probe) -> Memory:
    """The counts with those of a probe; the same object where they have not moved."""
    ooms = memory.ooms
    if ooms and (ooms[-1].host, ooms[-1].cgroup) == (probe.oom_host, probe.oom_cgroup):
        return memory
    return replace(memory, ooms=(*ooms, Oom(probe.t, probe.oom_host, probe.oom_cgroup))[-OOMS_KEPT:])


def of_the_host(memory: Memory) -> Memory:
    """What holds for another incarnation too: the last count of the host. The new cgroup may be another one."""
    return replace(memory, ooms=tuple(Oom(oom.at, oom.host, None) for oom in memory.ooms[-1:]))


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


def used(memory: Memory, sample: Sample) -> Memory:
    """How much a process uses, where that has changed; the same object where it has not."""
    size, who = sample.memory, sample.incarnation
    if size is None:
        return memory
    points = memory.used.get(who)
    if points:
        at, before = points[-1]
        if size == before or before - STEP < size < before + STEP or abs(size - before) < before // 20:
            return memory
        if sample.t - at > 2 * SECOND:  # it stood still until a moment ago
            points = (*points, (sample.t - SECOND, before))
    others = {name: kept for name, kept in memory.used.items() if name != who}
    while len(others) >= USERS_KEPT:
        del others[next(iter(others))]
    pids = {**memory.pids, who: sample.pid} if who not in memory.pids else memory.pids
    now = {**others, who: (*(points or ()), (sample.t, size))[-POINTS_KEPT:]}
    return replace(memory, used=now, pids={name: pid for name, pid in pids.items() if name in now})


def growth(memory: Memory, main: Main | None, dead_at: int) -> Growth | None:
    """How memory grew before an end: that of the process that ended, else that of the one which grew most."""
    found = [g for who in memory.used if (g := _grown(memory, who, dead_at)) is not None]
    own = next((g for g in found if main is not None and g.pid == main.pid), None)
    return own or max(found, key=lambda g: g.after - g.before, default=None)


def _grown(memory: Memory, who: str, dead_at: int) -> Growth | None:
    """How the memory of one process grew, and had not been freed at the end."""
    points = [point for point in memory.used[who] if point[0] <= dead_at]
    within = [*[p for p in points if p[0] < dead_at - GREW_NS][-1:], *[p for p in points if p[0] >= dead_at - GREW_NS]]
    if not within:
        return None
    last = within[-1][1]
    low = min(size for _, size in within)
    since = max(at for at, size in within if size == low)
    reached = min((at for at, size in within if at >= since and size * 10 >= last * 9), default=0)
    if last - low < max(GREW, low // 2) or dead_at - reached > RECENT_NS:
        return None
    return Growth(memory.pids.get(who, 0), max(since, dead_at - GREW_NS), within[-1][0], low, last)
