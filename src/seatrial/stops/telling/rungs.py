"""The first broken rung of the ladder, in words: by the family of a stop, and by what the stop rests on."""

from __future__ import annotations

from seatrial.stops.state.case import Case
from seatrial.stops.state.families import FAMILIES
from seatrial.stops.state.sights import PROBE_RUNGS, WORK_RUNGS


def rung_of(case: Case) -> str:
    """The first broken rung of the ladder."""
    if case.of_child:
        return FAMILIES["RUNNER REPLACED"].rung
    if case.family == "WEDGED":
        return WORK_RUNGS[case.shown]
    if case.shown in PROBE_RUNGS and case.exit is None:
        return PROBE_RUNGS[case.shown]
    if case.family in ("STOPPED", "RESTARTED"):
        return _of_end(case)
    return FAMILIES[case.family].rung


def _of_end(case: Case) -> str:
    if case.main is not None:
        return "the process itself"
    return "the connection: refused" if case.family == "STOPPED" else "the LISTEN socket: another one took its place"
