"""What /health alone tells, where the process that serves cannot be seen.

The process is on another host, of another user, behind a program that hands connections on, or at an address without
a LISTEN socket of this host (a container's address, a rule of the firewall). A server that answered and then answers
nothing that is HTTP has stopped: a STOPPED whose kind is not observable. A server to which there is no way is
UNOBSERVED, and no stop. So is a server of which only a silent /health is seen: a long prefill looks the same.
"""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND, Fact, Probe
from seatrial.stops.evidence.programs import forwards
from seatrial.stops.process import handover
from seatrial.stops.state.case import Case, Statement
from seatrial.stops.state.cases import change, newest, open_case, open_one
from seatrial.stops.state.incarnations import Proof
from seatrial.stops.state.limits import IN_A_ROW, Limits
from seatrial.stops.state.server import Pulse, Server
from seatrial.stops.state.sights import PROBE_RUNGS, Sight, probe_words
from seatrial.stops.state.work import ILL
from seatrial.stops.work import wellness


def questioned(pulse: Pulse, probe: Probe, answered: Proof | None) -> Pulse:
    """What became of one more question to /health.

    Args:
        answered: the answer, where an answer counts.
    """
    if answered is not None:
        return Pulse(answered)
    mute = pulse.mute + 1 if probe.health is None and probe.error == "deadline" else 0
    since = pulse.mute_since if mute > 1 else (probe.t if mute else 0)
    return pulse if mute == pulse.mute else replace(pulse, mute=mute, mute_since=since)


def blinded(pulse: Pulse) -> Pulse:
    """Nobody looked for a while: probes before the gap and after it are no probes in a row."""
    return replace(pulse, mute=0, closed=0, lost=0)


def probed(server: Server, probe: Probe, limits: Limits) -> Server:
    """Judge by what became of the question to /health. A process that is known to have ended is not judged again."""
    if probe.health is not None:
        return _back(server, probe) if server.cases else server
    if server.life.main is not None and not server.life.lives:
        return server
    if probe.error in PROBE_RUNGS:
        return _closed(_found(server, probe.t), probe)
    return _lost(server, probe, limits) if probe.error in ("unreachable", "deadline") else server


def _with(server: Server, pulse: Pulse) -> Server:
    return replace(server, life=replace(server.life, pulse=pulse))


def _back(server: Server, probe: Probe) -> Server:
    """The server answers, so that whatever was held against it is over. A server that says it is ill is not back."""
    server = _found(server, probe.t)
    if (probe.health or 0) >= ILL and server.work.wellness.well_at:
        return server
    for case in newest(server):
        if case.heir is not None and case.until is None and probe.t > case.dead_at:
            said = replace(case.statement, withdrawn=handover.quiet(case))
            server = change(server, case, until=probe.t, statement=said)
        ours = case.shown in PROBE_RUNGS or (case.main is None and case.family in ("STOPPED", "RESTARTED"))
        if ours and case.until is None and case.exit is None and case.family != "WEDGED":
            server = change(server, case, until=probe.t)
            server = replace(server, work=wellness.forgotten(server.work))  # who answers may be another
    return server


def _closed(server: Server, probe: Probe) -> Server:
    """One more probe that proves that no server answers. Where the process is seen, only a refusal says more."""
    life, old = server.life, server.life.pulse
    since = old.closed_since if old.closed else probe.t
    by = old.closed_by | {probe.error} if old.closed else frozenset({probe.error})
    new = replace(old, closed=old.closed + 1, closed_since=since, closed_at=probe.t, closed_by=by)
    server = _with(server, new)
    if new.closed < IN_A_ROW or new.answered is None or life.planned_at or open_one(server) is not None:
        return server
    word = next(Sight(word) for word in PROBE_RUNGS if word in by)
    seen = f"{probe_words(by)} in {IN_A_ROW} probes and more"
    main, alive = life.main, new.answered
    if main is None or forwards(main):
        behind = "its process is not observable from here"
        if main is not None:
            behind = f"{main.facts[Fact.EXE].rsplit('/', 1)[-1]} (pid {main.pid}) lives, and only hands connections on"
        told = f"{seen}; {behind}"
        return open_case(
            server, "STOPPED", since, probe.t, main=None, alive=alive, look=None, shown=word, evidence=(told,)
        )
    sign = life.body.sign
    if word is not Sight.REFUSED or probe.listens or sign is None or sign.at <= since:
        return server  # it lives, and takes connections: a WEDGED, where that lasts
    told = f"{seen}, while its process lives; its LISTEN socket is not observable from here"
    return open_case(server, "DEAF", since, probe.t, alive=alive, shown=word, evidence=(told,))


def _lost(server: Server, probe: Probe, limits: Limits) -> Server:
    """There is no way to the server, or all that is seen of it is silent: nobody can tell whether it works."""
    lasting = _lasting(server)
    if lasting is not None:
        return change(server, lasting, dead_at=probe.t)
    seen = cause = ""
    pulse, flow = server.life.pulse, server.work.flow
    served = Proof(flow.progress_at, flow.progress, "token")
    silent = probe.t - max(pulse.mute_since, served.at) if pulse.mute else 0
    if probe.error == "unreachable":
        pulse = replace(pulse, lost=pulse.lost + 1)
        server = _with(server, pulse)
        if pulse.lost >= IN_A_ROW:
            seen = f"no way to it in {IN_A_ROW} probes and more: its name was not found, or no route led there"
            cause = "the way to it: its name was not found, or no route led there"
    elif _unseen(server) and silent >= limits.wedged_unseen:
        seen = f"/health silent for {silent / SECOND:.0f} s, and nobody waits for a token"
        cause = "nothing but /health can be seen of it, and that is silent: a long prefill looks the same"
    alive = pulse.answered and max(pulse.answered, served, key=lambda proof: proof.at)
    if not seen or alive is None or server.life.planned_at or open_one(server) is not None:
        return server
    return open_case(
        server,
        "UNOBSERVED",
        probe.t,
        probe.t,
        alive=alive,
        evidence=(seen,),
        suspects=frozenset(),
        shown=Sight.LOST,
        statement=Statement(cause=cause),
    )


def _found(server: Server, at: int) -> Server:
    """Something is heard of the server again, so that a gap for want of a way to it is over."""
    lasting = _lasting(server)
    return server if lasting is None else change(server, lasting, dead_at=at, until=at)


def _lasting(server: Server) -> Case | None:
    """The gap for want of a way to the server that still lasts, if there is one."""
    for case in reversed(server.cases):
        if case.shown is Sight.LOST and case.until is None:
            return case
    return None


def _unseen(server: Server) -> bool:
    """Whether nothing but /health tells of the server. Where a canary or a client waits, their silence is judged.

    A process that never worked as an engine does may hand on, as a forwarder does, to what cannot be seen.
    """
    flow, canary, main = server.work.flow, server.work.asked.canary, server.life.main
    waits = bool(flow.flying) or (canary is not None and not canary.first_at)
    unworked = not server.work.engine_seen and not server.work.waits.waits_from
    return not waits and (main is None or forwards(main) or unworked)
