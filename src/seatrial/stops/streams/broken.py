"""STREAM STALL, TRUNCATED, EMPTY, FAILED IN-BAND: families told from traffic. One stop per endpoint and family.

A stream that a stop broke belongs to that stop and is not counted here. A broken stream is therefore held until it is
known whether there was a stop. What is no fault: an answer cut by its ``max_tokens`` (it has its finish_reason), a
request that never got a first token (it may have waited in a queue or a prefill: WEDGED tells of that), a stream that
we cut.

An example, told as STREAM STALL::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"probe","t":4.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"sent","t":5e9,"w":"l","n":1,"endpoint":"a","path":"/chat/completions"}
    {"kind":"load","t":45e9,"id":"l-1","endpoint":"a","outcome":"stall","sent_at":5e9,"ended_at":44.9e9,"last_at":9e9}
    {"kind":"probe","t":45.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"ask","t":46e9,"name":"a","rung":"canary","id":"canary-1","asked_at":45.5e9,"ended_at":46e9,"outcome":"ok"}

An example, told as TRUNCATED; with ``"outcome":"empty"`` it is EMPTY, with ``"sse_error"`` FAILED IN-BAND::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"probe","t":4.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"sent","t":5e9,"w":"l","n":1,"endpoint":"a","path":"/chat/completions"}
    {"kind":"load","t":9.1e9,"id":"l-1","endpoint":"a","outcome":"truncated","sent_at":5e9,"ended_at":9e9,"last_at":9e9}
    {"kind":"probe","t":9.2e9,"name":"a","listens":true,"owner":7,"health":200}
    {"kind":"probe","t":20.2e9,"name":"a","listens":true,"owner":7,"health":200}
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from seatrial.reading.seen import Seen
from seatrial.records import SECOND, Ask, Family, LoadRow
from seatrial.stops.evidence.looks import busy
from seatrial.stops.state.case import Case
from seatrial.stops.state.families import EXPLAINS_NOTHING
from seatrial.stops.state.limits import DYING_NS, PLANNED_FOR_NS, SETTLE_NS, Limits
from seatrial.stops.state.server import Server
from seatrial.stops.state.streams import Broken, Fault, Streams, Trouble
from seatrial.stops.state.work import Work

IDS_KEPT = 20
PENDING_KEPT = 256
CUT_NS = 8 * SECOND
"""A cut stream waits so long for news of its server's end: a remote server has stopped after three refused probes."""
NOBODY_NS = 10 * SECOND
"""If nobody waits for so long, a client has not only paused before it asks again."""
REASONS = 3
"""So many answers with a finish_reason show that this server sends one, and that its absence is a fault."""
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
    """A client's request is over: its stream was in order, or broken."""
    broken = _broken_row(row, work, limits)
    whole = min(row.sent_at, row.t) if broken is None and row.outcome == "ok" else 0
    if row.finish_reason or whole > streams.whole_from:
        reasons = streams.reasons + bool(row.finish_reason)
        streams = replace(streams, reasons=reasons, whole_from=max(streams.whole_from, whole))
        if reasons >= REASONS and streams.unfinished:
            streams = replace(_held(streams, *streams.unfinished), unfinished=())
    if broken is None:
        return streams
    broken = replace(broken, meanwhile=_meanwhile(work, broken))
    if broken.kind == "protocol" and streams.reasons < REASONS:
        return replace(streams, unfinished=(*streams.unfinished, broken)[:IDS_KEPT])
    return _held(streams, broken)


def in_order(streams: Streams, rows: Sequence[LoadRow]) -> Streams:
    """Several requests of clients are over, and each stream was in order: :func:`row_seen`, while none waits for it."""
    whole = max([row.sent_at if row.sent_at < row.t else row.t for row in rows])
    return replace(streams, reasons=streams.reasons + len(rows), whole_from=max(streams.whole_from, whole))


