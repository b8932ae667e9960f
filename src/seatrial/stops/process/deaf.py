"""DEAF: the process lives, and listens no more. The reader of probes.

The LISTEN socket is read from the kernel's tables once a second. Of a process that cannot be seen (another user's)
the socket alone tells: a socket that is gone is a STOPPED, and a socket with another inode is a RESTARTED. Where no
LISTEN socket can be seen either, HTTP tells (``process.afar``).

An example, told as DEAF::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"probe","t":4.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"probe","t":5.2e9,"name":"a","listens":false,"error":"refused","established":2}
    {"kind":"sample","t":6.1e9,"name":"a","pid":7,"incarnation":"i-7","state":"S","cpu_ns":300,"switches":9}
    {"kind":"probe","t":6.2e9,"name":"a","listens":false,"error":"refused","established":2}
    {"kind":"sample","t":7.1e9,"name":"a","pid":7,"incarnation":"i-7","state":"S","cpu_ns":400,"switches":9}
"""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND, Probe
from seatrial.stops.identity import owners
from seatrial.stops.process import afar
from seatrial.stops.state.cases import change, newest, open_case, open_one, proved
from seatrial.stops.state.incarnations import Oom, Proof
from seatrial.stops.state.memory import counted
from seatrial.stops.state.server import Address, Ear, Life, Server, State
from seatrial.stops.state.sights import PROBE_RUNGS
from seatrial.stops.state.work import ILL

UNHEARD = 2
"""Probes in a row without a LISTEN socket that make a living server deaf."""
AFTER_GAP_NS = 3 * SECOND
"""A probe so long after the last heartbeat may tell what was found before the gap between them."""


def probed(server: Server, probe: Probe, state: State) -> Server:
    """One look at the ladder's upper rungs. The first look after a gap is left out."""
    if server.address.blind or (state.tick and probe.t - state.tick > AFTER_GAP_NS):
        return replace(server, address=replace(server.address, blind=False))
    before, heard = server, bool(probe.listens)
    server = owners.probed(_noted(server, probe, heard=heard), probe, before.life.ear.listened)
    if server.cases:
        server = _told_of_memory(server, probe)
    if heard:
        server = _heard(server, probe) if server.cases else server
        server = _another_socket(server, before, probe)
    elif probe.listens is False and not server.address.afar:
        return _unheard(server, probe)
    return afar.probed(server, probe, state.limits)


def refused(life: Life, at: int) -> Life:
    """A client's connection was refused: of several since the socket was last heard the first counts."""
    return life if life.ear.refused_at else replace(life, ear=replace(life.ear, refused_at=at))


def blinded(server: Server) -> Server:
    """Nobody looked for a while: probes before the gap and after it are no probes in a row."""
    life = server.life
    life = replace(life, ear=replace(life.ear, unheard=0), pulse=afar.blinded(life.pulse))
    return replace(server, life=life, address=replace(server.address, blind=True))


def _noted(server: Server, probe: Probe, *, heard: bool) -> Server:
    """What a probe tells of the socket, of kills for memory and of life, before anything is judged by it."""
    life, address, health = server.life, _addressed(server, probe, heard=heard), probe.health
    proof = None if health is None else Proof(probe.t, f"/health answered {health}", "health", health < ILL)
    by_http = heard or probe.listens is None or address.afar  # else the socket tells, and it tells more
    ear = Ear(Proof(probe.t, "it listened", "socket")) if heard else life.ear
    life = replace(life, ear=ear, pulse=afar.questioned(life.pulse, probe, proof if by_http else None))
    memory = counted(server.memory, probe)
    proofs = () if proof is None or _another(server, probe) else (proof,)
    if address is not server.address or memory is not server.memory:
        server = replace(server, address=address, memory=memory)
    return proved(server, proofs, life, server.requests)


def _addressed(server: Server, probe: Probe, *, heard: bool) -> Address:
    """What a probe tells of the address; the same object where it tells nothing new."""
    old = server.address
    socket = (probe.inode, probe.owner) if probe.inode and probe.owner else old.socket
    inode = (probe.inode if heard else 0) or old.inode
    silent = server.life.ear.listened is None
    far = not heard and (old.afar or (probe.health is not None and silent))
    remote = probe.listens is None and probe.owner is None
    shared = (len(probe.owners) > 1 and len(set(probe.owners)) > 1) if heard else old.shared
    known = socket == old.socket and inode == old.inode
    if known and far == old.afar and remote == old.remote and shared == old.shared:
        return old
    return Address(socket, inode, far, remote, shared)


