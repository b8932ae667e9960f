"""Why a server stopped: what the evidence names, what it excludes, and, where it names nothing, what would tell.

A cause is named only where evidence names it. A signal alone never does: nobody without audit rights can see who
sent it. Less evidence may turn a cause into UNKNOWN, never into another cause.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

from seatrial.verdict.stops_state import SECOND, Case, Exit

ROUND_S = (900, 1800, 3600, 7200)
"""Time-outs of launchers: an uptime within 2 s of one of them speaks for it."""

CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS}
)


def signal_of(end: Exit | None) -> int | None:
    """The signal that ended a process, from its raw wait status."""
    return None if end is None or end.status is None else (end.status & 0x7F) or None


def code_of(end: Exit | None) -> int | None:
    """The exit code of a process that ended itself."""
    if end is None or end.status is None or end.status & 0x7F:
        return None
    return end.status >> 8 & 0xFF


def name_of(number: int) -> str:
    """``SIGKILL``; ``signal 77`` for a number without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def kind_of(case: Case) -> str:
    """signal, exit, crash, oom or unknown, of a case in which a process ended."""
    number = signal_of(case.exit)
    if number is not None:
        if number == signal.SIGKILL and (killed_for_memory(case)[1] or 0) > 0:
            return "oom"
        return "crash" if number in CRASHES else "signal"
    return "unknown" if code_of(case.exit) is None else "exit"


def killed_for_memory(case: Case) -> tuple[int | None, int | None]:
    """How many processes were killed for want of memory around the end: on the host, and in the server's cgroup."""
    before, after = case.oom_before, case.oom_after
    facts = case.exit.facts if case.exit else {}
    host = _later(after.host if after else None, facts.get("oom_host"))
    cgroup = _later(after.cgroup if after else None, facts.get("oom_cgroup"))
    return (
        None if before is None or before.host is None or host is None else host - before.host,
        None if before is None or before.cgroup is None or cgroup is None else cgroup - before.cgroup,
    )


def cause(case: Case) -> str:
    """The cause, or UNKNOWN and why it cannot be known."""
    number, code = signal_of(case.exit), code_of(case.exit)
    found = "UNKNOWN"
    if kind_of(case) == "oom":
        found = "the kernel's OOM killer, in the server's cgroup"
    elif number in CRASHES:
        found = f"UNKNOWN: {name_of(number or 0)} of its own making or sent to it; the record cannot tell them apart"
    elif number is not None:
        found = "UNKNOWN: sender of the signal not observable without audit rights"
    elif code is not None:
        found = f"UNKNOWN: it ended itself with status {code} and told us no reason"
    elif case.exit is not None:
        found = "UNKNOWN: how it ended is not observable"
    elif case.family == "FROZEN":
        found = "UNKNOWN: sender of the stop signal not observable without audit rights"
    return found


def excluded(case: Case, *, kept: bool) -> Iterator[str]:
    """What did not happen, and by what that is known. ``kept``: a keeper announces planned stops."""
    host, cgroup = killed_for_memory(case)
    if case.exit is not None or case.family in ("STOPPED", "RESTARTED"):
        if host == 0 and cgroup == 0:
            yield "OOM killer (oom_kill +0 on the host, +0 in its cgroup)"
        elif host == 0:
            yield "OOM killer (oom_kill +0 on the host; its cgroup's count is not observable)"
        elif cgroup == 0:
            yield "OOM killer (oom_kill +0 in its cgroup)"
    else:
        yield "death (the same incarnation ran on)"
    if case.successor is None:
        yield "restart (no new incarnation)"
    if kept:
        yield "a planned stop (none was announced)"


def hypotheses(case: Case, uptime_s: float | None) -> Iterator[str]:
    """What may have happened, likeliest first: what would show it, and whether that was seen."""
    number = signal_of(case.exit)
    host, cgroup = killed_for_memory(case)
    if case.family == "DEAF":
        yield "its shutdown began and hangs; would show: a log line of shutting down, or its exit soon (not seen yet)"
        yield "its listening thread died; would show: established connections still served (not observed)"
        return
    if case.exit is None and case.family == "FROZEN":
        yield (
            "a job-control stop or a debugger; would show: state T or t, with no CPU time used (seen)"
            if case.shown == "stopped"
            else "the cgroup freezer or swapping; would show: no CPU time and no state T (seen)"
        )
        return
    if number == signal.SIGKILL and kind_of(case) != "oom":
        if host is None:
            yield "the OOM killer; would show: oom_kill grows (not observable here)"
        elif host > 0 and cgroup is None:
            yield f"the OOM killer; would show: oom_kill grows (seen: +{host} on the host, of what process unknown)"
    if number in CRASHES:
        yield f"its own fault; would show: a core dump or a last word in its log ({_core(case)})"
        yield "a signal sent by another process; would show: an audit record (needs rights)"
        return
    if number is not None or case.exit is None or case.exit.status is None:
        yield f"its launcher's time-out; would show: uptime at a round {_round(uptime_s)}"
        yield f"the end of a login session; would show: session leader gone at the same moment ({_leader(case)})"
        if number in (signal.SIGKILL, signal.SIGTERM):
            yield "a person, an agent or a supervisor; would show: an audit record or a process event (needs rights)"
    elif code_of(case.exit) == 0:
        yield f"its launcher's time-out; would show: uptime at a round {_round(uptime_s)}"
        yield "an orderly shutdown it was asked for; would show: a line in its log"
    else:
        yield "an error it found itself; would show: the last lines of its log"


def number_in(fact: str) -> int | None:
    """The number a fact of an event holds, if it holds one."""
    return int(fact) if fact.isascii() and fact.isdecimal() and len(fact) <= 20 else None


def _later(probe: int | None, fact: str | None) -> int | None:
    known = [n for n in (probe, number_in(fact or "")) if n is not None]
    return max(known, default=None)


def _core(case: Case) -> str:
    return "core dumped" if case.exit and case.exit.status and case.exit.status & 0x80 else "no core was dumped"


def _round(uptime_s: float | None) -> str:
    if uptime_s is None:
        return f"{ROUND_S[1]} s (uptime not observable)"
    nearest = min(ROUND_S, key=lambda s: abs(s - uptime_s))
    verdict = "speaks for it" if abs(nearest - uptime_s) <= 2 else "speaks against"
    return f"{nearest} s (it was {uptime_s:.0f} s: {verdict})"


def _leader(case: Case) -> str:
    before = case.main.facts.get("session leader", "") if case.main else ""
    after = case.exit.facts.get("session leader", "") if case.exit else ""
    if after == "gone":
        return "seen: it was there before" if before == "there" else "it was gone long before"
    return {"there": "not seen: it was there", "itself": "it led its session itself"}.get(after, "not observed")


def uptime_s(case: Case, boot_offset: int | None) -> float | None:
    """Seconds from the start of a case's process, by its start ticks, to its end."""
    if case.main is None or not case.main.started_ticks or boot_offset is None:
        return None
    return max(0.0, (case.dead_at + boot_offset) / SECOND - case.main.started_ticks / 100)
