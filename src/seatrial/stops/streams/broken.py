"""Families told from traffic: STREAM STALL, TRUNCATED, EMPTY, FAILED IN-BAND. One stop per endpoint and family.

A stream that a stop broke belongs to that stop and is not counted here; what broke is therefore held until it is known
whether there was one. What is no fault: an answer cut by its ``max_tokens`` (it has its finish_reason), a request that
never got a first token (it may have waited in a queue or a prefill: WEDGED tells of that), a stream that we cut.
"""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.records import SECOND, Ask, Family, LoadRow
from seatrial.stops.evidence.looks import busy
from seatrial.stops.state.limits import DYING_NS, SETTLE_NS, Limits
from seatrial.stops.state.server import Case, Server
from seatrial.stops.state.work import (
    Broken,
    Fault,
    Streams,
    Trouble,
    Work,
)

IDS_KEPT = 20
PENDING_KEPT = 256
CUT_NS = 8 * SECOND
"""How long a cut stream waits for news of its server's end: a remote one has stopped after three refused probes."""
NOBODY_NS = 10 * SECOND
"""Without anybody who waits for so long, a client has not only paused before it asks again."""
REASONS = 3
"""So many answers with a finish_reason show that this server sends one, and that its absence is a fault."""
PLANNED_FOR_NS = 60 * SECOND
WORDS: dict[str, tuple[Family, str]] = {
    "truncated": ("TRUNCATED", "cut"),
    "no_terminator": ("TRUNCATED", "no terminator"),
    "empty": ("EMPTY", ""),
    "sse_error": ("FAILED IN-BAND", ""),
}
STREAM_WORDS = {
    "cut": "the connection closed before the body's framing ended",
    "no terminator": "the body ended well, without [DONE], finish_reason or usage",
    "protocol": "[DONE] without a finish_reason, which this server sends with other answers",
    "EMPTY": "a terminated answer of status 200 without a word in it",
    "FAILED IN-BAND": "an error inside an answer that had begun with status 200",
}


def row_seen(streams: Streams, row: LoadRow, work: Work, limits: Limits) -> Streams:
    """A client's request is over: was its stream in order?"""
    broken = _broken_row(row, work, limits)
    whole = min(row.sent_at, row.t) if broken is None and row.outcome == "ok" else 0
    if row.finish_reason or whole > streams.whole_from:
        reasons = streams.reasons + bool(row.finish_reason)
        streams = replace(streams, reasons=reasons, whole_from=max(streams.whole_from, whole))
        if reasons >= REASONS and streams.unfinished:
            streams = replace(_held(streams, *streams.unfinished), unfinished=())
    if broken is None:
        return streams
    if broken.kind == "protocol" and streams.reasons < REASONS:
        return replace(streams, unfinished=(*streams.unfinished, broken)[:IDS_KEPT])
    return _held(streams, broken)


def canary_seen(streams: Streams, ask: Ask, work: Work, limits: Limits) -> Streams:
    """The canary: a stall is told while it lasts, other faults when it is over.

    An empty answer or a missing end is a fault only of a server that gave the canary what it wanted before.
    """
    if ask.rung != "canary" or ask.skipped:
        return streams
    if ask.ended_at and ask.outcome == "ok":
        return replace(streams, works=True, whole_from=max(streams.whole_from, ask.asked_at))
    broken = None if streams.canary == ask.id else _broken_canary(ask, work, limits)
    if broken is None or (broken.family in ("EMPTY", "TRUNCATED") and not streams.works):
        return streams
    return replace(_held(streams, broken), canary=ask.id)


def settled(server: Server, now: int, limits: Limits) -> Server:
    """At a heartbeat: count the streams of which it is known by now that no stop broke them."""
    if not server.streams.pending:
        return server
    pending, troubles = [], dict(server.streams.troubles)
    for broken in server.streams.pending:
        if _of_a_stop(server, broken) or _waited_for_another(server.work, broken):
            continue
        if _known(server.work, broken, now, limits):
            troubles[broken.family] = _counted(troubles.get(broken.family), broken)
        else:
            pending.append(broken)
    return replace(server, streams=replace(server.streams, pending=tuple(pending), troubles=troubles))


def whose(work: Work, since: int, until: int) -> tuple[Fault, str]:
    """Whose fault a silence between two times was, by the server's own live counters, and what shows it.

    Counters are of all its work: that they moved tells of this stream only where it was the one worked on.
    """
    within = [r for r in work.readings if r.live and since + SECOND < r.at <= until]
    if len(within) < 3:
        return "", "the server's own live counters were not readable"
    if all(r.running == 0 for r in within):
        return "network or gateway", "the server counted no request being worked on: it was through with this one"
    if not any(r.moved for r in within):
        return "engine", "the server's own counters stood still too"
    if all(r.moved for r in within) and all(r.running == 1 for r in within):
        return "network or gateway", "the server's own counters moved on, with this one request being worked on"
    return "", "the server's own counters moved, and others were being worked on too"


