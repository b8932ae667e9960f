"""Helpers: programs that a server runs beside its engine, as a tool for many a request. It answers without them.

A helper may end with an error each time, and the next one comes with the next request: nothing is replaced by that. A
child is known for one by a canary that was asked and answered while no process of the child's program was there.
"""

from __future__ import annotations

from seatrial.stops.evidence.programs import program_of
from seatrial.stops.state.incarnations import TICK, Main
from seatrial.stops.state.server import Children, Server

PROGRAMS_KEPT = 64


def is_one(server: Server, child: Main) -> bool:
    """Whether a child is known for a helper."""
    return program_named(child) in server.children.helpers


def program_named(child: Main) -> str:
    """The program of a child; empty where it is not known."""
    return str(program_of(child.facts) or "")


def with_proof(server: Server, child: Main, boot_offset: int | None) -> frozenset[str]:
    """The known helpers once a child is found: with its program, where a canary was answered without any such."""
    children, main, name = server.children, server.life.main, program_named(child)
    there = any(program_named(other) == name for other in children.living.values() if other.pid != child.pid)
    if not name or there or main is None or len(children.helpers) >= PROGRAMS_KEPT:
        return children.helpers
    since = max(children.gone.get(name, 0), main.found_at)
    until = child.started_at(boot_offset) - TICK
    alone = any(since < asked and over < until for asked, over in server.work.asked.rights)
    return children.helpers | {name} if alone else children.helpers


def with_end(children: Children, child: Main, at: int) -> dict[str, int]:
    """When a process of each program was there last, once a child has ended."""
    name = program_named(child)
    others = [(other, last) for other, last in children.gone.items() if other != name]
    return dict([*others[1 - PROGRAMS_KEPT :], (name, at)]) if name else children.gone
