"""A crash loop is one stop: each life after it that ends before the server answered is counted with it.

That a successor is there brings nobody an answer. A stop with a successor lasts until the server answers again, and a
successor that ends before that makes no second stop.

An example, told as RESTARTED::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"probe","t":4.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"event","t":5.9e9,"what":"exit","name":"a","at":5.8e9,"pid":7,"incarnation":"i-7","status":9}
    {"kind":"event","t":6.1e9,"what":"found","name":"a","at":6e9,"pid":9,"incarnation":"i-9"}
    {"kind":"event","t":8.1e9,"what":"exit","name":"a","at":8e9,"pid":9,"incarnation":"i-9","status":256}
    {"kind":"event","t":8.6e9,"what":"found","name":"a","at":8.5e9,"pid":11,"incarnation":"i-11"}
"""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.stops.state.case import Case, Loop
from seatrial.stops.state.cases import change, open_one
from seatrial.stops.state.families import ENDED_MAIN
from seatrial.stops.state.incarnations import Exit, Main
from seatrial.stops.state.server import Server

ENDS_KEPT = 8
"""Different ends that are told apart."""


def looping(server: Server) -> Case | None:
    """The stop that still lasts and whose successor is the main process: that has not answered yet."""
    case, main = open_one(server), server.life.main
    if case is None or main is None or case.family not in ENDED_MAIN or case.of_child:
        return None
    new = case.successor
    return case if new is not None and _same(new, main) and not _same(new, case.loop.main) else None


def ended(server: Server, case: Case, end: Exit, boot_offset: int | None) -> Server:
    """One more life has ended before it answered."""
    old, main = case.loop, case.successor
    assert main is not None
    lasted = max(end.at - main.started_at(boot_offset), 0)
    new = Loop(
        deaths=old.deaths + 1,
        at=end.at,
        main=main,
        shortest=min(old.shortest or lasted, lasted),
        longest=max(old.longest, lasted),
        latest=end.status,
        ends=_with(old.ends, end.status),
    )
    return change(server, case, loop=new)


def told_again(server: Server, case: Case, end: Exit) -> Server:
    """A second report of the same end, which may know the status."""
    old = case.loop
    if end.status is None or old.latest is not None:
        return server
    return change(server, case, loop=replace(old, latest=end.status, ends=_with(old.ends - {None}, end.status)))


def _same(one: Main, other: Main | None) -> bool:
    """Whether two reports are of one process: the keeper knows the pid alone."""
    if other is None or one.pid != other.pid:
        return False
    return not (one.incarnation and other.incarnation) or one.incarnation == other.incarnation


def _with(ends: frozenset[int | None], status: int | None) -> frozenset[int | None]:
    return ends if len(ends) >= ENDS_KEPT else ends | {status}
