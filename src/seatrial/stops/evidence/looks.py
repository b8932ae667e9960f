"""How busy a server's process tree was, from one heartbeat to the next."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND
from seatrial.stops.state.work import Look, Looks, Work, latest

LOOKS_KEPT = 128
FRESH_NS = 5 * SECOND // 2
"""A reading older than this tells nothing of now."""
LOOKS_APART_NS = 2 * SECOND // 5
"""Looks are at least so far apart: a second heartbeat so soon has seen nothing new."""
IDLE_SHARE = 0.02
"""Of one core, over the window, by the whole process tree: what answering probes costs."""
TOIL_SHARE = 0.1
"""Of one core, between two looks: more than a proxy needs that hands a stream on, and less than any engine."""
IO_RATE = 256 * 1024
"""Bytes a second read and written. Above this rate a model is being loaded; probes and canaries move a few kB."""
BLIND = SECOND * 3 // 2
"""How much shorter than a window its measured part may be: a heartbeat and a half."""


def looked(work: Work, now: int, *, waits: bool) -> Work:
    """Append what was read of the processes since the look before. Heartbeats of several threads are one look."""
    old, machine = work.busy, work.machine
    if old.looks and now - old.looks[-1].at < LOOKS_APART_NS:
        return work
    fresh = machine.sampled_at > old.looked_at
    look = Look(now, machine.cpu if fresh else None, machine.io if fresh else None, machine.sleeps != old.slept, waits)
    toiled = old.toiled or _toiled(old, look)
    return replace(work, busy=Looks(latest(old.looks, look, LOOKS_KEPT), machine.sampled_at, machine.sleeps, toiled))


def of_this_life(old: Looks) -> Looks:
    """What holds of another incarnation: which samples were taken in. How busy the old process was does not hold."""
    return Looks(looked_at=old.looked_at, slept=old.slept)


def waited_for(work: Work, since: int) -> int:
    """For how long somebody waited since then, ns. Lulls between two canaries do not count."""
    spent, last = 0, since
    for look in work.busy.looks:
        if look.at > since:
            spent += look.at - last if look.waits else 0
            last = look.at
    return spent


def idle(work: Work, now: int, window: int) -> bool | None:
    """Whether the whole tree idled over the window up to now; None: not observed, or not for so long."""
    seen = [look for look in work.busy.looks if look.cpu is not None]
    if not seen or now - seen[-1].at > FRESH_NS:
        return None
    apart = max(window - BLIND, SECOND)
    base = next((look for look in reversed(seen) if seen[-1].at - look.at >= apart), None)
    return None if base is None else not _worked(work, base, seen[-1])


def busy(work: Work, since: int, until: int, *, asleep: bool = True) -> bool:
    """Whether the whole tree worked between two times. False where that was not observed.

    Args:
        asleep: a process that sleeps uninterruptibly works: it waits for a disk, as far as is known.
    """
    seen = [look for look in work.busy.looks if look.cpu is not None and since <= look.at <= until]
    return len(seen) > 1 and _worked(work, seen[0], seen[-1], asleep=asleep)


def _worked(work: Work, base: Look, last: Look, *, asleep: bool = True) -> bool:
    """Whether the tree used CPU, a disk or a GPU between two looks, more than answering probes costs."""
    took = last.at - base.at
    within = [look for look in work.busy.looks if base.at < look.at <= last.at]
    disk = asleep and sum(look.disk for look in within) * 2 > len(within)
    cpu = (last.cpu or 0) - (base.cpu or 0) >= IDLE_SHARE * took
    loads = base.io is not None and last.io is not None and (last.io - base.io) * SECOND >= IO_RATE * took
    return cpu or loads or disk or work.machine.gpu_busy_at > base.at


def _toiled(old: Looks, look: Look) -> bool:
    """Whether the processes used more CPU since the look before than a proxy needs."""
    before = old.looks[-1] if old.looks else None
    if before is None or before.cpu is None or look.cpu is None:
        return False
    return look.cpu - before.cpu >= TOIL_SHARE * (look.at - before.at)
