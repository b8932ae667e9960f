"""LOG STORM: a server writes thousands of lines a second into its log. A notice, and no stop. The reader of paces.

A burst is no storm: a server that starts, or that is asked to tell all, writes many lines at once.

An example, told as LOG STORM::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"log-rate","t":4e9,"name":"a","file":"/log","since":2e9,"lines":8000,"size":640000,"text":"retry 17"}
    {"kind":"log-rate","t":6e9,"name":"a","file":"/log","since":4e9,"lines":8200,"size":656000,"text":"retry 18"}
    {"kind":"log-rate","t":8e9,"name":"a","file":"/log","since":6e9,"lines":8100,"size":648000,"text":"retry 19"}
    {"kind":"log-rate","t":9e9,"name":"a","file":"/log","since":8e9,"lines":3900,"size":312000,"text":"retry 20"}
    {"kind":"clock","t":9.1e9,"w":"recorder","wall_ns":1009e9,"boot_ns":9.1e9,"raw_ns":9.1e9}
"""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND, LogRate
from seatrial.stops.state.case import Statement
from seatrial.stops.state.cases import change, lasting, open_case
from seatrial.stops.state.incarnations import Proof
from seatrial.stops.state.server import Server, State, Storm

STORM = 1_000
"""Lines a second, in each reading of the first five seconds."""
LASTS_NS = 5 * SECOND
OVER_NS = 10 * SECOND
"""A storm that was told is over after so long with fewer: one that pauses is one storm."""
APART_NS = 3 * SECOND
"""If two readings are further apart than this, nobody looked between them."""


def paced(server: Server, line: LogRate, _: State) -> Server:
    """One reading of how fast the log grows."""
    took, old = line.t - line.since, server.storm
    if took <= 0 or line.lines < 0 or line.size < 0:
        return server
    if line.lines * SECOND < STORM * took or (old.since and line.since - old.until > APART_NS):
        if lasting(server, "LOG STORM") is not None and line.t - old.until < OVER_NS:
            return server
        server = _over(server, old)
        old = Storm()
        if line.lines * SECOND < STORM * took:
            return replace(server, storm=old)
    since = old.since or line.since
    storm = Storm(since, line.t, old.lines + line.lines, old.size + line.size)
    server = replace(server, storm=storm)
    if line.t - since < LASTS_NS or lasting(server, "LOG STORM") is not None:
        return server
    alive = Proof(since, "its log was quieter before", "found")
    return open_case(
        server,
        "LOG STORM",
        since,
        line.t,
        alive=alive,
        evidence=(words(storm), *([f"its last line: {line.text}"] if line.text else [])),
        suspects=frozenset(),
        child=None,
        look=None,
        statement=Statement(cause="UNKNOWN: why it writes so much is not told by its pace"),
    )


def words(storm: Storm) -> str:
    """``4,100 lines and 0.3 MB a second``."""
    took = max(1, storm.until - storm.since)
    return f"{round(storm.lines * SECOND / took):,} lines and {storm.size * SECOND / took / 1e6:.1f} MB a second"


def _over(server: Server, storm: Storm) -> Server:
    """The storm that lasted is over; it is told how long it was, and what it came to."""
    case = lasting(server, "LOG STORM")
    if case is None:
        return server
    said = f"{storm.lines:,} lines and {storm.size / 1e6:.1f} MB in {(storm.until - storm.since) / SECOND:.0f} s"
    return change(server, case, until=storm.until, evidence=(*case.evidence, said))
