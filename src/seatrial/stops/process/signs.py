"""The part of the fold that reads samples and probes: FROZEN, DEAF, and stops seen by HTTP alone."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from seatrial.records import SECOND, Probe, Sample
from seatrial.stops.evidence import sights
from seatrial.stops.evidence.looks import busy
from seatrial.stops.process import afar
from seatrial.stops.state.cases import (
    OOMS_KEPT,
    change,
    narrowed,
    noted,
    open_case,
    open_one,
)
from seatrial.stops.state.limits import Limits
from seatrial.stops.state.server import Oom, Proof, Server, Sign
from seatrial.stops.state.witnesses import sized

FROZEN_WORDS = {
    "stopped": "state T in every sample, no CPU time used",
    "still": "no CPU time and no context switch while /health was silent",
}
FREEZERS = ("freez", "refrigerator", "get_signal")
"""Part of the name of the place in the kernel where a thread stands that a freezer holds."""
UNHEARD = 2
"""Probes in a row without a LISTEN socket that make a living server deaf."""
APART_NS = 3 * SECOND
"""Between two samples further apart than this nobody looked: what both show need not have been so between them."""


def sampled(server: Server, sample: Sample, limits: Limits) -> Server:
    """One reading of the main process; those of its children bear on no verdict here."""
    main = server.main
    if sample.parent is not None or main is None or not server.lives or sample.pid != main.pid:
        return server
    state = sample.state
    stopped = state in ("T", "t")
    sign = _sign(server.sign, sample, stopped=stopped)
    sizes = sized(server.sizes, sign)
    if stopped or sign.still_since:
        before = replace(server, sign=sign)
        judged = _judged(before, sign, sample.t, limits)
        if stopped or judged is not before:
            return replace(judged, sizes=sizes)
    if state in ("Z", "X"):
        return replace(server, sign=sign, sizes=sizes)
    proof = Proof(sample.t, f"its process, in state {state}", "process")
    cases = narrowed(server.cases, proof) if server.cases else server.cases
    return replace(server, sign=sign, sizes=sizes, proofs=noted(server.proofs, proof), cases=cases)


def _judged(server: Server, sign: Sign, now: int, limits: Limits) -> Server:
    """The server that does not move, or is stopped: FROZEN where that has lasted long enough."""
    case = open_one(server)
    if case is not None:
        return change(server, case, bad_at=now) if case.family == "FROZEN" else server
    since, shown = _frozen(server, sign, now, limits)
    if not since or server.planned_at:
        return server
    seen = (FROZEN_WORDS[shown], *(_waiting(server) if shown == "still" else ()))
    return open_case(server, "FROZEN", since, now, bad_at=now, evidence=seen, shown=shown)


def _another(server: Server, probe: Probe) -> bool:
    """Whether who answers may be another process than the main one: the owner is, or is not known of a new socket."""
    if server.main is None:
        return False
    if probe.owner is not None:
        return probe.owner != server.main.pid
    inode, owner = server.socket
    return owner == server.main.pid and probe.inode not in (None, inode)


def probed(server: Server, probe: Probe, tick: int, limits: Limits) -> Server:
    """One look at the ladder's upper rungs. The first after a gap may tell what was found before it: it is left out.

    Args:
        tick: the last heartbeat.
    """
    if server.blind or (tick and probe.t - tick > APART_NS):
        return replace(server, blind=False)
    ooms = server.ooms
    if not ooms or (ooms[-1].host, ooms[-1].cgroup) != (probe.oom_host, probe.oom_cgroup):
        ooms = (*ooms, Oom(probe.t, probe.oom_host, probe.oom_cgroup))[-OOMS_KEPT:]
    cases, proofs = server.cases, server.proofs
    if probe.health is not None and not _another(server, probe):
        proof = Proof(probe.t, f"/health answered {probe.health}", "health")
        proofs = noted(proofs, proof)
        if cases:
            cases = narrowed(cases, proof)
    before, heard = server, bool(probe.listens)
    server = replace(
        server,
        ooms=ooms,
        proofs=proofs,
        cases=cases,
        mute=server.mute + 1 if probe.health is None and probe.error == "deadline" else 0,
        afar=not heard and afar.is_afar(server, probe),
        remote=probe.listens is None and probe.owner is None,
        socket=(probe.inode, probe.owner) if probe.inode and probe.owner else server.socket,
        listened=Proof(probe.t, "it listened", "socket") if heard else server.listened,
        refused_at=0 if heard else server.refused_at,
        unheard=0 if heard else server.unheard,
        inode=(probe.inode if heard else 0) or server.inode,
    )
    if cases:
        server = _told_of_memory(server, probe)
    if heard:
        server = _heard(server, probe) if cases else server
        server = _another_socket(server, before, probe)
    elif probe.listens is False and not server.afar:
        return _unheard(server, probe)
    return afar.probed(server, probe, limits)


def _told_of_memory(server: Server, probe: Probe) -> Server:
    """The first counts after an end. Those of a successor's cgroup say nothing of it."""
    for case in server.cases[-4:]:
        if case.exit is not None and case.oom_after is None and probe.t >= case.dead_at:
            same = case.main is not None and server.main is not None and case.main.pid == server.main.pid
            after = Oom(probe.t, probe.oom_host, probe.oom_cgroup if same else None)
            server = change(server, case, oom_after=after)
    return server


