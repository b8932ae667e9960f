"""What may be behind a stop whose cause is open: each guess with the observation that would show it.

The order: first the guesses for which something seen speaks, then those that nobody could observe, last those against
which something seen speaks. Within each, the guesses met most often come first, as they are written here. A guess is
never a cause. The ideas themselves stand in a table (``families.guesses``), and what is guessed of one family alone in
its module of ``families``.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

from seatrial.records import Fact
from seatrial.stops.evidence import log_words
from seatrial.stops.evidence.ends import (
    CRASHES,
    OF_ITS_DOING,
    Room,
    catches,
    code_of,
    forwarder_of,
    killed_for_memory,
    kind_of,
    room_of,
    signal_of,
)
from seatrial.stops.evidence.testified import fresh, gpu_words
from seatrial.stops.state.case import Case
from seatrial.stops.state.sights import PROBE_RUNGS, Sight
from seatrial.stops.telling.families.guesses import (
    AGAINST,
    FOR,
    OPEN,
    Guess,
    Idea,
    Speaks,
    no_line,
    of_its_end,
    speaks_if,
)
from seatrial.stops.telling.own import own_of

ROUND_S = (900, 1800, 3600, 7200)
"""Time-outs of launchers: an uptime within 2 s of one of them speaks for it."""
UNSEEN = "not observable here"
ENDED_BY = frozenset({signal.SIGKILL, signal.SIGTERM})
"""By these a process is ended from outside."""
OF_LIMITS: dict[int | None, tuple[Idea, Fact, str]] = {
    signal.SIGXCPU: (Idea.CPU_LIMIT, Fact.LIMIT_OF_CPU_TIME, "s"),
    signal.SIGXFSZ: (Idea.FILE_LIMIT, Fact.LIMIT_OF_FILE_SIZE, "bytes"),
}
"""The signals by which the kernel ends a process at a limit, with the limit's fact and unit."""


def hypotheses(case: Case, uptime_s: float | None) -> tuple[str, ...]:
    """The guesses about a stop, in the order of this module; none where the cause is named."""
    if own_of(case).stated or (case.statement.cause and case.exit is None):
        return case.statement.hypotheses
    found = sorted(_guesses(case, uptime_s), key=lambda guess: guess.speaks)
    return tuple(str(guess) for guess in found)


def _guesses(case: Case, uptime_s: float | None) -> Iterator[Guess]:
    """The guesses about a stop, as they come: by its family while its process lives, else by how the process ended."""
    if case.planned:
        return
    own = own_of(case).guesses
    if own is not None and case.exit is None:
        yield from own(case)
    elif case.shown in PROBE_RUNGS and case.shown is not Sight.REFUSED and case.exit is None:
        yield from _unanswered(case)
    else:
        yield from _dead(case, uptime_s)


def _unanswered(case: Case) -> Iterator[Guess]:
    """Connections are taken, by whomever, and no server answers on them."""
    yield Guess(Idea.BEHIND_ENDED, UNSEEN)
    yield Guess(Idea.MISCONFIGURED, UNSEEN)
    if case.shown in (Sight.TLS, Sight.NOT_HTTP):
        yield Guess(Idea.OTHER_PROTOCOL, UNSEEN)


def _dead(case: Case, uptime_s: float | None) -> Iterator[Guess]:
    """What may be behind an end: by its signal, by its exit code, or by neither where the end was not observed."""
    number, code = signal_of(case.exit), code_of(case.exit)
    unknown = number is None and code is None
    if unknown and case.main is not None and case.main.is_job:
        yield Guess(Idea.WORK_DONE, UNSEEN)
    if forwarder_of(case):
        yield from _forwarder(case, forwarder_of(case))
    elif (number == signal.SIGKILL and kind_of(case) != "oom") or unknown:
        yield from _memory_killer(case)
    if case.growth is not None and kind_of(case) != "oom" and (unknown or number in ENDED_BY):
        yield Guess(Idea.OOM_OF_USERS, "seen: memory that grew; its log is not open to us", FOR)
    if number in CRASHES:
        yield from _crash(case)
        return
    if number in OF_ITS_DOING:
        yield _of_its_doing(case, number)
        yield Guess(Idea.SENT_SIGNAL, "needs rights")
        return
    if case.family == "RUNNER REPLACED":
        yield Guess(Idea.BY_PARENT, *of_its_end(case))
    if number is not None or unknown:
        yield _launcher(uptime_s)
        yield _session(case)
        if number is None or number in (signal.SIGKILL, signal.SIGTERM):
            yield Guess(Idea.SENT_BY_SOMEBODY, "needs rights")
    elif code == 0:
        yield _launcher(uptime_s)
        yield _asked(case)
    else:
        yield from _room(case, room_of(case))
        said = next((word.line for word in log_words.words(fresh(case)) if word.claim != "shutdown"), "")
        seen = f"seen: {said}" if said else no_line(case)
        yield Guess(Idea.OWN_ERROR, seen, FOR if said else OPEN)


