"""Why a server stopped, where the evidence names it, and what it excludes.

A cause is named only where evidence names it, as statements joined by ``; ``. Less evidence leaves statements away,
or all of them (UNKNOWN). Less evidence never puts another statement in their place. A signal alone never names a
cause: nobody without audit rights can see who sent it. One statement is open to be refuted: an address space that was
on its way to its limit names the limit, as long as no log shows that the process aborted itself for another reason.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator

from seatrial.records import NOTICES, SECOND
from seatrial.stops.evidence import log_words
from seatrial.stops.evidence.ends import (
    CRASHES,
    OF_ITS_DOING,
    code_of,
    forwarder_of,
    ignores,
    killed_for_memory,
    kind_of,
    room_of,
    signal_of,
)
from seatrial.stops.evidence.programs import forwards
from seatrial.stops.evidence.testified import fresh, gpu_word, gpu_words, orderly
from seatrial.stops.state.case import Case
from seatrial.stops.state.families import BESIDE, ENDED
from seatrial.stops.state.incarnations import Growth
from seatrial.stops.state.sights import PROBE_RUNGS, Sight
from seatrial.stops.telling.own import own_of
from seatrial.text import signal_name

MEMORY_KILLS = "the kernel's OOM killer, in the server's cgroup"
LIMIT = "its address-space limit was reached"


def cause(case: Case) -> str:
    """The cause, or UNKNOWN and why it cannot be known."""
    own = own_of(case)
    if own.stated or (case.statement.cause and case.exit is None):
        return case.statement.cause
    number, code = signal_of(case.exit), code_of(case.exit)
    named = "; ".join(_named(case))
    found = "UNKNOWN"
    if named:
        found = named
    elif case.planned:
        found = "its work was done: it ended itself with status 0"
    elif forwarder_of(case):
        found = f"UNKNOWN: {_only_forwards(case)}"
    elif number in CRASHES or number in OF_ITS_DOING:
        by = signal_name(number or 0)
        found = f"UNKNOWN: {by} of its own making or sent to it; the record cannot tell them apart"
    elif number is not None:
        found = "UNKNOWN: sender of the signal not observable without audit rights"
    elif code is not None:
        found = f"UNKNOWN: it ended itself with status {code} and told us no reason"
    elif case.shown in PROBE_RUNGS and case.shown is not Sight.REFUSED and case.family == "STOPPED":
        found = "UNKNOWN: what ended is not observable"
    elif case.exit is not None or case.family in ENDED:
        found = "UNKNOWN: how it ended is not observable"
    elif own.unknown is not None:
        found = f"UNKNOWN: {own.unknown(case)}"
    return found


def aborted(log: Iterable[str], *, limit: int | None, reached: bool, xids: Iterable[str] = ()) -> Iterator[str]:
    """What names the cause of an end by SIGABRT: the kernel's word on its limit, and its own last words.

    Args:
        limit: of its address space, bytes; None: none, or not known.
        reached: the space was full, or grew to its limit in the last looks. That it stood near it is not enough.
        xids: what the GPU's driver reported just before.
    """
    words = {word.claim: word.line for word in log_words.words(log)}
    refused = "bad_alloc" in words
    said = words.get("cuda") or words.get("abort", "")
    threadless = "std::system_error" in said  # as where a thread's stack found no room: it denies nothing
    if (reached and (refused or threadless or not said)) or (refused and limit):
        yield LIMIT
        if refused:
            yield "std::bad_alloc"
    if said and not refused:
        yield f"aborted itself: {said}"
        if "cuda" in words:
            yield from xids


def _only_forwards(case: Case) -> str:
    return f"{forwarder_of(case)} only hands connections on; its end tells nothing of the server behind it"


def _named(case: Case) -> Iterator[str]:
    """The statements that name the cause of an end; none where nothing names it."""
    if case.exit is None or forwarder_of(case):  # limits and counts are the forwarder's, and no log tells of its end
        return
    if kind_of(case) == "oom":
        yield MEMORY_KILLS
    elif signal_of(case.exit) == signal.SIGABRT:
        room = room_of(case)
        yield from aborted(fresh(case), limit=room.limit, reached=room.reached, xids=gpu_words(case))


def excluded(case: Case, *, kept: bool) -> Iterator[str]:
    """What did not happen, and by what that is known. ``kept``: a keeper announces planned stops."""
    yield from case.statement.excluded
    if case.family in NOTICES or case.family in BESIDE:
        return
    if case.family == "WEDGED" and (case.main is None or forwards(case.main)):
        return  # nothing of its process is observable: nothing is excluded by it
    if case.family == "STOPPED" and case.shown in PROBE_RUNGS and case.exit is None:
        return  # so here: HTTP alone told of it
    if case.exit is not None or case.family in ENDED:
        yield from _excluded_of_death(case)
    elif case.family != "IMPOSTOR":
        yield "death (the same incarnation ran on)"
    if case.successor is None and case.main is not None:  # of a process that was never seen no incarnation is known
        yield "restart (no new incarnation)"
    if kept:
        yield "a planned stop (none was announced)"


def _excluded_of_death(case: Case) -> Iterator[str]:
    """What a death was not. A forwarder's counts, masks and limits say nothing of the server behind it."""
    if forwarder_of(case):
        return
    host, cgroup = killed_for_memory(case)
    if host == 0 and cgroup == 0:
        yield "OOM killer (oom_kill +0 on the host, +0 in its cgroup)"
    elif host == 0 and cgroup is None:
        yield "OOM killer (oom_kill +0 on the host; its cgroup's count is not observable)"
    elif host is None and cgroup == 0:  # where the host's count moved, a cgroup alone does not say whom it befell
        yield "OOM killer (oom_kill +0 in its cgroup)"
    if case.exit is None or case.exit.status is None:
        for number in (signal.SIGPIPE, signal.SIGHUP):
            if ignores(case, number):
                yield f"{signal_name(number)} (its process ignored it)"
    if signal_of(case.exit) in CRASHES:
        room = room_of(case)
        if room.share is not None and not room.near and not log_words.said(fresh(case), "bad_alloc"):
            yield f"its address-space limit ({room.percent} used at the last look)"


