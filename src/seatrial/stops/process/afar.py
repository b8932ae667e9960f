"""What /health alone tells, where the process that serves cannot be seen.

It is on another host, of another user, behind a program that hands connections on, or at an address without a LISTEN
socket of ours (a container's, a rule of the firewall). A server that answered and then answers nothing that is HTTP
has stopped, and how is not observable; one to which there is no way is unobserved, and no stop.
"""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND, Fact, Probe
from seatrial.stops.evidence.programs import forwards
from seatrial.stops.evidence.sights import PROBE_RUNGS, words
from seatrial.stops.state.cases import (
    change,
    open_case,
    open_one,
)
from seatrial.stops.state.limits import IN_A_ROW, Limits
from seatrial.stops.state.server import Case, Proof, Server
from seatrial.stops.state.work import ILL, Told

NOBODY: frozenset[str] = frozenset()


def is_afar(server: Server, probe: Probe) -> bool:
    """Whether it is judged by HTTP alone: it answers, and no socket of this host listens there, as far as is seen."""
    return server.afar or (probe.health is not None and server.listened is None)


def probed(server: Server, probe: Probe, limits: Limits) -> Server:
    """Judge by what became of the question to /health; of a process that is known to have ended by nothing more."""
    if probe.health is not None:
        return _answered(server, probe)
    if server.main is not None and not server.lives:
        return server
    if probe.error in PROBE_RUNGS:
        return _closed(_found(server, probe.t), probe)
    return _lost(server, probe, limits) if probe.error in ("unreachable", "deadline") else server


def _answered(server: Server, probe: Probe) -> Server:
    """It answers: whatever was held against it is over. One that says that it is not well has not come back yet."""
    if server.cases:
        server = _found(server, probe.t)
    server = replace(server, answered=Proof(probe.t, f"/health answered {probe.health}", "health"), closed=0, lost=0,
                     closed_by=NOBODY)  # fmt: skip
    if (probe.health or 0) >= ILL and server.work.well_at:
        return server
    for case in server.cases[-4:]:
        ours = case.shown in PROBE_RUNGS or (case.main is None and case.family == "STOPPED")
        if ours and case.until is None and case.exit is None and case.family != "WEDGED":
            server = change(server, case, until=probe.t)
            server = replace(server, work=replace(server.work, well_at=0, ill_from=0))  # who answers may be another
    return server


def _closed(server: Server, probe: Probe) -> Server:
    """One more probe that proves that no server answers. Of a process that is seen only a refusal says more."""
    since = server.closed_since if server.closed else probe.t
    by = server.closed_by | {probe.error} if server.closed else frozenset({probe.error})
    server = replace(server, closed=server.closed + 1, closed_since=since, closed_at=probe.t, closed_by=by)
    if server.closed < IN_A_ROW or server.answered is None or server.planned_at or open_one(server) is not None:
        return server
    word = next(word for word in PROBE_RUNGS if word in by)
    seen = f"{words(by)} in {IN_A_ROW} probes and more"
    main, alive = server.main, server.answered
    if main is None or forwards(main):
        behind = "its process is not observable from here"
        if main is not None:
            behind = f"{main.facts[Fact.EXE].rsplit('/', 1)[-1]} (pid {main.pid}) lives, and only hands connections on"
        return open_case(server, "STOPPED", since, probe.t, main=None, alive=alive, look=None, shown=word,
                         evidence=(f"{seen}; {behind}",))  # fmt: skip
    if word != "refused" or probe.listens or server.sign is None or server.sign.at <= since:
        return server  # it lives, and takes connections: a WEDGED, where that lasts
    told = f"{seen}, while its process lives; its LISTEN socket is not observable from here"
    return open_case(server, "DEAF", since, probe.t, alive=alive, shown=word, evidence=(told,))


def _lost(server: Server, probe: Probe, limits: Limits) -> Server:
    """No way to it, or silence of a server of which nothing else is seen: whether it works nobody can tell."""
    lasting = _lasting(server)
    if lasting is not None:
        return change(server, lasting, dead_at=probe.t)
    seen = cause = ""
    if probe.error == "unreachable":
        server = replace(server, lost=server.lost + 1)
        if server.lost >= IN_A_ROW:
            seen = f"no way to it in {IN_A_ROW} probes and more: its name was not found, or no route led there"
            cause = "the way to it: its name was not found, or no route led there"
    elif _unseen(server) and server.mute * SECOND >= limits.wedged_unseen:
        seen = f"/health silent for {server.mute} s, and nobody waits for a token"
        cause = "nothing but /health can be seen of it, and that is silent: a long prefill looks the same"
    alive = server.answered
    if not seen or alive is None or server.planned_at or open_one(server) is not None:
        return server
    return open_case(server, "UNOBSERVED", probe.t, probe.t, alive=alive, evidence=(seen,), suspects=frozenset(),
                     shown="lost", told=Told(cause=cause))  # fmt: skip


def _found(server: Server, at: int) -> Server:
    """Something is heard of it again."""
    lasting = _lasting(server)
    return server if lasting is None else change(server, lasting, dead_at=at, until=at)


def _lasting(server: Server) -> Case | None:
    for case in reversed(server.cases):
        if case.shown == "lost" and case.until is None:
            return case
    return None


def _unseen(server: Server) -> bool:
    """Whether nothing but /health tells of it. Where a canary or a client waits, their silence is judged."""
    work = server.work
    waits = bool(work.flying) or (work.canary is not None and not work.canary.first_at)
    return not waits and (server.main is None or forwards(server.main))