def canary_seen(streams: Streams, ask: Ask, work: Work, limits: Limits) -> Streams:
    """A line about the canary: a stall is told while it lasts, other faults when the canary is over.

    An empty answer or a missing end is a fault only of a server that gave the canary what it wanted before.
    """
    if ask.rung != "canary" or ask.skipped:
        return streams
    if ask.ended_at and ask.outcome == "ok":
        return replace(streams, works=True, whole_from=max(streams.whole_from, ask.asked_at))
    broken = None if streams.counted == ask.id else _broken_canary(ask, work, limits)
    if broken is None or (broken.family in ("EMPTY", "TRUNCATED") and not streams.works):
        return streams
    broken = replace(broken, meanwhile=_meanwhile(work, broken))
    return replace(_held(streams, broken), counted=ask.id)


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

    The counters are of all the server's work. If they moved, that tells of this stream only where no other ran.
    """
    within = [r for r in work.counted.readings if r.live and since + SECOND < r.at <= until]
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
    """What was wrong with the stream of a soak request; None where it was in order."""
    begun = 0 < row.first_at <= row.last_at <= row.ended_at <= row.t
    silence = row.gap_to - row.gap_from
    if row.outcome in WORDS:
        family, kind = WORDS[row.outcome]
        text = STREAM_WORDS[kind or family] + (f", after {row.deltas} deltas" if row.deltas else "")
        text += f"; its usage counts {row.tokens} tokens" if family == "EMPTY" and row.tokens is not None else ""
        said = f"{text}: {row.detail}" if row.detail else text
        alive = row.last_at if begun else row.sent_at
        proof = f"a token of {row.id}" if begun else f"{row.id} was sent"
        dead_at = max(alive, row.ended_at)
        return Broken(family, row.id, kind, alive, dead_at, row.ended_at, row.t, text=said, proof=proof)
    if begun and row.outcome in ("stall", "deadline") and row.ended_at - row.last_at >= min(limits.stall, _idle(row)):
        return _stall(row.id, row.last_at, row.ended_at, row.t, work, f"after {row.deltas} deltas")
    if begun and row.gap_from and silence >= limits.stall:
        return replace(_stall(row.id, row.gap_from, row.gap_to, row.t, work, "in mid-answer"), until=row.gap_to)
    if row.outcome == "ok" and row.deltas and not row.finish_reason:
        text, proof, at = STREAM_WORDS["protocol"], f"a token of {row.id}", max(row.last_at, row.ended_at)
        return Broken("TRUNCATED", row.id, "protocol", row.last_at, at, row.ended_at, row.t, text=text, proof=proof)
    return None


def _idle(row: LoadRow) -> int:
    """The silence after which the client gave up: its own limit may be shorter than ours."""
    return row.ended_at - row.last_at if row.outcome == "stall" else 2**62


def _broken_canary(ask: Ask, work: Work, limits: Limits) -> Broken | None:
    """What is wrong with the stream of a canary; None where it is in order, or gave no token yet."""
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
    kind, proof = "pings" if comments else "", f"a token of {name}"
    text = f"no token for {(until - since) / SECOND:.1f} s {where}{hidden}"
    return Broken("STREAM STALL", name, kind, since, since, until, seen, fault=fault, why=why, text=text, proof=proof)


def _meanwhile(work: Work, broken: Broken) -> str:
    """What /health did in the second in which it was over with the stream, by the last look before that was read."""
    return Seen((work.wellness.look,) if work.wellness.look else ()).told([(broken.over_at, broken.over_at)])


def _held(streams: Streams, *broken: Broken) -> Streams:
    return replace(streams, pending=(*streams.pending, *broken)[-PENDING_KEPT:])


def _known(work: Work, broken: Broken, now: int, limits: Limits) -> bool:
    """Whether a stop that broke the stream would have come to light: a server that progressed since is not wedged."""
    waited = now - broken.seen_at
    stalls = broken.family == "STREAM STALL" or broken.id.startswith("canary")
    if not stalls:
        return waited >= (CUT_NS if broken.family == "TRUNCATED" else SETTLE_NS)
    if now - work.waits.waited_at > NOBODY_NS:
        return waited >= SETTLE_NS  # nobody waits: no silence can grow into a stop
    seen = now - work.machine.sampled_at <= SETTLE_NS
    longest = (limits.wedged if seen else limits.wedged_unseen) + SETTLE_NS
    return waited >= SETTLE_NS and (work.flow.progress_at > broken.over_at or waited >= longest)


def _waited_for_another(work: Work, broken: Broken) -> bool:
    """Whether a stream that went on only waited for an engine that was busy with a prefill: then no other moved."""
    if broken.until is None:
        return False
    moved = any(broken.alive_at + SECOND < at < broken.until - SECOND for at in work.flow.marks)
    return not moved and busy(work, broken.alive_at, broken.until)


def _of_a_stop(server: Server, broken: Broken) -> bool:
    """Whether a stop, silent or planned, lies over the moment it broke."""
    for planned_at in (server.life.planned_at, server.life.before_planned_at):
        if planned_at and planned_at - DYING_NS <= broken.over_at and broken.dead_at <= planned_at + PLANNED_FOR_NS:
            return True
    return any(_over(case, broken) for case in server.cases)


def _over(case: Case, broken: Broken) -> bool:
    """Whether a stop lies over the moment a stream broke, or counts the stream's request among its suspects."""
    if case.family in EXPLAINS_NOTHING or case.statement.withdrawn:
        return False
    if broken.id in case.suspects:
        return True
    until = case.dead_at if case.of_child and case.until is None else case.until  # the server itself went on
    ends = until is None or broken.alive_at <= until + DYING_NS
    return ends and broken.over_at >= case.alive.at - DYING_NS


def _counted(trouble: Trouble | None, broken: Broken) -> Trouble:
    """The trouble of a family with one more stream. The stream that broke first gives the trouble its times."""
    if trouble is None:
        trouble = Trouble(first=broken, streams=0, ids=(), until=broken.until)
    until = None if trouble.until is None or broken.until is None else max(trouble.until, broken.until)
    return replace(
        trouble,
        first=min(trouble.first, broken, key=lambda b: b.dead_at),
        streams=trouble.streams + 1,
        ids=(*trouble.ids, broken.id)[:IDS_KEPT],
        until=until,
        last_at=max(trouble.last_at, broken.dead_at),
        kinds={**trouble.kinds, broken.kind: trouble.kinds.get(broken.kind, 0) + 1},
        faults={**trouble.faults, broken.fault: trouble.faults.get(broken.fault, 0) + 1},
    )
