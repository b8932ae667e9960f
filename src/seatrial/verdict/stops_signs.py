"""The part of the fold that reads samples and probes: FROZEN, DEAF, and stops seen by HTTP alone."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import Probe, Sample
from seatrial.verdict.stops_cases import OOMS_KEPT, change, lived, open_case, open_one
from seatrial.verdict.stops_state import SECOND, Case, Oom, Proof, Server, Sign

FROZEN_NS = 2 * SECOND
"""Stopped for this long, by samples, it is frozen: a debugger's or a shell's short stop is not."""
STILL_NS = 3 * SECOND
SEEN = {
    "stopped": "state T in every sample, no CPU time used",
    "still": "no CPU time and no context switch while requests were in flight and /health was silent",
}
UNHEARD = 2
"""Probes in a row without a LISTEN socket that make a living server deaf."""
REFUSED = 3
"""Refused probes in a row that make a server stopped of which nothing but HTTP can be seen."""


def sampled(server: Server, sample: Sample) -> Server:
    """One reading of the main process; readings of others bear on no verdict yet."""
    if server.main is None or not server.lives or sample.pid != server.main.pid:
        return server
    stopped = sample.state in ("T", "t")
    sign = _sign(server.sign, sample, stopped=stopped)
    server = replace(server, sign=sign)
    case = open_one(server)
    if case is not None and case.family == "FROZEN" and (stopped or sign.still_since):
        return change(server, case, bad_at=sample.t)
    since, shown = _frozen(server, sign, sample.t)
    if since and case is None and not server.planned_at:
        return open_case(server, "FROZEN", since, sample.t, bad_at=sample.t, evidence=(SEEN[shown],), shown=shown)
    if stopped or sample.state in ("Z", "X"):
        return server
    return lived(server, sample.t, f"its process, in state {sample.state}", "process")


def probed(server: Server, probe: Probe) -> Server:
    """One look at the ladder's upper rungs."""
    server = replace(
        server,
        ooms=(*server.ooms, Oom(probe.t, probe.oom_host, probe.oom_cgroup))[-OOMS_KEPT:],
        mute=server.mute + 1 if probe.health is None and probe.error == "deadline" else 0,
        remote=probe.listens is None and probe.owner is None,
    )
    for case in server.cases:
        if case.exit is not None and case.oom_after is None and probe.t >= case.dead_at:
            server = change(server, case, oom_after=server.ooms[-1])
    another = probe.owner is not None and server.main is not None and probe.owner != server.main.pid
    if probe.health is not None and not another:
        server = lived(server, probe.t, f"/health answered {probe.health}", "health")
    if probe.listens is None:
        return _from_afar(server, probe)
    return _heard(server, probe) if probe.listens else _unheard(server, probe)


def _sign(old: Sign | None, sample: Sample, *, stopped: bool) -> Sign:
    still = (
        old is not None
        and sample.cpu_ns is not None
        and sample.switches is not None
        and (old.cpu_ns, old.switches) == (sample.cpu_ns, sample.switches)
    )
    return Sign(
        at=sample.t,
        state=sample.state,
        cpu_ns=sample.cpu_ns,
        switches=sample.switches,
        stopped_since=((old.stopped_since if old else 0) or sample.t) if stopped else 0,
        still_since=((old.still_since or sample.t) if old else 0) if still else 0,
    )


def _frozen(server: Server, sign: Sign, now: int) -> tuple[int, str]:
    """Since when the process does not run, and the word for what shows it; 0 when it runs.

    Without state T it must not move though there is work: no sign from it, none from /health, and somebody waits.
    """
    if sign.stopped_since:
        return (sign.stopped_since, "stopped") if now - sign.stopped_since >= FROZEN_NS else (0, "")
    waiting = any(sent_at <= sign.still_since for sent_at in server.in_flight.values())
    if sign.still_since and now - sign.still_since >= STILL_NS and server.mute >= 2 and waiting:
        return sign.still_since, "still"
    return 0, ""


def _heard(server: Server, probe: Probe) -> Server:
    case = open_one(server)
    if case is not None and case.family == "DEAF" and case.exit is None and server.lives:
        server = change(server, case, until=probe.t)
    return replace(server, listened=Proof(probe.t, "it listened", "socket"), refused_at=0, unheard=0, unheard_since=0)


def _unheard(server: Server, probe: Probe) -> Server:
    since = server.unheard_since or probe.t
    server = replace(server, unheard=server.unheard + 1, unheard_since=since)
    if server.unheard < UNHEARD or server.listened is None or open_one(server) is not None or server.planned_at:
        return server
    dead_at = min(since, server.refused_at or since)
    if server.main is not None and server.lives:
        seen = "no LISTEN socket in two looks and more, while its process lives"
        return open_case(server, "DEAF", dead_at, probe.t, alive=_last_open(server, dead_at), evidence=(seen,))
    if server.main is None:  # another user's process: its end cannot be seen
        seen = "no LISTEN socket in two looks and more; its process is not observable"
        return open_case(server, "STOPPED", dead_at, probe.t, evidence=(seen,))
    return server


def _from_afar(server: Server, probe: Probe) -> Server:
    """HTTP alone tells: refused again and again after it has answered is a stop of unknown kind."""
    case = open_one(server)
    if probe.health is not None:
        if case is not None and server.main is None:
            server = change(server, case, until=probe.t)
        return replace(server, listened=Proof(probe.t, "/health answered", "health"), unheard=0, unheard_since=0)
    if probe.error != "refused":
        return server
    since = server.unheard_since or probe.t
    server = replace(server, unheard=server.unheard + 1, unheard_since=since)
    if server.unheard < REFUSED or case is not None or server.main is not None or server.listened is None:
        return server
    if server.planned_at:
        return server
    seen = f"connections refused in {REFUSED} probes and more; its process is not observable from here"
    return open_case(server, "STOPPED", since, probe.t, evidence=(seen,))


def _last_open(server: Server, at: int) -> Proof:
    """For a deaf server: the last look that found it listening. That its process lives proves nothing here."""
    assert server.listened is not None
    heard = [p for p in server.proofs if p.by == "health" and p.at <= at]
    return max((server.listened, *heard), key=lambda p: p.at) if server.listened.at <= at else Proof(at, "")


def rung_of(case: Case) -> str:
    """The first broken rung of the ladder."""
    if case.family == "DEAF":
        return "the LISTEN socket"
    if case.family == "FROZEN":
        return "the process is there and does not run"
    if case.family == "UNOBSERVED":
        return ""
    return "the process itself" if case.main is not None else "the connection: refused"
