"""The reader of what the recorder asks the engine: the canary, which asks for a token, and the engine's own loop."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import Ask
from seatrial.stops.state.work import Asked, Work
from seatrial.stops.work import flow, wellness

CANARY_FAILS = frozenset({"http_5xx", "truncated", "reset", "empty", "sse_error", "no_terminator", "not_a_stream"})
"""Ends of a canary that an engine in order does not give. A deadline is none: the canary may have queued."""
RIGHTS_KEPT = 4


def asked(work: Work, line: Ask) -> Work:
    """A line about one question: it is under way, or over."""
    return _scheduler(work, line) if line.rung == "scheduler" else _canary(work, line)


def of_this_life(old: Asked) -> Asked:
    """What holds of another incarnation: when the scheduler last spoke. Open questions went to the old process."""
    return Asked(scheduler_at=old.scheduler_at, answers_at=old.answers_at)


def _scheduler(work: Work, line: Ask) -> Work:
    """A line about the engine's own loop: it answered, it is silent, or nothing is known of it."""
    old = work.asked
    if line.skipped or (line.ended_at and line.outcome != "ok" and line.status is not None):
        silent, at, answers = 0, 0, old.answers_at  # not asked, or the HTTP layer said no: nothing is known
    elif line.outcome == "ok":
        silent, at, answers = 0, line.t, line.ended_at
    else:
        silent, at, answers = old.silent_from or line.asked_at, line.t, old.answers_at
    return replace(work, asked=Asked(old.canary, old.rights, silent, at, answers, old.refused))


def _canary(work: Work, line: Ask) -> Work:
    """A line about a canary. One that is over was right, failed, or got nothing."""
    if line.skipped:
        return replace(work, asked=replace(work.asked, canary=None))
    token = min(max(line.first_at, line.last_at), line.t)
    if token:
        work = flow.progressed(work, token, "a token of the canary")
    if not line.ended_at:
        return replace(work, asked=replace(work.asked, canary=line))
    if line.outcome == "ok":
        return _right(work, line, token)
    if line.outcome in flow.GOT_NOTHING:
        said = flow.silent(work.flow, token or line.asked_at, line.ended_at)
    else:
        said = flow.answered(work.flow, line.ended_at)
    if line.outcome in CANARY_FAILS and not token:
        said = flow.failed(said, line)
    refused = (*work.asked.refused[:1], line) if line.outcome == "busy" else work.asked.refused
    return replace(work, flow=said, asked=replace(work.asked, canary=None, refused=refused))


def _right(work: Work, line: Ask, token: int) -> Work:
    """A canary got its token: the engine works, and those canaries that failed before tell nothing any more."""
    work = flow.progressed(work, token or line.ended_at, "the canary's answer")
    rights = (*work.asked.rights, (line.asked_at, line.ended_at))[-RIGHTS_KEPT:]
    return replace(
        work,
        flow=flow.right(work.flow),
        asked=replace(work.asked, canary=None, rights=rights, refused=()),
        wellness=wellness.canary_right(work.wellness, line.ended_at),
    )
