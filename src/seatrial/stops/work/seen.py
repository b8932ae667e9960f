"""The part of the fold that reads who waits for a server and what progresses; no judgement yet.

A request of a client tells nothing of its tokens before it is over, so that while it runs other signs must tell:
the server's own counters, the canary, ends of other requests, and what its processes and GPUs do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from seatrial.records import (
    SECOND,
    Ask,
    Event,
    Gpu,
    Happening,
    Line,
    LoadRow,
    Meter,
    Probe,
    Received,
    Sample,
    Sent,
    Threads,
)
from seatrial.stops.state.work import (
    ILL,
    Reading,
    Work,
    latest,
    without,
)

ENGINE_PATHS = ("completions", "responses", "messages", "embeddings", "generate", "chat")
"""How the paths end whose answers come from the engine; others are answered by the HTTP layer alone."""
CLOSED_BY_US = frozenset({"stall", "deadline", "cancelled"})
GOT_NOTHING = CLOSED_BY_US | {"truncated", "reset", "refused", "unreachable"}
"""Outcomes that are no answer of the server; ``busy`` is none either: it is said before the engine is asked."""
CANARY_FAILS = frozenset({"http_5xx", "truncated", "reset", "empty", "sse_error", "no_terminator", "not_a_stream"})
"""Ends of a canary that an engine in order does not give. A deadline is none: it may have queued."""
LOAD = "soak/"
"""How the scenarios of a load begin: each of its streams has a row of its own, which knows tokens from other bytes."""
GPU_BUSY = 5
READINGS_KEPT = 64
MARKS_KEPT = 64
MARKS_APART = SECOND
FAILED_KEPT = 3
RIGHTS_KEPT = 4
OF_CANARY_NS = 2 * SECOND
"""Counters that grow so shortly after a failed canary may have counted its prompt."""
PROCESSES_KEPT = 256


def progressed(work: Work, at: int, what: str, *, token: bool = True) -> Work:
    """Note a token, or growth of a counter. What was silent before it tells nothing any more.

    ``token``: it was one, and not perhaps the work of a canary that failed.
    """
    if at <= work.progress_at:
        return work
    return _progressed(work, (at,), what, token=token)


def _progressed(
    work: Work, times: Sequence[int], what: str, *, token: bool = True, flying: dict[str, int] | None = None
) -> Work:
    """The same for several tokens at once, in order of their time and all later than what is known.

    Args:
        flying: the requests under way from now on, where it is the end of one.
    """
    at = times[-1]
    quiet = work.silence if work.silence[1] > at else (0, 0)
    failed = tuple(ask for ask in work.failed if not token or ask.asked_at > at) if work.failed else ()
    marks = work.marks
    for mark in times:
        if not marks or mark - marks[-1] >= MARKS_APART:
            marks = latest(marks, mark, MARKS_KEPT)
    flying = work.flying if flying is None else flying
    return replace(work, progress_at=at, progress=what, silence=quiet, failed=failed, marks=marks, flying=flying)


def silent(work: Work, since: int, until: int) -> Work:
    """Note a stretch in which a request that is over got nothing; the longest is kept."""
    if until - since <= work.silence[1] - work.silence[0] and work.silence[1] > work.progress_at:
        return work
    return replace(work, silence=(since, until))


def _sent(work: Work, line: Sent) -> Work:
    if line.method != "POST" or not line.path.endswith(ENGINE_PATHS):
        return work
    return replace(work, flying={**work.flying, line.id: line.t})


def gpu_seen(work: Work, line: Gpu) -> Work:
    """One reading of a GPU: it bears on a server whose process is on it, and on every one that cannot be joined."""
    if line.busy is None:
        return work
    pids = frozenset(map(str, work.processes))
    ours = not (pids.isdisjoint(line.processes) and pids.isdisjoint(line.process_busy))
    busy = line.busy >= GPU_BUSY and (ours or not work.gpu_joined)
    if line.process_busy:
        shares = [share for pid, share in line.process_busy.items() if pid in pids]
        busy = busy and max(shares, default=GPU_BUSY) >= GPU_BUSY
    return replace(work, gpu_at=line.t, gpu_busy_at=line.t if busy else work.gpu_busy_at,
                   gpu_joined=work.gpu_joined or ours)  # fmt: skip


def _sampled(work: Work, line: Sample) -> Work:
    known, cpu, io = work.processes.get(line.pid, ("", None, None))
    first = 0 if work.looks else None  # what a process used before the watch began is no news
    if known != line.incarnation:
        cpu = io = first
    return replace(
        work,
        cpu=work.cpu + _grown(cpu, line.cpu_ns),
        io=work.io + _grown(io, line.io),
        processes={**work.processes, line.pid: (line.incarnation, line.cpu_ns, line.io)},
        sampled_at=line.t if line.cpu_ns is not None else work.sampled_at,
        disk=work.disk or (line.state == "D" and not _in_driver(work.threads)),
    )


def _grown(old: int | None, new: int | None) -> int:
    return 0 if old is None or new is None else max(0, new - old)


def _in_driver(threads: Threads | None) -> bool:
    """Whether all that sleep uninterruptibly do so in a GPU's driver: that is no disk."""
    waits = [] if threads is None else [wchan for _, _, state, _, wchan in threads.threads if state == "D"]
    return bool(waits) and all(
        wchan.startswith(("nv", "uvm_", "rm_", "os_acquire", "amdgpu", "kfd")) for wchan in waits
    )


def _probed(work: Work, line: Probe) -> Work:
    """Whether it was well, and since when it says that it is not."""
    health, at = line.health, line.t
    if health is None:
        return replace(work, health=health, health_at=at)
    if health >= ILL:
        return replace(work, health=health, health_at=at, ill_from=work.ill_from or at)
    return replace(work, health=health, health_at=at, well_at=at, ill_from=0)


