"""Phases without traffic: the canary alone, or nothing at all."""

from __future__ import annotations

from load.shapes.helm import Helm
from load.users.ticket import Ticket
from seatrial.given.phases import SoakPhase
from seatrial.records import PhaseSort

SORTS = (PhaseSort.BASELINE, PhaseSort.REST)

APART_S = 1.0
"""Between the beginnings of two canaries; the next waits for the one before it."""


def sail(phase: SoakPhase, helm: Helm, until: float) -> None:
    at = helm.time.now()
    alone = phase.sort == PhaseSort.BASELINE and helm.share.index == 0
    while alone and at < until and helm.time.until(at):
        helm.desk.offer(Ticket(helm.traffic.canary(), phase.name))
        helm.desk.quiet(until - at)
        at = max(at + APART_S, helm.time.now())
    helm.time.until(until)