def _another(server: Server, probe: Probe) -> bool:
    """Whether who answers may be another process than the main one: the owner is, or is not known of a new socket."""
    main = server.life.main
    if main is None:
        return False
    if probe.owner is not None:
        return probe.owner != main.pid
    inode, owner = server.address.socket
    return owner == main.pid and probe.inode not in (None, inode)


def _told_of_memory(server: Server, probe: Probe) -> Server:
    """The first counts after an end. Those of a successor's cgroup say nothing of the end."""
    main = server.life.main
    for case in newest(server):
        if case.exit is not None and case.oom_after is None and probe.t >= case.dead_at:
            same = case.main is not None and main is not None and case.main.pid == main.pid
            after = Oom(probe.t, probe.oom_host, probe.oom_cgroup if same else None)
            server = change(server, case, oom_after=after)
    return server


def _heard(server: Server, probe: Probe) -> Server:
    """The server listens: a deaf one is so no longer, unless somebody else owns the socket."""
    main = server.life.main
    if probe.owner is not None and main is not None and probe.owner != main.pid:
        return server
    case = open_one(server)
    if case is None or case.exit is not None or case.shown in PROBE_RUNGS:
        return server
    unseen = main is None and case.family == "STOPPED"  # of a process of another user the socket alone tells
    if (unseen and _answers(probe)) or (case.family == "DEAF" and server.life.lives):
        return change(server, case, until=probe.t)
    return server


def _answers(probe: Probe) -> bool:
    """Whether the server answers, and not that it is not well: only then it is back."""
    return probe.health is not None and probe.health < ILL


def _another_socket(server: Server, before: Server, probe: Probe) -> Server:
    """A process that cannot be seen has another LISTEN socket: another process took its place.

    Where two looks found no LISTEN socket before, that is a stop already, and this is the stop's end.
    """
    ear = before.life.ear
    seen = server.life.main is not None or probe.owner is not None or ear.listened is None
    if seen or probe.inode is None or before.address.inode in (0, probe.inode):
        return server
    if server.life.planned_at or open_one(before) is not None:
        return server
    dead_at = ear.unheard_since if ear.unheard else probe.t
    told = "its LISTEN socket gave way to another one between two looks; its process is not observable from here"
    back = probe.t if _answers(probe) else None
    return open_case(server, "RESTARTED", dead_at, probe.t, alive=ear.listened, until=back, evidence=(told,))


def _unheard(server: Server, probe: Probe) -> Server:
    """No LISTEN socket: DEAF where the process was seen since, STOPPED where it was not."""
    life, ear = server.life, server.life.ear
    since = ear.unheard_since if ear.unheard else probe.t
    ear = replace(ear, unheard=ear.unheard + 1, unheard_since=since)
    life = replace(life, ear=ear)
    server = replace(server, life=life)
    if ear.unheard < UNHEARD or ear.listened is None or open_one(server) is not None or life.planned_at:
        return server
    dead_at = min(since, ear.refused_at or since)
    sign = life.body.sign
    if life.main is not None and life.lives and sign is not None and sign.at > since:
        seen = ["no LISTEN socket in two looks and more, while its process lives"]
        if probe.established is not None:
            seen.append(f"{probe.established} ESTABLISHED connection{'' if probe.established == 1 else 's'} remain")
        alive = _last_open(server, ear.listened, dead_at)
        return open_case(server, "DEAF", dead_at, probe.t, alive=alive, evidence=tuple(seen))
    if life.main is None or life.lives:  # another user's process: its end cannot be seen; or not seen since
        what = "was not seen since" if life.main else "is not observable"
        gone = f"no LISTEN socket in two looks and more; its process {what}"
        return open_case(server, "STOPPED", dead_at, probe.t, evidence=(gone,))
    return server


def _last_open(server: Server, listened: Proof, at: int) -> Proof:
    """The last look that found a deaf server listening. A live process proves nothing here."""
    heard = [p for p in server.proofs if p.by == "health" and p.at <= at]
    return max((listened, *heard), key=lambda p: p.at) if listened.at <= at else Proof(at, "")
