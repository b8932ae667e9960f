"""The first broken rung of the ladder, in words: by the family of a stop, and by what the stop rests on."""

from __future__ import annotations

from seatrial.stops.state.case import Case
from seatrial.stops.state.families import FAMILIES, OF_A_CHILD
from seatrial.stops.state.sights import PROBE_RUNGS
from seatrial.stops.telling.own import own_of


def rung_of(case: Case) -> str:
    """The first broken rung of the ladder."""
    if case.of_child:
        return OF_A_CHILD
    if case.shown in PROBE_RUNGS and case.exit is None:
        return PROBE_RUNGS[case.shown]
    own = own_of(case).rung
    return FAMILIES[case.family].rung if own is None else own(case)