def _broken_row(row: LoadRow, work: Work, limits: Limits) -> Broken | None:
    begun = 0 < row.first_at <= row.last_at <= row.ended_at <= row.t
    silence = row.gap_to - row.gap_from
    if row.outcome in WORDS:
        family, kind = WORDS[row.outcome]
        text = STREAM_WORDS[kind or family] + (f", after {row.deltas} deltas" if row.deltas else "")
        said = f"{text}: {row.detail}" if row.detail else text
        alive = row.last_at if begun else row.sent_at
        return Broken(family, row.id, kind, alive, max(alive, row.ended_at), row.ended_at, row.t, text=said,
                      proof=f"a token of {row.id}" if begun else f"{row.id} was sent")  # fmt: skip
    if begun and row.outcome in ("stall", "deadline") and row.ended_at - row.last_at >= min(limits.stall, _idle(row)):
        return _stall(row.id, row.last_at, row.ended_at, row.t, work, f"after {row.deltas} deltas")
    if begun and row.gap_from and silence >= limits.stall:
        return replace(_stall(row.id, row.gap_from, row.gap_to, row.t, work, "in mid-answer"), until=row.gap_to)
    if row.outcome == "ok" and row.deltas and not row.finish_reason:
        return Broken("TRUNCATED", row.id, "protocol", row.last_at, max(row.last_at, row.ended_at), row.ended_at, row.t,
                      text=STREAM_WORDS["protocol"], proof=f"a token of {row.id}")  # fmt: skip
    return None


def _idle(row: LoadRow) -> int:
    """The silence after which the client gave up: its own limit may be shorter than ours."""
    return row.ended_at - row.last_at if row.outcome == "stall" else 2**62


def _broken_canary(ask: Ask, work: Work, limits: Limits) -> Broken | None:
    last = max(ask.first_at, ask.last_at)
    now = ask.ended_at or ask.t
    if ask.ended_at and ask.outcome in WORDS:
        family, kind = WORDS[ask.outcome]
        alive = last or ask.asked_at
        said = f"{STREAM_WORDS[kind or family]} (the canary){': ' + ask.detail if ask.detail else ''}"
        return Broken(family, ask.id, kind, alive, max(alive, now), now, ask.t, text=said, proof=f"{ask.id} was asked")
    if not last or now - last < limits.stall or (ask.ended_at and ask.outcome not in ("stall", "deadline")):
        return None
    return _stall(ask.id, last, now, ask.t, work, f"of the canary after {ask.deltas} deltas", ask.comments)


def _stall(name: str, since: int, until: int, seen: int, work: Work, where: str, comments: int = 0) -> Broken:
    fault, why = whose(work, since, until)
    hidden = f", hidden by {comments} keep-alive comments" if comments else ""
    return Broken("STREAM STALL", name, "pings" if comments else "", since, since, until, seen,
                  fault=fault, why=why, proof=f"a token of {name}",
                  text=f"no token for {(until - since) / SECOND:.1f} s {where}{hidden}")  # fmt: skip


def _held(streams: Streams, *broken: Broken) -> Streams:
    return replace(streams, pending=(*streams.pending, *broken)[-PENDING_KEPT:])


def _known(work: Work, broken: Broken, now: int, limits: Limits) -> bool:
    """Whether a stop that broke it would have come to light by now: nothing is wedged that progressed since."""
    waited = now - broken.seen_at
    stalls = broken.family == "STREAM STALL" or broken.id.startswith("canary")
    if not stalls:
        return waited >= (CUT_NS if broken.family == "TRUNCATED" else SETTLE_NS)
    if now - work.waited_at > NOBODY_NS:
        return waited >= SETTLE_NS  # nobody waits: no silence can grow into a stop
    seen = now - work.sampled_at <= SETTLE_NS
    longest = (limits.wedged if seen else limits.wedged_unseen) + SETTLE_NS
    return waited >= SETTLE_NS and (work.progress_at > broken.over_at or waited >= longest)


def _waited_for_another(work: Work, broken: Broken) -> bool:
    """Whether a stream that went on only waited for the engine, busy with a prefill: then nothing else came either."""
    if broken.until is None:
        return False
    moved = any(broken.alive_at + SECOND < at < broken.until - SECOND for at in work.marks)
    return not moved and busy(work, broken.alive_at, broken.until)


def _of_a_stop(server: Server, broken: Broken) -> bool:
    """Whether a stop, silent or planned, lies over the moment it broke."""
    for planned_at in (server.planned_at, server.before_planned_at):
        if planned_at and planned_at - DYING_NS <= broken.over_at and broken.dead_at <= planned_at + PLANNED_FOR_NS:
            return True
    return any(_over(case, broken) for case in server.cases)


def _over(case: Case, broken: Broken) -> bool:
    if case.family == "UNOBSERVED" or case.told.withdrawn:
        return False
    if broken.id in case.suspects:
        return True
    until = case.dead_at if case.of_child and case.until is None else case.until  # the server itself went on
    ends = until is None or broken.alive_at <= until + DYING_NS
    return ends and broken.over_at >= case.alive.at - DYING_NS


def _counted(trouble: Trouble | None, broken: Broken) -> Trouble:
    if trouble is None:
        trouble = Trouble(first=broken, streams=0, ids=(), until=broken.until)
    until = None if trouble.until is None or broken.until is None else max(trouble.until, broken.until)
    return replace(
        trouble,
        first=min(trouble.first, broken, key=lambda b: b.dead_at),
        streams=trouble.streams + 1,
        ids=(*trouble.ids, broken.id)[:IDS_KEPT],
        until=until,
        kinds={**trouble.kinds, broken.kind: trouble.kinds.get(broken.kind, 0) + 1},
        faults={**trouble.faults, broken.fault: trouble.faults.get(broken.fault, 0) + 1},
    )