def _memory_killer(case: Case) -> Iterator[Guess]:
    """The OOM killer, unless its counts did not move: then there is nothing to suspect, and no word of it."""
    host, cgroup = killed_for_memory(case)
    if host is None and cgroup is None:
        yield Guess(Idea.OOM, UNSEEN)
    elif host is not None and host > 0:
        on_host = f"seen: +{host} on the host, of what process unknown"
        if cgroup is None:
            yield Guess(Idea.OOM, on_host, FOR)
        elif cgroup == 0:
            yield Guess(Idea.OOM_OF_CGROUP, f"{on_host}; +0 in its cgroup", AGAINST)


def _forwarder(case: Case, name: str) -> Iterator[Guess]:
    """What may have befallen the server behind a forwarder: a container that ends takes its port proxy with it."""
    yield Guess(Idea.FORWARDED_ENDED, UNSEEN, of=name)
    host = killed_for_memory(case)[0]
    if host is None or host > 0:
        seen = UNSEEN if host is None else f"seen: +{host} on the host, of what process unknown"
        yield Guess(Idea.OOM_BEHIND, seen, OPEN if host is None else FOR)
    yield Guess(Idea.FORWARDER_ALONE, "not asked", of=name)


def _crash(case: Case) -> Iterator[Guess]:
    words = gpu_words(case)
    if words:
        yield Guess(Idea.GPU_ERROR, f"seen: {words[0]}; {no_line(case)}", FOR)
    yield from _room(case, room_of(case))
    core = bool(case.exit and case.exit.status and case.exit.status & 0x80)
    said = next(
        (word.line for word in log_words.words(fresh(case)) if word.claim in ("abort", "cuda", "bad_alloc")), ""
    )
    seen = f"seen: {said}" if said else ("core dumped" if core else f"no core was dumped; {no_line(case)}")
    yield Guess(Idea.OWN_FAULT, seen, FOR if said or core else OPEN)
    yield Guess(Idea.SENT_SIGNAL, "needs rights")


def _of_its_doing(case: Case, number: int | None) -> Guess:
    """What the kernel sends a signal for, to whoever does it: a write that nobody reads, a limit that is reached."""
    if number not in OF_LIMITS:
        return Guess(Idea.NO_READER, UNSEEN, FOR)
    idea, fact, unit = OF_LIMITS[number]
    limit = case.main.facts.get(fact, "") if case.main else ""
    if limit == "unlimited":
        return Guess(idea, "it had none when it was found", AGAINST)
    return Guess(idea, f"a limit of {limit} {unit} was set" if limit else "its limit was not read", FOR)


def _room(case: Case, room: Room) -> Iterator[Guess]:
    """The limit of the address space. A limit that was far away is not suspected."""
    if room.limit is None:
        return
    share = room.share
    said = log_words.said(fresh(case), "bad_alloc")
    seen = "size not observed" if share is None else f"{room.percent} at the last look"
    seen += f"; {'bad_alloc seen' if said else no_line(case)}"
    yield Guess(Idea.ADDRESS_SPACE, seen, FOR if said or room.near else (OPEN if share is None else AGAINST))


def _launcher(uptime_s: float | None) -> Guess:
    if uptime_s is None:
        return Guess(Idea.LAUNCHER, "uptime not observable", of=str(ROUND_S[1]))
    nearest = min(ROUND_S, key=lambda s: abs(s - uptime_s))
    fits = abs(nearest - uptime_s) <= 2
    seen = f"it was {uptime_s:.0f} s: " + ("speaks for it: consistent, not proven" if fits else "speaks against")
    return Guess(Idea.LAUNCHER, seen, speaks_if(fits), of=str(nearest))


def _session(case: Case) -> Guess:
    """SIGHUP, or a clean-up of the session: the session's leader ended with the server."""
    before = case.main.facts.get(Fact.SESSION_LEADER, "") if case.main else ""
    after = case.exit.facts.get(Fact.SESSION_LEADER, "") if case.exit else ""
    seen = {"there": "not seen: it was there", "itself": "it led its session itself"}.get(after, "not observed")
    speaks: Speaks = AGAINST if after in ("there", "itself") else OPEN
    if after == "gone":
        speaks = speaks_if(before == "there")
        seen = "seen: it was there before" if before == "there" else "it was gone long before"
    return Guess(Idea.SESSION_ENDED, seen, speaks)


def _asked(case: Case) -> Guess:
    seen, speaks = of_its_end(case)
    caught = catches(case, signal.SIGTERM)
    if speaks == OPEN and caught is not None:
        seen += "; it catches SIGTERM" if caught else "; it has no handler for SIGTERM"
        speaks = OPEN if caught else AGAINST
    return Guess(Idea.ORDERLY, seen, speaks)
