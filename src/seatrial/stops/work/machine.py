"""The reader of the server's processes and of the GPUs: what they used, what they wait for, which of them ended."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import Event, Gpu, Sample, Threads
from seatrial.stops.state.work import Machine, Work

GPU_BUSY = 5
"""From so many percent on a GPU works."""
IN_DRIVER = ("nv", "uvm_", "rm_", "os_acquire", "amdgpu", "kfd")
"""How the names of places in the kernel begin that belong to a GPU's driver."""


def sampled(work: Work, line: Sample) -> Work:
    """One sample of one process of the tree."""
    old = work.machine
    known, cpu, io = old.processes.get(line.pid, ("", None, None))
    if known != line.incarnation:
        cpu = io = 0 if work.busy.looks else None  # what a process used before the watch began is no news
    asleep = line.state == "D" and not _in_driver(old.last_threads)
    new = replace(
        old,
        cpu=old.cpu + _grown(cpu, line.cpu_ns),
        io=old.io + _grown(io, line.io),
        processes={**old.processes, line.pid: (line.incarnation, line.cpu_ns, line.io)},
        sampled_at=line.t if line.cpu_ns is not None else old.sampled_at,
        sleeps=old.sleeps + asleep,
        held=_held(old, line),
    )
    return replace(work, machine=new)


def threads(work: Work, line: Threads) -> Work:
    """What each thread of a process does."""
    return replace(work, machine=replace(work.machine, last_threads=line))


def ended(work: Work, event: Event) -> Work:
    """A process of the tree ended."""
    left = {pid: of for pid, of in work.machine.processes.items() if pid != event.pid}
    held = {pid: since for pid, since in work.machine.held.items() if pid != event.pid}
    machine = replace(work.machine, processes=left, held=held)
    if event.parent:
        how = "how is not observable" if event.status is None else f"raw wait status {event.status}"
        machine = replace(machine, child_gone=f"pid {event.pid}, {how}", child_gone_at=event.at)
    return replace(work, machine=machine)


def gpu(work: Work, line: Gpu) -> Work:
    """One reading of a GPU. It bears on a server whose process is on the GPU, and on every server that is on none."""
    if line.busy is None:
        return work
    old = work.machine
    busy, ours = line.busy >= GPU_BUSY, False
    if line.processes or line.process_busy:
        pids = [*map(str, old.processes)]
        ours = not (line.processes.keys().isdisjoint(pids) and line.process_busy.keys().isdisjoint(pids))
        if busy and line.process_busy:
            shares = [share for pid, share in line.process_busy.items() if pid in pids]
            busy = max(shares, default=GPU_BUSY) >= GPU_BUSY
    busy = busy and (ours or not old.gpu_joined)
    busy_at = line.t if busy else old.gpu_busy_at
    return replace(work, machine=replace(old, gpu_at=line.t, gpu_busy_at=busy_at, gpu_joined=old.gpu_joined or ours))


def of_this_life(old: Machine) -> Machine:
    """What holds of another incarnation: all but the processes."""
    return replace(old, processes={}, held={})


def _held(old: Machine, line: Sample) -> dict[int, int]:
    """Who is held by a signal or a debugger; the same object where nobody was and nobody is."""
    if line.state in ("T", "t"):
        return old.held if line.pid in old.held else {**old.held, line.pid: line.t}
    return {pid: since for pid, since in old.held.items() if pid != line.pid} if line.pid in old.held else old.held


def _grown(old: int | None, new: int | None) -> int:
    return new - old if old is not None and new is not None and new > old else 0


def _in_driver(read: Threads | None) -> bool:
    """Whether all threads that sleep uninterruptibly do so in a GPU's driver: that is no disk."""
    places = [] if read is None else [place for _, _, state, _, place in read.threads if state == "D"]
    return bool(places) and all(place.startswith(IN_DRIVER) for place in places)
