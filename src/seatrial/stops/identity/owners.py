"""TWO OWNERS: two servers that have nothing to do with each other own the port, and clients meet either. By probes.

With SO_REUSEPORT an old server that lives on beside the new one takes every second connection, and nobody is told.
Workers of one master are one server, each with a LISTEN socket of its own: the recorder tells who belongs to whom. A
server that takes over from another in order has the port with it for a moment.

An example, told as TWO OWNERS::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"probe","t":4e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"probe","t":5e9,"name":"a","listens":true,"owner":7,"owners":[7,9],"strangers":[9],"health":200}
    {"kind":"probe","t":12e9,"name":"a","listens":true,"owner":7,"owners":[7,9],"strangers":[9],"health":200}
    {"kind":"probe","t":19e9,"name":"a","listens":true,"owner":7,"owners":[7,9],"strangers":[9],"health":200}
    {"kind":"probe","t":26e9,"name":"a","listens":true,"owner":7,"owners":[7,9],"strangers":[9],"health":200}
"""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND, Probe
from seatrial.stops.state.case import Statement
from seatrial.stops.state.cases import change, lasting, open_case, open_one
from seatrial.stops.state.incarnations import Proof
from seatrial.stops.state.server import Rivals, Server

LASTS_NS = 15 * SECOND
"""A server that takes over from another, and tells it to end once it is ready itself, has the port alone by then."""
SHOWN = 4
"""Other owners that are named."""


def probed(server: Server, probe: Probe, before: Proof | None) -> Server:
    """Who owns the port, by one look at it.

    Args:
        before: the look before it that found somebody listening.
    """
    rivals = server.rivals
    if probe.strangers:
        return _shared(server, probe, probe.strangers, rivals.alone or before)
    if probe.strangers is None or (probe.listens and probe.owner is None):  # whose the port is, is not known yet
        return server if rivals.alone or before is None else replace(server, rivals=replace(rivals, alone=before))
    if rivals.alone is None:
        return server
    told = lasting(server, "TWO OWNERS")
    if told is not None:
        server = change(server, told, until=probe.t, evidence=(*told.evidence, "then one of them was gone"))
    return replace(server, rivals=Rivals())


def _shared(server: Server, probe: Probe, strangers: tuple[int, ...], before: Proof | None) -> Server:
    """The port has two owners: told once that has lasted, and no other program that has the port is told already."""
    rivals = server.rivals
    if not rivals.since:
        alone = Proof(probe.t if before is None else before.at, "nobody else owned the port", "socket")
        return replace(server, rivals=Rivals(probe.t, alone))
    stop = open_one(server)
    impostor = stop is not None and stop.family == "IMPOSTOR"
    if probe.t - rivals.since < LASTS_NS or impostor or lasting(server, "TWO OWNERS") is not None:
        return server
    others = ", ".join(f"pid {pid}" for pid in strangers[:SHOWN])
    seen = f"the port is owned by pid {probe.owner}, and by {others} of another server: clients meet either"
    return open_case(
        server,
        "TWO OWNERS",
        rivals.since,
        probe.t,
        alive=rivals.alone,
        evidence=(seen,),
        suspects=frozenset(),
        child=None,
        look=None,
        statement=Statement(cause="UNKNOWN: who started the second one is not told by their sockets"),
    )
