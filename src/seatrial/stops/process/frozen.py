"""FROZEN: the process lives, and does not run. The reader of samples.

A process that a signal or a debugger holds is in state T. A process that a freezer, a driver or a disk holds uses no
CPU time and switches no context although /health was asked. A process that merely waits does the same: threads that
sleep at a place of their own, or a child or a GPU that works, show that it could run.

An example, told as FROZEN::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"sample","t":5.1e9,"name":"a","pid":7,"incarnation":"i-7","state":"S","cpu_ns":100,"switches":9}
    {"kind":"sample","t":6.1e9,"name":"a","pid":7,"incarnation":"i-7","state":"T","cpu_ns":100,"switches":9}
    {"kind":"sample","t":7.1e9,"name":"a","pid":7,"incarnation":"i-7","state":"T","cpu_ns":100,"switches":9}
    {"kind":"sample","t":8.1e9,"name":"a","pid":7,"incarnation":"i-7","state":"T","cpu_ns":100,"switches":9}
    {"kind":"sample","t":9.1e9,"name":"a","pid":7,"incarnation":"i-7","state":"T","cpu_ns":100,"switches":9}
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from seatrial.records import SECOND, Sample
from seatrial.stops.evidence.looks import busy
from seatrial.stops.state.cases import change, open_case, open_one, proved
from seatrial.stops.state.incarnations import Proof, Sign
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.server import Body, Server, State
from seatrial.stops.state.sights import FREEZES, Sight

FREEZERS = ("freez", "refrigerator", "get_signal")
"""A thread that a freezer holds stands at a place in the kernel whose name has one of these in it."""
SAMPLES_APART_NS = 3 * SECOND
"""If two samples are further apart than this, nobody looked between them: both may show it without a lasting state."""
SIZES_KEPT = 16


def sampled(server: Server, sample: Sample, state: State) -> Server:
    """One sample of the main process. Samples of its children bear on no verdict here."""
    life = server.life
    main = life.main
    if sample.parent is not None or main is None or not life.lives or sample.pid != main.pid:
        return server
    letter = sample.state
    stopped = letter in ("T", "t")
    sign = _sign(life.body.sign, sample, stopped=stopped)
    life = replace(life, body=Body(sign, _sized(life.body.sizes, sign)))
    if stopped or sign.still_since:
        before = replace(server, life=life)
        judged = _judged(before, sign, sample.t, state.limits)
        if stopped or judged is not before:
            return judged
    if letter in ("Z", "X"):
        return replace(server, life=life)
    proof = Proof(sample.t, f"its process, in state {letter}", "process")
    return proved(server, (proof,), life, server.requests)


def _judged(server: Server, sign: Sign, now: int, limits: Limits) -> Server:
    """The server that does not move, or is stopped: FROZEN where that has lasted long enough."""
    case = open_one(server)
    if case is not None:
        return change(server, case, bad_at=now) if case.family == "FROZEN" else server
    since, shown = _frozen(server, sign, now, limits)
    if not since or server.life.planned_at:
        return server
    seen = (FREEZES[shown], *(_waiting(server) if shown is Sight.STILL else ()))
    return open_case(server, "FROZEN", since, now, bad_at=now, evidence=seen, shown=shown)


def _sign(old: Sign | None, sample: Sample, *, stopped: bool) -> Sign:
    """The process as a sample shows it, and since when it has not moved, by the sign before."""
    if old is not None and sample.t - old.at > SAMPLES_APART_NS:
        old = None
    still = (
        old is not None
        and sample.cpu_ns is not None
        and sample.switches is not None
        and old.cpu_ns == sample.cpu_ns
        and old.switches == sample.switches
    )
    return Sign(
        sample.t,
        sample.state,
        sample.cpu_ns,
        sample.switches,
        sample.size,
        sample.size_limit,
        ((old.stopped_since if old else 0) or sample.t) if stopped else 0,
        ((old.still_since or sample.t) if old else 0) if still else 0,
    )


def _sized(sizes: tuple[tuple[int, int], ...], sign: Sign) -> tuple[tuple[int, int], ...]:
    """The latest sizes of the address space with that of a sample, where it is another than the one before."""
    if sign.size is None or (sizes and sign.size == sizes[-1][1]):
        return sizes
    return (*sizes, (sign.at, sign.size))[-SIZES_KEPT:]


def _frozen(server: Server, sign: Sign, now: int, limits: Limits) -> tuple[int, Sight]:
    """Since when the process does not run, and the sight that shows it; 0 when it runs.

    Without state T the process must not move though there is work: /health was asked and is silent.
    """
    if sign.stopped_since:
        return (sign.stopped_since, Sight.STOPPED) if now - sign.stopped_since >= limits.frozen else (0, Sight.NONE)
    since = sign.still_since
    if not since or now - since < limits.still or server.life.pulse.mute < 2:
        return 0, Sight.NONE
    if _sleeps(server, since) or busy(server.work, since, now, asleep=False):
        return 0, Sight.NONE  # in state D it may be held by a freezer of the first version
    return since, Sight.STILL


def _sleeps(server: Server, since: int) -> bool:
    """Whether every thread was read since then, and sleeps elsewhere than where a freezer would hold it."""
    read, main = server.witnesses.threads, server.life.main
    if read is None or read.t < since or main is None or read.pid != main.pid:
        return False
    return bool(read.threads) and all(
        state == "S" and wchan and not any(word in wchan for word in FREEZERS) for _, _, state, _, wchan in read.threads
    )


def _waiting(server: Server) -> Iterator[str]:
    """Who waits for the server, beside /health."""
    asked, flying = server.work.asked, len(server.requests.in_flight)
    if flying:
        yield f"{flying} request{'s' * (flying > 1)} of clients in flight"
    if asked.canary is not None and not asked.canary.first_at:
        yield "a canary was asked, and got no token"
    if asked.silent_from:
        yield "its scheduler was asked, and has not answered"