def _scheduler(work: Work, line: Ask) -> Work:
    if line.skipped or (line.ended_at and line.outcome != "ok" and line.status is not None):
        return replace(work, silent_from=0, scheduler_at=0)  # not asked, or the HTTP layer said no: nothing is known
    if line.outcome == "ok":
        return replace(work, silent_from=0, scheduler_at=line.t, answers_at=line.ended_at)
    return replace(work, silent_from=work.silent_from or line.asked_at, scheduler_at=line.t)


def _canary(work: Work, line: Ask) -> Work:
    if line.skipped:
        return replace(work, canary=None)
    token = min(max(line.first_at, line.last_at), line.t)
    if token:
        work = progressed(work, token, "a token of the canary")
    if not line.ended_at:
        return replace(work, canary=line)
    work = replace(work, canary=None)
    if line.outcome == "ok":
        work = progressed(work, token or line.ended_at, "the canary's answer")
        if not work.ill_from:
            work = replace(work, well_at=max(work.well_at, line.ended_at))
        return replace(work, failed=(), rights=(*work.rights, (line.asked_at, line.ended_at))[-RIGHTS_KEPT:])
    if line.outcome in GOT_NOTHING:
        work = silent(work, token or line.asked_at, line.ended_at)
    else:
        work = replace(work, answered_at=max(work.answered_at, line.ended_at))
    if line.outcome in CANARY_FAILS and not token:
        row = (*work.failed, line)
        work = replace(work, failed=row if len(row) <= FAILED_KEPT else (row[0], *row[1 - FAILED_KEPT :]))
    return work


def _metered(work: Work, line: Meter) -> Work:
    """Counters: totals that moved are progress, each source held against itself; a request fewer is an answer."""
    old = work.meters.get(line.source)
    moved = old is not None and _moved(old, line)
    fell = old is not None and old.running is not None and line.running is not None and line.running < old.running
    live = line.progress is not None or line.source.startswith("vllm")
    readings = work.readings
    if live or moved:
        readings = latest(readings, Reading(line.t, moved, line.running, live), READINGS_KEPT)
    work = replace(work, meters={**work.meters, line.source: line}, readings=readings,
                   excused_at=line.t if line.asleep else work.excused_at)  # fmt: skip
    if work.behind:
        return work  # a gateway hands on the counters of what stands behind it: they are no progress of its own
    if moved:
        alone = work.canary is None and (not work.failed or line.t - work.failed[-1].t > OF_CANARY_NS)
        work = progressed(work, line.t, f"{line.source} counted on", token=alone)
    return replace(work, answered_at=max(work.answered_at, line.t)) if fell else work


def _moved(old: Meter, new: Meter) -> bool:
    return (
        _differ(old.progress, new.progress)
        or _differ(old.tokens, new.tokens)
        or _differ(old.prompt_tokens, new.prompt_tokens)
    )


def _differ(old: int | None, new: int | None) -> bool:
    return old is not None and new is not None and old != new


def _received(work: Work, line: Received) -> Work:
    """Bytes of an answer; whether they were tokens is not in this line. Of a load's stream the next line tells it."""
    if line.id not in work.flying or line.scenario.startswith(LOAD):
        return work
    work = replace(work, flying=without(work.flying, line.id))
    told = line.frames if not line.error else line.frames[1:]  # the first read may be the head alone
    last = min(told[-1][0], line.t) if told else 0
    work = progressed(work, last, f"bytes of the answer to {line.id}")
    return silent(work, last or line.sent_at, line.ended_at) if line.error else work


def _row(work: Work, row: LoadRow) -> Work:
    flying = without(work.flying, row.id)
    told = {row.first_at, row.gap_from, row.gap_to, row.last_at}
    late = sorted([at for at in told if work.progress_at < at <= row.t])
    over = min(row.ended_at, row.t)
    if late and row.outcome == "ok" and late[-1] == row.last_at < over:
        return _progressed(work, (*late, over), f"the end of {row.id}", flying=flying)
    if flying is not work.flying:
        work = replace(work, flying=flying)
    if late:
        work = _progressed(work, late, f"a token of {row.id}")
    if 0 < row.last_at < work.progress_at:
        work = replace(work, marks=(*work.marks, row.last_at)[-MARKS_KEPT:])
    if row.outcome in GOT_NOTHING:
        return silent(work, row.last_at or row.sent_at, row.ended_at)
    if row.outcome == "ok":
        return progressed(work, over, f"the end of {row.id}")
    if row.outcome == "busy":
        return work
    return replace(work, answered_at=max(work.answered_at, over))


def _happened(work: Work, event: Event) -> Work:
    if event.what in (Happening.EXIT, Happening.LOST):
        work = replace(work, processes={pid: of for pid, of in work.processes.items() if pid != event.pid})
        if event.parent:
            how = "how is not observable" if event.status is None else f"raw wait status {event.status}"
            work = replace(work, child_gone=f"pid {event.pid}, {how}", child_gone_at=event.at)
    elif event.what == Happening.BEHIND and event.text not in work.behind:
        work = replace(work, behind=(*work.behind, event.text))
    return work


READ: dict[type[Line], Callable[[Work, Any], Work]] = {
    Sample: _sampled,
    Probe: _probed,
    Ask: lambda work, line: _scheduler(work, line) if line.rung == "scheduler" else _canary(work, line),
    Meter: _metered,
    Threads: lambda work, line: replace(work, threads=line),
    Event: _happened,
    Sent: _sent,
    Received: _received,
    LoadRow: _row,
}
"""What a line does to what is known of a server's work; the same object where it tells nothing of it."""
