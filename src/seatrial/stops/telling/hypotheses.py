"""What may be behind a stop whose cause is open: each guess with the observation that would show it.

The order: first what was seen to speak for a guess, then what nobody could observe, last what was seen to speak
against one; within each, as they are written here, by what is met most often. A guess is never a cause.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Literal

import msgspec

from seatrial.records import Fact
from seatrial.stops.evidence import log_words
from seatrial.stops.evidence.ends import (
    CRASHES,
    Room,
    catches,
    code_of,
    forwarder_of,
    killed_for_memory,
    kind_of,
    room_of,
    signal_of,
)
from seatrial.stops.state.case import Case
from seatrial.stops.state.sights import PROBE_RUNGS, Sight
from seatrial.stops.telling.causes import fresh, gpu_words

ROUND_S = (900, 1800, 3600, 7200)
"""Time-outs of launchers: an uptime within 2 s of one of them speaks for it."""

Speaks = Literal[0, 1, 2]
FOR: Literal[0] = 0
OPEN: Literal[1] = 1
AGAINST: Literal[2] = 2


class Guess(msgspec.Struct, frozen=True):
    """``speaks``: whether what was seen speaks for it, was not seen at all, or speaks against it."""

    what: str
    shows: str
    seen: str
    speaks: Speaks = OPEN

    def __str__(self) -> str:
        return f"{self.what}; would show: {self.shows} ({self.seen})"


def hypotheses(case: Case, uptime_s: float | None) -> tuple[str, ...]:
    """The guesses about a stop, in the order of this module; none where the cause is named."""
    if case.family == "WEDGED":
        return case.statement.hypotheses
    found = sorted(_guesses(case, uptime_s), key=lambda guess: guess.speaks)
    return tuple(str(guess) for guess in found)


def _guesses(case: Case, uptime_s: float | None) -> Iterator[Guess]:
    if case.planned:
        return
    if case.family == "DEAF" and case.exit is None:
        yield from _deaf(case)
    elif case.family == "FROZEN" and case.exit is None:
        yield from _frozen(case)
    elif case.family == "IMPOSTOR" and case.exit is None:
        yield Guess("two processes listen at the port (SO_REUSEPORT)", "more than one LISTEN socket", "not told", OPEN)
        was = any(text.startswith("DEAF for") for text in case.evidence)
        yield Guess("the declared one closed its listener and another program took the port", "DEAF before it",
                    "seen" if was else "not seen", _if(was))  # fmt: skip
    elif case.shown in PROBE_RUNGS and case.shown is not Sight.REFUSED and case.exit is None:
        yield from _unanswered(case)
    else:
        yield from _dead(case, uptime_s)


def _unanswered(case: Case) -> Iterator[Guess]:
    """Connections are taken, by whomever, and no server answers on them."""
    yield Guess("what stands behind the address ended", "its own process, watched where it runs", "not observable here")
    yield Guess("what hands the connections on is misconfigured", "the same question, asked behind it",
                "not observable here")  # fmt: skip
    if case.shown in (Sight.TLS, Sight.NOT_HTTP):
        yield Guess("the address speaks another protocol now", "the scheme of its URL changed", "not observable here")


def _deaf(case: Case) -> Iterator[Guess]:
    said = log_words.said(fresh(case), "shutdown")
    yield Guess("its shutdown began and hangs", "a log line of shutting down, or its exit soon",
                f"seen: {said}" if said else _no_line(case), FOR if said else OPEN)  # fmt: skip
    failed = log_words.said(fresh(case), "failure")
    yield Guess("its listening thread died", "its last words in the log, or established connections still served",
                f"seen: {failed}" if failed else "not observed", FOR if failed else OPEN)  # fmt: skip
    if case.child is not None:
        yield Guess("the process that listened was its child", "a child that ended just before", "seen", FOR)


def _frozen(case: Case) -> Iterator[Guess]:
    stopped = case.shown is Sight.STOPPED
    traced = case.look is not None and case.look.state == "t"
    read = case.testimony.read
    waits = [row for row in read.threads if row[2] == "D"] if read else []
    if stopped and traced:
        yield Guess("a debugger holds it", "state t", "seen", FOR)
    elif stopped:
        yield Guess("a job-control stop or a debugger", "state T or t, with no CPU time used", "seen", FOR)
    else:
        yield Guess("the cgroup freezer or swapping", "no CPU time and no state T", "seen", FOR)
        told = f"seen: {waits[0][1]} at {waits[0][4] or 'an unknown place'}" if waits else "not seen"
        if read is None:
            told = "not observed"
        yield Guess("a driver or a disk that does not answer", "a thread in state D", told,
                    FOR if waits else (OPEN if read is None else AGAINST))  # fmt: skip


def _dead(case: Case, uptime_s: float | None) -> Iterator[Guess]:
    number, code = signal_of(case.exit), code_of(case.exit)
    unknown = number is None and code is None
    if unknown and case.main is not None and case.main.is_job:
        yield Guess("its work was done", "exit status 0", "not observable here")
    if forwarder_of(case):
        yield from _forwarder(case, forwarder_of(case))
    elif (number == signal.SIGKILL and kind_of(case) != "oom") or unknown:
        yield from _memory_killer(case)
    if number in CRASHES:
        yield from _crash(case)
        return
    if case.family == "RUNNER REPLACED":
        yield Guess("its parent ended it: a model unloaded, a health check failed", "a line in the parent's log",
                    *_line(case, "shutdown"))  # fmt: skip
    if number is not None or unknown:
        yield _launcher(uptime_s)
        yield _session(case)
        if number is None or number in (signal.SIGKILL, signal.SIGTERM):
            yield Guess("a person, an agent or a supervisor", "an audit record or a process event", "needs rights")
    elif code == 0:
        yield _launcher(uptime_s)
        yield _asked(case)
    else:
        yield from _room(case, room_of(case))
        said = next((word.line for word in log_words.words(fresh(case)) if word.claim != "shutdown"), "")
        seen = f"seen: {said}" if said else _no_line(case)
        yield Guess("an error it found itself", "the last lines of its log", seen, FOR if said else OPEN)


def _memory_killer(case: Case) -> Iterator[Guess]:
    """The OOM killer, unless its counts did not move: then there is nothing to suspect, and no word of it."""
    host, cgroup = killed_for_memory(case)
    if host is None and cgroup is None:
        yield Guess("the OOM killer", "oom_kill grows", "not observable here")
    elif host is not None and host > 0:
        on_host = f"seen: +{host} on the host, of what process unknown"
        if cgroup is None:
            yield Guess("the OOM killer", "oom_kill grows", on_host, FOR)
        elif cgroup == 0:
            yield Guess("the OOM killer", "oom_kill of its cgroup grows", f"{on_host}; +0 in its cgroup", AGAINST)


def _forwarder(case: Case, name: str) -> Iterator[Guess]:
    """What may have befallen the server behind a forwarder: a container that ends takes its port proxy with it."""
    yield Guess(f"the server behind {name} ended, and {name} with it", "the exit status its launcher tells",
                "not observable here")  # fmt: skip
    host = killed_for_memory(case)[0]
    if host is None or host > 0:
        seen = "not observable here" if host is None else f"seen: +{host} on the host, of what process unknown"
        yield Guess("the OOM killer ended the server behind it", "oom_kill of that server's cgroup grows", seen,
                    OPEN if host is None else FOR)  # fmt: skip
    yield Guess(f"{name} alone ended", "the server still answers at its own address", "not asked")


def _crash(case: Case) -> Iterator[Guess]:
    words = gpu_words(case)
    if words:
        yield Guess("a GPU error", "an error of the driver's at that moment, and a line of it in its log",
                    f"seen: {words[0]}; {_no_line(case)}", FOR)  # fmt: skip
    yield from _room(case, room_of(case))
    core = bool(case.exit and case.exit.status and case.exit.status & 0x80)
    said = next(
        (word.line for word in log_words.words(fresh(case)) if word.claim in ("abort", "cuda", "bad_alloc")), ""
    )
    seen = f"seen: {said}" if said else ("core dumped" if core else f"no core was dumped; {_no_line(case)}")
    yield Guess("its own fault", "a core dump or a last word in its log", seen, FOR if said or core else OPEN)
    yield Guess("a signal sent by another process", "an audit record", "needs rights")


def _room(case: Case, room: Room) -> Iterator[Guess]:
    """The limit of the address space. A limit that was far away is not suspected."""
    if room.limit is None:
        return
    share = room.share
    said = log_words.said(fresh(case), "bad_alloc")
    seen = "size not observed" if share is None else f"{room.percent} at the last look"
    yield Guess("its address-space limit", "a size near the limit, and std::bad_alloc in its log",
                f"{seen}; {'bad_alloc seen' if said else _no_line(case)}",
                FOR if said or room.near else (OPEN if share is None else AGAINST))  # fmt: skip


def _launcher(uptime_s: float | None) -> Guess:
    if uptime_s is None:
        return Guess("its launcher's time-out", f"uptime at a round {ROUND_S[1]} s", "uptime not observable")
    nearest = min(ROUND_S, key=lambda s: abs(s - uptime_s))
    fits = abs(nearest - uptime_s) <= 2
    seen = f"it was {uptime_s:.0f} s: " + ("speaks for it: consistent, not proven" if fits else "speaks against")
    return Guess("its launcher's time-out", f"uptime at a round {nearest} s", seen, _if(fits))


def _session(case: Case) -> Guess:
    """SIGHUP, or a clean-up of the session: the session's leader ended with the server."""
    before = case.main.facts.get(Fact.SESSION_LEADER, "") if case.main else ""
    after = case.exit.facts.get(Fact.SESSION_LEADER, "") if case.exit else ""
    seen = {"there": "not seen: it was there", "itself": "it led its session itself"}.get(after, "not observed")
    speaks: Speaks = AGAINST if after in ("there", "itself") else OPEN
    if after == "gone":
        speaks = _if(before == "there")
        seen = "seen: it was there before" if before == "there" else "it was gone long before"
    return Guess("the end of a login session", "session leader gone at the same moment", seen, speaks)


def _asked(case: Case) -> Guess:
    seen, speaks = _line(case, "shutdown")
    caught = catches(case, signal.SIGTERM)
    if speaks == OPEN and caught is not None:
        seen += "; it catches SIGTERM" if caught else "; it has no handler for SIGTERM"
        speaks = OPEN if caught else AGAINST
    return Guess("an orderly shutdown it was asked for", "a line in its log", seen, speaks)


def _line(case: Case, claim: log_words.Claim) -> tuple[str, Speaks]:
    said = log_words.said(fresh(case), claim)
    return (f"seen: {said}", FOR) if said else (_no_line(case), OPEN)


def _no_line(case: Case) -> str:
    return "no such line in its log" if case.testimony.log else "no log is open to us"


def _if(seen: bool) -> Literal[0, 2]:  # noqa: FBT001 - the fact itself
    return FOR if seen else AGAINST
