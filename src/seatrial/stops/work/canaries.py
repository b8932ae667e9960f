"""The reader of what came of each canary that is over: it was answered, it failed, or it was turned away.

An answer of the server's own making that is none (an error, a connection cut) is a failure from the first canary on.
What a question of ours may have brought about (a 4xx, an answer that is no stream) is one only where a canary was
answered before. A deadline is none: such a canary may have queued, and silence is judged elsewhere.
"""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND, Ask
from seatrial.stops.state.limits import LULL_NS
from seatrial.stops.state.work import Canaries, Once, latest

TURNED_AWAY = "busy"
NOT_OFFERED = 501
OF_THE_SERVER = frozenset({"http_5xx", "truncated", "reset", "sse_error"})
"""Ends of a canary that no question of ours explains."""
ONCE_ANSWERED = OF_THE_SERVER | {"http_4xx", "http_other", "empty", "no_terminator", "not_a_stream", "malformed"}
"""Ends that an engine in order does not give to a question that it answered before."""
LATELY = 20
"""So many of the latest canaries are remembered."""
LONGEST_S = 3600
"""No server asks for more time than this."""


def fails(known: Canaries, line: Ask) -> bool:
    """Whether a canary that is over, and got no token, shows a server that does not work."""
    if known.known:
        return line.outcome in ONCE_ANSWERED
    return line.outcome in OF_THE_SERVER and line.status != NOT_OFFERED


def right(old: Canaries, line: Ask) -> Canaries:
    """The canary got a token."""
    return Canaries(known=True, latest=latest(old.latest, Once(line.asked_at, line.ended_at, failed=False), LATELY))


def wrong(old: Canaries, line: Ask) -> Canaries:
    """The canary is over, and got no token."""
    if line.outcome == TURNED_AWAY:
        if old.busy and broken(old, old.busy[-1], line) and line.asked_at > old.promised:
            old = replace(old, row=0, busy=(), promised=0)
        asked = int(line.retry_s * SECOND) if 0 < line.retry_s < LONGEST_S else LONGEST_S * SECOND * (line.retry_s > 0)
        promised = old.promised or line.ended_at + asked
        return replace(old, row=old.row + 1, busy=(*old.busy[:1], line), promised=promised)
    if not fails(old, line):
        return old
    row = latest(old.latest, Once(line.asked_at, line.ended_at, failed=True), LATELY)
    return replace(old, row=old.row + 1, latest=row, failed=line)


def skipped(old: Canaries, at: int) -> Canaries:
    """A canary was due and was not sent: nothing was asked then."""
    return replace(old, skipped_at=at)


def broken(old: Canaries, before: Ask, line: Ask) -> bool:
    """Whether a row of canaries ended with the one before: canaries were due after it, and for long none was sent."""
    return old.skipped_at > before.ended_at and line.asked_at - before.ended_at > LULL_NS


def of_this_life(old: Canaries) -> Canaries:
    """What holds of another incarnation: that this server can be asked."""
    return Canaries(known=old.known)
