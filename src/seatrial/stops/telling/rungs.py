"""The first broken rung of the ladder, in words, for each family of stops."""

from __future__ import annotations

from seatrial.records import Family
from seatrial.stops.evidence import sights
from seatrial.stops.state.server import Case

WEDGED_RUNGS = {
    "http": "HTTP answers: /health is silent",
    "scheduler": "the scheduler: /health is well, and the engine's own loop does not answer",
    "engine": "the engine: its scheduler answers, and nothing progresses",
    "tokens": "tokens: /health is well, and none arrives",
    "canary": "tokens: /health is well, and the canary fails",
    "errors": "tokens: the canary fails, and /health answers with an error",
    "ill": "HTTP answers: /health says that it is not well",
    "closed": "HTTP answers: connections are taken, and no answer comes",
    "busy": "tokens: its process is busy, and none arrives",
    "unseen": "tokens: none arrives, and what should give them is not observable",
    "gateway": "the gateway: what stands behind it answers directly",
    "behind": "the endpoint behind the gateway",
}


RUNG_OF: dict[Family, str] = {
    "DEAF": "the LISTEN socket",
    "FROZEN": "the process is there and does not run",
    "UNOBSERVED": "",
    "IMPOSTOR": "the LISTEN socket: another program owns it",
    "RUNNER REPLACED": "the process of its runner",
}


def rung_of(case: Case) -> str:
    """The first broken rung of the ladder."""
    if case.family == "WEDGED":
        return WEDGED_RUNGS[case.shown]
    if case.shown in sights.PROBE_RUNGS and case.exit is None:
        return sights.PROBE_RUNGS[case.shown]
    if case.main is None and case.family == "RESTARTED":
        return "the LISTEN socket: another one took its place"
    return RUNG_OF.get(case.family, "the process itself" if case.main is not None else "the connection: refused")
