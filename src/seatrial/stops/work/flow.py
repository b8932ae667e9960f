"""The reader of what is asked of the engine and what comes of it. It judges nothing.

A request of a client tells nothing of its tokens before it is over, so that while it runs other signs must tell: the
server's own counters (``work.counters``), the canary and the scheduler (``work.asked``), ends of other requests, and
what the processes and GPUs do (``work.machine``). All of them note progress here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from seatrial.records import LEFT, OUR_ERROR, SECOND, Ask, LoadRow, Received, Sent
from seatrial.stops.state.work import Flow, Work, landed, latest

ENGINE_PATHS = ("completions", "responses", "messages", "embeddings", "generate", "chat")
"""How the paths end whose answers come from the engine; others are answered by the HTTP layer alone."""
CLOSED_BY_US = frozenset({"stall", "deadline", "cancelled"})
GOT_NOTHING = CLOSED_BY_US | {"truncated", "reset", "refused", "unreachable"}
"""Outcomes that are no answer of the server. ``busy`` is no answer either: it is said before the engine is asked."""
LOAD = "soak/"
"""How the scenarios of a load begin: each of its streams has a row of its own, which knows tokens from other bytes."""
MARKS_KEPT = 64
MARKS_APART = SECOND
FAILED_KEPT = 3


def progressed(work: Work, at: int, what: str, *, token: bool = True) -> Work:
    """Note a token, or growth of a counter. What was silent before it tells nothing any more.

    Args:
        token: it was a token, and not perhaps the work of a canary that failed.
    """
    flow = advanced(work.flow, at, what, token=token)
    return work if flow is work.flow else replace(work, flow=flow)


def advanced(flow: Flow, at: int, what: str, *, token: bool = True) -> Flow:
    """The same of the flow alone; the same object where later progress is known."""
    return _progressed(flow, (at,), what, token=token) if at > flow.progress_at else flow


def silent(flow: Flow, since: int, until: int) -> Flow:
    """Note a stretch in which a request that is over got nothing. The longest stretch is kept."""
    if until - since <= flow.silence[1] - flow.silence[0] and flow.silence[1] > flow.progress_at:
        return flow
    return replace(flow, silence=(since, until))


def answered(flow: Flow, at: int) -> Flow:
    """Note an answer without a token."""
    return replace(flow, answered_at=max(flow.answered_at, at))


def failed(flow: Flow, canary: Ask) -> Flow:
    """Note a canary that failed. The first and the latest in a row are kept."""
    row = (*flow.failed, canary)
    return replace(flow, failed=row if len(row) <= FAILED_KEPT else (row[0], *row[1 - FAILED_KEPT :]))


def right(flow: Flow) -> Flow:
    """A canary was right: those that failed before it tell nothing any more."""
    return replace(flow, failed=()) if flow.failed else flow


def of_this_life(flow: Flow, since: int) -> Flow:
    """What holds of an incarnation that was found at a time: what was asked of it, and what has come until now."""
    flying = {name: at for name, at in flow.flying.items() if at >= since}
    return replace(flow, flying=flying, failed=(), silence=(0, 0))


def sent(work: Work, line: Sent) -> Work:
    """A request is on its way, to the engine if its path says so."""
    if line.method != "POST" or not line.path.endswith(ENGINE_PATHS):
        return work
    return replace(work, flow=replace(work.flow, flying={**work.flow.flying, line.id: line.t}))


def received(work: Work, line: Received) -> Work:
    """Bytes of an answer; whether they were tokens is not in this line. Of a load's stream the next line tells it."""
    if line.id not in work.flow.flying or line.scenario.startswith(LOAD):
        return work
    flow = replace(work.flow, flying=landed(work.flow.flying, line.id))
    told = line.frames if not line.error else line.frames[1:]  # the first read may be the head alone
    last = min(told[-1][0], line.t) if told else 0
    flow = advanced(flow, last, f"bytes of the answer to {line.id}")
    if line.error and line.error != LEFT:  # whoever leaves by himself was not kept waiting
        flow = silent(flow, last or line.sent_at, line.ended_at)
    return replace(work, flow=flow)