def _sign(old: Sign | None, sample: Sample, *, stopped: bool) -> Sign:
    if old is not None and sample.t - old.at > APART_NS:
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


def _frozen(server: Server, sign: Sign, now: int, limits: Limits) -> tuple[int, str]:
    """Since when the process does not run, and the word for what shows it; 0 when it runs.

    Without state T it must not move though there is work: /health was asked and is silent. Threads that sleep at a
    place of their own, or a child or GPU that works, show that it waits for something and could run.
    """
    if sign.stopped_since:
        return (sign.stopped_since, "stopped") if now - sign.stopped_since >= limits.frozen else (0, "")
    since = sign.still_since
    if not since or now - since < limits.still or server.mute < 2:
        return 0, ""
    if _sleeps(server, since) or busy(server.work, since, now, asleep=False):
        return 0, ""  # in state D it may be held by a freezer of the first version
    return since, "still"


def _sleeps(server: Server, since: int) -> bool:
    """Whether every thread was read since then, and sleeps elsewhere than where a freezer would hold it."""
    read = server.threads
    if read is None or read.t < since or server.main is None or read.pid != server.main.pid:
        return False
    return bool(read.threads) and all(
        state == "S" and wchan and not any(word in wchan for word in FREEZERS) for _, _, state, _, wchan in read.threads
    )


def _waiting(server: Server) -> Iterator[str]:
    """Who waits for it, beside /health."""
    work = server.work
    if server.in_flight:
        yield f"{len(server.in_flight)} request{'s' * (len(server.in_flight) > 1)} of clients in flight"
    if work.canary is not None and not work.canary.first_at:
        yield "a canary was asked, and got no token"
    if work.silent_from:
        yield "its scheduler was asked, and has not answered"


def _heard(server: Server, probe: Probe) -> Server:
    """It listens: a deaf one is so no longer, unless somebody else owns the socket."""
    if probe.owner is not None and server.main is not None and probe.owner != server.main.pid:
        return server
    case = open_one(server)
    if case is None or case.exit is not None or case.shown in sights.PROBE_RUNGS:
        return server
    unseen = server.main is None and case.family == "STOPPED"  # of a process of another user the socket alone tells
    if unseen or (case.family == "DEAF" and server.lives):
        return change(server, case, until=probe.t)
    return server


def _another_socket(server: Server, before: Server, probe: Probe) -> Server:
    """Of a process that cannot be seen, another LISTEN socket shows that another process took its place.

    Not so where it was seen not to listen: that is a stop already, and this is its end.
    """
    seen = server.main is not None or probe.owner is not None or before.listened is None
    if seen or probe.inode is None or before.inode in (0, probe.inode):
        return server
    if server.planned_at or open_one(before) is not None:
        return server
    dead_at = before.unheard_since if before.unheard else probe.t
    told = "its LISTEN socket gave way to another one between two looks; its process is not observable from here"
    return open_case(server, "RESTARTED", dead_at, probe.t, alive=before.listened, until=probe.t, evidence=(told,))


def _unheard(server: Server, probe: Probe) -> Server:
    since = server.unheard_since if server.unheard else probe.t
    server = replace(server, unheard=server.unheard + 1, unheard_since=since)
    if server.unheard < UNHEARD or server.listened is None or open_one(server) is not None or server.planned_at:
        return server
    dead_at = min(since, server.refused_at or since)
    if server.main is not None and server.lives and server.sign is not None and server.sign.at > since:
        seen = ["no LISTEN socket in two looks and more, while its process lives"]
        if probe.established is not None:
            seen.append(f"{probe.established} ESTABLISHED connection{'' if probe.established == 1 else 's'} remain")
        alive = _last_open(server, dead_at)
        return open_case(server, "DEAF", dead_at, probe.t, alive=alive, evidence=tuple(seen))
    if server.main is None or server.lives:  # another user's process: its end cannot be seen; or not seen since
        what = "was not seen since" if server.main else "is not observable"
        gone = f"no LISTEN socket in two looks and more; its process {what}"
        return open_case(server, "STOPPED", dead_at, probe.t, evidence=(gone,))
    return server


def _last_open(server: Server, at: int) -> Proof:
    """For a deaf server: the last look that found it listening. That its process lives proves nothing here."""
    assert server.listened is not None
    heard = [p for p in server.proofs if p.by == "health" and p.at <= at]
    return max((server.listened, *heard), key=lambda p: p.at) if server.listened.at <= at else Proof(at, "")
