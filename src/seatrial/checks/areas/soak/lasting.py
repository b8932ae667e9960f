"""How long a soak lasted, against how long it was asked to last. Times in seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator

from seatrial.checks.findings import no_evidence
from seatrial.records import SECOND, Finding, Phase, SoakRun, Stage

SHORT_S, SHORT_PART = 3.0, 0.05
"""A load that ended earlier than asked by more than both, in seconds and as a part of its time, was cut short."""


ENDS = frozenset({Stage.DRAIN, Stage.END})
OVER = "its phases are over"
"""How a load came to its drain that ended before its time because a sweep needed less of it."""


def cut_short(run: SoakRun) -> Iterator[Finding]:
    """A load that was ended well before its time shows nothing about the time it was asked to last."""
    ran, asked = _times(run)
    if asked and (ran is None or asked - ran > max(SHORT_S, SHORT_PART * asked)):
        got = f"ran for an unknown part of {asked:.0f} s" if ran is None else f"ran {length(run)}"
        why = ended_by(run)
        got += f": {why}" if why else ""
        yield no_evidence("the load", expected=f"{asked:.0f} s, as asked", got=got)


def unsent(run: SoakRun) -> Iterator[Finding]:
    """A phase at a share of a rate that was never measured sends nothing, and shows nothing."""
    for span in run.spans:
        if span.facts.get("rps") == "none":
            expected, got = "requests at a share of what was measured", "none was sent: nothing was measured before it"
            yield no_evidence(f"the phase {span.name}", expected=expected, got=got)


def ended_by(run: SoakRun) -> str:
    """What ended a load before its time, as was first said; empty where nothing did, or nobody said."""
    start = _start(run)
    said = (line.facts.get("why", "") for line in run.phases if start is not None and line.at >= start.at)
    return next(filter(None, said), "")


def length(run: SoakRun) -> str:
    """For how long users sent requests, and of how much where that is less; empty where no end was written."""
    ran, asked = _times(run)
    if ran is None:
        return ""
    return f"{ran:.0f} s of {asked:.0f} s" if asked and ran < asked - 2 else f"{ran:.0f} s"


def bounds(run: SoakRun) -> tuple[int | None, int | None]:
    """When the load last began, and when it then sent no more, monotonic ns; None where that was not written."""
    start = _start(run)
    if start is None:
        return None, None
    return start.at, min((line.at for line in run.phases if line.what in ENDS and line.at >= start.at), default=None)


def since(run: SoakRun, at: int) -> str:
    """A moment (monotonic ns) of a load in words, behind what began then; empty where no beginning was written."""
    start = _start(run)
    return "" if start is None else clock((at - start.at) / SECOND)


def clock(seconds: float) -> str:
    """Seconds after the beginning of a load in words, behind what began then."""
    hours, rest = divmod(max(0, int(seconds)), 3600)
    return f", since {hours:02d}:{rest // 60:02d} h of the soak"


def _times(run: SoakRun) -> tuple[float | None, float]:
    """From the last start to its drain, None where no end was written; and the time asked for, 0 where none was."""
    start = _start(run)
    since, until = bounds(run)
    if start is None or since is None:
        return None, 0.0
    drained = next((phase for phase in run.phases if phase.what == Stage.DRAIN and phase.at >= start.at), None)
    early = drained is not None and drained.facts.get("how") == OVER
    try:
        asked = 0.0 if early else float(start.facts.get("seconds", ""))
    except ValueError:
        asked = 0.0
    return None if until is None else (until - since) / SECOND, asked if math.isfinite(asked) else 0.0


def _start(run: SoakRun) -> Phase | None:
    return next((phase for phase in reversed(run.phases) if phase.what == Stage.START), None)