def several(work: Work, lines: Sequence[Sent | LoadRow], names: Sequence[str], times: Iterable[Sequence[int]]) -> Work:
    """A server's work after several requests left or came to their end well: :func:`sent`, :func:`load_row`.

    Args:
        names: of these requests.
        times: of the tokens of those that are over.
    """
    old = work.flow
    flying, marks, at, what, who = {**old.flying}, [*old.marks], old.progress_at, "", ""
    of_rows = iter(times)
    for line, name in zip(lines, names, strict=True):
        if isinstance(line, Sent):
            if line.method == "POST" and line.path.endswith(ENGINE_PATHS):
                flying[name] = line.t
            continue
        flying.pop(name, None)
        seen, last = line.t, line.last_at
        for time in next(of_rows):
            if at < time <= seen:
                at, what, who = time, "a token of", name
                if not marks or time - marks[-1] >= MARKS_APART:
                    marks.append(time)
        if 0 < last < at:
            marks.append(last)
        over = line.ended_at if line.ended_at < seen else seen
        if over > at:
            at, what, who = over, "the end of", name
            if not marks or over - marks[-1] >= MARKS_APART:
                marks.append(over)
    quiet = old.silence if old.silence[1] > at or at == old.progress_at else (0, 0)
    fails = old.failed if at == old.progress_at else tuple(ask for ask in old.failed if ask.asked_at > at)
    said = f"{what} {who}" if who else old.progress
    return replace(work, flow=Flow(flying, at, said, old.answered_at, tuple(marks[-MARKS_KEPT:]), quiet, fails))


def load_row(work: Work, row: LoadRow) -> Work:
    """A soak request is over, with the times of some of its tokens."""
    flow = _row(work.flow, row)
    return work if flow is work.flow else replace(work, flow=flow)


def _row(flow: Flow, row: LoadRow) -> Flow:
    """The flow after a soak request. Its end is progress if its last token and no later one came before."""
    flying = landed(flow.flying, row.id)
    told = {row.first_at, row.gap_from, row.gap_to, row.last_at}
    late = sorted([at for at in told if flow.progress_at < at <= row.t])
    over = min(row.ended_at, row.t)
    if late and row.outcome == "ok" and late[-1] == row.last_at < over:
        return _progressed(flow, (*late, over), f"the end of {row.id}", flying=flying)
    if flying is not flow.flying:
        flow = replace(flow, flying=flying)
    if late:
        flow = _progressed(flow, late, f"a token of {row.id}")
    if 0 < row.last_at < flow.progress_at:
        flow = replace(flow, marks=(*flow.marks, row.last_at)[-MARKS_KEPT:])
    if row.outcome in GOT_NOTHING:
        return silent(flow, row.last_at or row.sent_at, row.ended_at)
    if row.outcome == "ok":
        return advanced(flow, over, f"the end of {row.id}")
    return flow if row.outcome in ("busy", LEFT, OUR_ERROR) else answered(flow, over)


def _progressed(
    flow: Flow, times: Sequence[int], what: str, *, token: bool = True, flying: dict[str, int] | None = None
) -> Flow:
    """Note several tokens at once, in order of their time and all later than what is known.

    Args:
        token: they were tokens, and not perhaps the work of a canary that failed.
        flying: the requests under way from now on, where it is the end of a request.
    """
    at = times[-1]
    quiet = flow.silence if flow.silence[1] > at else (0, 0)
    fails = tuple(ask for ask in flow.failed if not token or ask.asked_at > at) if flow.failed else ()
    marks = flow.marks
    for mark in times:
        if not marks or mark - marks[-1] >= MARKS_APART:
            marks = latest(marks, mark, MARKS_KEPT)
    return Flow(flow.flying if flying is None else flying, at, what, flow.answered_at, marks, quiet, fails)
