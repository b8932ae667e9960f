"""FROZEN: the process lives, and something holds it. The reader of samples.

A process that a signal or a debugger holds is in state T. A process that a freezer holds is in a cgroup that says so,
or its threads stand at the freezer's place in the kernel. Nothing else is FROZEN: a process that waits in a system
call, whose children work, or that hands on to a slow server uses no CPU time either. What such a process leaves
undone is judged as its work is (``work.wedged``).

A sign is held against a server only from the last proof of service on: a master that is stopped serves by its workers.

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
from seatrial.stops.state.cases import change, open_case, open_one, proved
from seatrial.stops.state.incarnations import Proof, Sign
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.memory import used
from seatrial.stops.state.server import Body, Server, State
from seatrial.stops.state.sights import FREEZES, Sight

FREEZERS = ("freez", "refrigerator", "get_signal")
"""A thread that a freezer holds stands at a place in the kernel whose name has one of these in it."""
SAMPLES_APART_NS = 3 * SECOND
"""If two samples are further apart than this, nobody looked between them: both may show it without a lasting state."""
SIZES_KEPT = 16


def sampled(server: Server, sample: Sample, state: State) -> Server:
    """One sample of the main process. Of samples of its children only their memory is noted."""
    memory = used(server.memory, sample)
    if memory is not server.memory:
        server = replace(server, memory=memory)
    life = server.life
    main = life.main
    if sample.parent is not None or main is None or not life.lives or sample.pid != main.pid:
        return server
    letter = sample.state
    stopped = letter in ("T", "t")
    sign = _sign(server, sample, stopped=stopped)
    life = replace(life, body=Body(sign, _sized(life.body.sizes, sign)))
    if stopped or sign.held_since:
        return _judged(replace(server, life=life), sign, sample.t, state.limits)
    if letter in ("Z", "X"):
        return replace(server, life=life)
    proof = Proof(sample.t, f"its process, in state {letter}", "process")
    return proved(server, (proof,), life, server.requests)


def _judged(server: Server, sign: Sign, now: int, limits: Limits) -> Server:
    """The server that something holds: FROZEN where that has lasted long enough, and nothing was served meanwhile."""
    case = open_one(server)
    if case is not None:
        return change(server, case, bad_at=now) if case.family == "FROZEN" else server
    shown = Sight.STOPPED if sign.stopped_since else Sight.HELD
    since, need = (sign.stopped_since, limits.frozen) if sign.stopped_since else (sign.held_since, limits.still)
    served = max((proof.at for proof in server.proofs if proof.serves), default=0)
    since = max(since, served)
    if now - since < need or server.life.planned_at:
        return server
    seen = (FREEZES[shown], *(_waiting(server) if shown is Sight.HELD else ()))
    return open_case(server, "FROZEN", since, now, bad_at=now, evidence=seen, shown=shown)


def _sign(server: Server, sample: Sample, *, stopped: bool) -> Sign:
    """The process as a sample shows it, and since when it has not moved or been held, by the sign before."""
    old = server.life.body.sign
    if old is not None and sample.t - old.at > SAMPLES_APART_NS:
        old = None
    still = (
        old is not None
        and sample.cpu_ns is not None
        and sample.switches is not None
        and old.cpu_ns == sample.cpu_ns
        and old.switches == sample.switches
    )
    since = ((old.still_since or sample.t) if old else 0) if still else 0
    held = not stopped and (bool(sample.frozen) or (since > 0 and _at_a_freezer(server, sample, since)))
    return Sign(
        sample.t,
        sample.state,
        sample.cpu_ns,
        sample.switches,
        sample.size,
        sample.size_limit,
        ((old.stopped_since if old else 0) or sample.t) if stopped else 0,
        since,
        ((old.held_since if old else 0) or sample.t) if held else 0,
    )


def _at_a_freezer(server: Server, sample: Sample, since: int) -> bool:
    """Whether the process does not move, and its main thread or each of its threads stands where frozen ones do.

    Its threads are read of it, since it stopped moving: a reading of a child tells nothing of its parent.
    """
    if sample.frozen is False:
        return False
    read = server.witnesses.threads
    ours = read is not None and read.pid == sample.pid and read.t >= since
    places = [row[4] for row in read.threads if row[2] != "R"] if read is not None and ours else [sample.wchan]
    return bool(places) and all(any(word in place for word in FREEZERS) for place in places)


def _sized(sizes: tuple[tuple[int, int], ...], sign: Sign) -> tuple[tuple[int, int], ...]:
    """The latest sizes of the address space with that of a sample, where it is another than the one before."""
    if sign.size is None or (sizes and sign.size == sizes[-1][1]):
        return sizes
    return (*sizes, (sign.at, sign.size))[-SIZES_KEPT:]


def _waiting(server: Server) -> Iterator[str]:
    """Who waits for the server."""
    asked, flying = server.work.asked, len(server.requests.in_flight)
    if flying:
        yield f"{flying} request{'s' * (flying > 1)} of clients in flight"
    if asked.canary is not None and not asked.canary.first_at:
        yield "a canary was asked, and got no token"
    if asked.silent_from:
        yield "its scheduler was asked, and has not answered"
