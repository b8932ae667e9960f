"""The reader of what the recorder asks the engine: the canary, which asks for a token, and the engine's own loop."""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import Ask
from seatrial.stops.state.work import Asked, Work
from seatrial.stops.work import canaries, flow, wellness

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
    return replace(work, asked=Asked(old.canary, old.rights, silent, at, answers))


def _canary(work: Work, line: Ask) -> Work:
    """A line about a canary. One that is over was right, failed, or got nothing."""
    if line.skipped:
        seen = canaries.skipped(work.canaries, line.t)
        return replace(work, asked=replace(work.asked, canary=None), canaries=seen)
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
    old = work.canaries
    if not token and canaries.fails(old, line):
        anew = said.failed and canaries.broken(old, said.failed[-1], line)
        said = flow.failed(flow.right(said) if anew else said, line)
    seen = canaries.right(old, line) if token else canaries.wrong(old, line)
    return replace(work, flow=said, asked=replace(work.asked, canary=None), canaries=seen)


def _right(work: Work, line: Ask, token: int) -> Work:
    """A canary got its token: the engine works, and those canaries that failed before tell nothing any more."""
    work = flow.progressed(work, token or line.ended_at, "the canary's answer")
    rights = (*work.asked.rights, (line.asked_at, line.ended_at))[-RIGHTS_KEPT:]
    return replace(
        work,
        flow=flow.right(work.flow),
        asked=replace(work.asked, canary=None, rights=rights),
        canaries=canaries.right(work.canaries, line),
        wellness=wellness.canary_right(work.wellness, line.ended_at),
    )
