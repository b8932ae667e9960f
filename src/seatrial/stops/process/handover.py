"""Who has the port after an end: a successor is a new process. One that was there before the end serves on, as heir.

A master whose workers listen on, a worker whose siblings do, a server that hands its port to the next before it ends:
in none of these has anybody restarted. Where the end was in order and the heir answers, the service never stopped.
"""

from __future__ import annotations

import signal

from seatrial.records import Fact
from seatrial.stops.evidence.ends import code_of, number_in, signal_of
from seatrial.stops.state.case import Case
from seatrial.stops.state.incarnations import TICK, Exit, Main


def was_there(case: Case, main: Main, boot_offset: int | None) -> bool:
    """Whether a process had begun while the one that ended is known to have lived."""
    if not main.started_ticks or boot_offset is None or case.exit is None:
        return False
    look = case.look
    seen = look.at if look is not None and look.state not in ("Z", "X") else 0
    lived = min(number_in(case.exit.facts.get(Fact.ALIVE_AT, "")) or seen, case.exit.at)
    return main.started_at(boot_offset) < lived - TICK


def recycled(case: Case, main: Main, *, shared: bool) -> bool:
    """Whether a worker took a worker's place: both have one parent that lives, and the port was never without a socket.

    Args:
        shared: others had LISTEN sockets at the port; else it must be the same socket, which their parent keeps.
    """
    old = case.main.facts if case.main is not None else {}
    kept = (Fact.PARENT,) if shared else (Fact.SOCKET, Fact.PARENT)
    same = all(old.get(fact, "") == main.facts.get(fact) for fact in kept)
    return same and old.get(Fact.PARENT, "") not in ("0", "1") and main.facts.get(Fact.PARENT_PROCESS) == "there"


def quiet(case: Case) -> bool:
    """Whether a stop with an heir that answers is none: the end was in order, and nobody was told."""
    return case.said is None and in_order(case.exit)


def in_order(end: Exit | None) -> bool:
    """Whether a process ended with status 0, or by the signal that asks for an end."""
    return code_of(end) == 0 or signal_of(end) == signal.SIGTERM