def evidence_of_end(case: Case) -> Iterator[str]:
    """What the record shows of an end, beside what the stop itself rests on."""
    if forwarder_of(case) and (case.exit is not None or case.family in ENDED):
        yield _only_forwards(case)
    if case.exit is not None:
        if case.exit.status is not None:
            yield f"exit status told by {case.exit.source}"
        host, cgroup = killed_for_memory(case)
        if (host or 0) > 0 or (cgroup or 0) > 0:
            counts = ((host, "on the host"), (cgroup, f"in {_whose(case)} cgroup"))
            yield f"oom_kill {', '.join(f'+{n} {where}' for n, where in counts if n is not None)}"
        if case.growth is not None:
            yield grew(case.growth, case)
        room = room_of(case)
        if room.size is not None and room.limit:
            yield (
                f"address space {_bytes(room.size)} of a limit of {_bytes(room.limit)} at the last look"
                f" ({room.percent}{': the limit reached' if room.reached else ''})"
            )
    for event in case.testimony.xids[:3]:
        seconds = (case.dead_at - event.at) / SECOND
        yield f"{gpu_word(event)}, {abs(seconds):.1f} s {'before' if seconds >= 0 else 'after'}"
    yield from _testimony(case)


def grew(growth: Growth, case: Case) -> str:
    """``its memory grew from 94 to 2,016 MiB in 13 s, until 0.4 s before``."""
    own = case.main is not None and growth.pid == case.main.pid
    whose = "its memory" if own else f"the memory of its process {growth.pid}"
    sizes = f"from {growth.before >> 20:,} to {growth.after >> 20:,} MiB"
    took, before = (growth.until - growth.since) / SECOND, max(0, case.dead_at - growth.until) / SECOND
    return f"{whose} grew {sizes} in {took:.0f} s, until {before:.1f} s before"


def _whose(case: Case) -> str:
    return f"{forwarder_of(case)}'s" if forwarder_of(case) else "its"


def _testimony(case: Case) -> Iterator[str]:
    """What the server's log adds, and where the record contradicts the log."""
    if case.testimony.log_note:
        yield f"log: {case.testimony.log_note}"
    named = cause(case)
    for word in log_words.words(fresh(case)):
        if word.line in named or (word.claim == "bad_alloc" and "bad_alloc" in named):
            continue
        if word.claim == "shutdown":
            if orderly(case):
                yield f"its log says: {orderly(case)}"
            continue
        if word.claim == "memory":
            host, cgroup = killed_for_memory(case)
            if host == 0 and not cgroup:
                yield "its log claims that the kernel killed it for memory; the kernel's own count did not move"
                continue
        yield f"its log says: {word.line}"


def _bytes(number: int) -> str:
    """``1.98 GiB``, ``512 MiB``."""
    if number >= 1 << 30:
        return f"{number / (1 << 30):.2f} GiB"
    return f"{number / (1 << 20):.0f} MiB"
