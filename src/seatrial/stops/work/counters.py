"""The reader of the server's own counters: totals that moved are progress, and a request fewer is an answer."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND, Meter
from seatrial.stops.state.work import Counted, Reading, Work, latest
from seatrial.stops.work import flow, waits

READINGS_KEPT = 64
OF_CANARY_NS = 2 * SECOND
"""Counters that grow so shortly after a failed canary may have counted its prompt."""


def metered(work: Work, line: Meter) -> Work:
    """One reading of one source. Each source is held against itself."""
    old = work.counted.meters.get(line.source)
    moved = old is not None and _moved(old, line)
    fell = old is not None and old.running is not None and line.running is not None and line.running < old.running
    live = line.progress is not None
    readings = work.counted.readings
    if live or moved:
        readings = latest(readings, Reading(line.t, moved, line.running, live), READINGS_KEPT)
    said = work.flow
    if not work.behind:  # a gateway hands on the counters of what stands behind it: they are no progress of its own
        if moved:
            failed = said.failed
            alone = work.asked.canary is None and (not failed or line.t - failed[-1].t > OF_CANARY_NS)
            said = flow.advanced(said, line.t, f"{line.source} counted on", token=alone)
        if fell:
            said = flow.answered(said, line.t)
    counted = Counted({**work.counted.meters, line.source: line}, readings)
    excused = waits.excused(work.waits, line.t) if line.asleep else work.waits
    return replace(work, counted=counted, flow=said, waits=excused)


def _moved(old: Meter, new: Meter) -> bool:
    return (
        _differ(old.progress, new.progress)
        or _differ(old.tokens, new.tokens)
        or _differ(old.prompt_tokens, new.prompt_tokens)
    )


def _differ(old: int | None, new: int | None) -> bool:
    return old is not None and new is not None and old != new
