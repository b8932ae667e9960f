"""IMPOSTOR: another program owns the port, whether the declared one has ended or lives on beside it.

A program that cannot be told is no other one: then a successor is a restart. What belongs to the same process tree is
no impostor: a launcher that hands its port to its child, or a server that starts anew below its own supervisor.

An example, told as IMPOSTOR::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7","facts":{"exe":"/llama"}}
    {"kind":"probe","t":4.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"event","t":5e9,"what":"exit","name":"a","pid":7,"incarnation":"i-7","status":9}
    {"kind":"probe","t":5.2e9,"name":"a","listens":false,"error":"refused"}
    {"kind":"event","t":6e9,"what":"found","name":"a","pid":9,"incarnation":"i-9","facts":{"exe":"/nc"}}
    {"kind":"probe","t":6.2e9,"name":"a","listens":true,"owner":9,"error":"not-http"}
"""

from __future__ import annotations

from seatrial.records import SECOND, Event, Fact
from seatrial.stops.evidence.programs import another, program_of
from seatrial.stops.state.case import Case
from seatrial.stops.state.cases import change, open_case, proof_before
from seatrial.stops.state.incarnations import Main
from seatrial.stops.state.server import Server

DEEP = 64
"""Steps from a process to its ancestors; a record that lies may lead round in a circle."""


def is_one(server: Server, old: Main, new: Main) -> bool:
    """Whether a new owner of the port is another program than the old one, and no relative of it."""
    return another(old.facts, new.facts) is True and not related(server, old, new)


def related(server: Server, old: Main, new: Main) -> bool:
    """Whether one is a descendant of the other, as far as is known."""
    return old.pid in _ancestors(server, new) or new.pid in _ancestors(server, old)


def usurped(server: Server, case: Case | None, old: Main, new: Main, event: Event) -> Server:
    """The port is another program's now: the stop that lasts becomes an IMPOSTOR, or an IMPOSTOR begins."""
    said = f"the port is owned by {named(new)}; declared was {named(old)}"
    if case is None:
        alive = proof_before(server, event.at, old.found_at, serving=True)
        seen = (said, "the declared one lives")
        return open_case(
            server, "IMPOSTOR", event.at, event.t, main=old, alive=alive, successor=new, evidence=seen, look=None
        )
    gap = (event.at - case.dead_at) / SECOND
    if case.family != "STOPPED":
        said = f"{case.family} for {gap:.1f} s before; {said}"
    elif gap > 0:
        said = f"{said}; it was there {gap:.1f} s after the end"
    return change(server, case, family="IMPOSTOR", successor=new, until=None, evidence=(*case.evidence, said))


def followed(server: Server, case: Case, new: Main, *, ours: bool) -> Server:
    """After an impostor another process owns the port. The stop is over if that process runs the declared program."""
    if case.main is not None and not ours and another(case.main.facts, new.facts) is True:
        return change(server, case, evidence=(*case.evidence, f"then the port was owned by {named(new)}"))
    said = f"the port is owned by {named(new)} again"
    return change(server, case, until=max(new.found_at, case.dead_at), evidence=(*case.evidence, said))


def stranger_ended(server: Server, case: Case) -> Server:
    """The program that had the port without being the declared one has ended: that is no stop of the declared one."""
    return change(server, case, evidence=tuple(dict.fromkeys((*case.evidence, "the other program ended too"))))


def named(main: Main) -> str:
    """A program and its pid."""
    program = program_of(main.facts)
    return f"{program} (pid {main.pid})" if program else f"pid {main.pid}"


def _ancestors(server: Server, main: Main) -> set[int]:
    """The pids above a process, as far as the server's known processes lead."""
    above: set[int] = set()
    parent = _parent(main)
    while parent > 1 and parent not in above and len(above) < DEEP:
        above.add(parent)
        known = server.children.living.get(parent)
        parent = _parent(known) if known else 0
    return above


def _parent(main: Main) -> int:
    """The parent a process had by its fingerprint, else the parent the event named."""
    fact = main.facts.get(Fact.PARENT, "")
    return int(fact) if fact.isascii() and fact.isdecimal() and len(fact) <= 10 else main.parent
