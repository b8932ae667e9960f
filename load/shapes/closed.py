"""Closed users: each sends its next request when its last answer has ended."""

from __future__ import annotations

from load.shapes.helm import Helm
from seatrial.given.phases import SoakPhase
from seatrial.records import PhaseSort

SORTS = (PhaseSort.WARM_UP, PhaseSort.CLOSED, PhaseSort.FILL)


def sail(phase: SoakPhase, helm: Helm, until: float) -> None:
    make = helm.traffic.fill if phase.sort == PhaseSort.FILL else helm.traffic.request
    helm.desk.admit(helm.share.users(phase.users or helm.slots), make, phase.name)
    helm.time.until(until)
    for ticket in helm.desk.dismiss():
        helm.drop(ticket)
