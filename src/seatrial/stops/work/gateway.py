"""A gateway and the server behind it. If both fail together the server is the cause; if the gateway fails alone, it is.

The operator says what stands in front of what (Event ``behind``). What both say tells whose fault it is. While the
server behind has a stop of its own, whatever keeps clients of its gateway from an answer is that stop: errors, a
status 502, 503 or 504, silence, connections that are cut. No list of programs is needed for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from seatrial.records import NO_STOP, SECOND, Event
from seatrial.stops.evidence.looks import FRESH_NS, idle
from seatrial.stops.state.case import Case, Statement
from seatrial.stops.state.cases import change, open_one
from seatrial.stops.state.incarnations import Proof
from seatrial.stops.state.limits import IN_A_ROW, Limits
from seatrial.stops.state.server import Server
from seatrial.stops.state.sights import PROBE_RUNGS, Sight, probe_words
from seatrial.stops.state.work import ILL, Work
from seatrial.stops.telling import asked_words, silence
from seatrial.stops.telling.neighbours import said_of
from seatrial.stops.work import wedged

FAILED_TWICE = 2
"""The gateway is at fault after so many failures of its canary in a row: one may be a connection that was cut."""
MOMENT_NS = SECOND


def behind(work: Work, event: Event) -> Work:
    """The operator says that an endpoint, named in the text, stands behind this one."""
    return work if event.text in work.behind else replace(work, behind=(*work.behind, event.text))


def ticked(servers: Mapping[str, Server], now: int, limits: Limits) -> dict[str, Server]:
    """The gateways of which something else is known at this heartbeat, by name."""
    found = {}
    for name, server in servers.items():
        if server.work.behind:
            others = [servers[other] for other in server.work.behind if other in servers and other != name]
            changed = _asked(server, others, now, limits)
            if changed is not server:
                found[name] = changed
    return found


def _asked(server: Server, others: Sequence[Server], now: int, limits: Limits) -> Server:
    """A gateway about which those behind it have been asked."""
    stopped = [(other, case) for other in others if (case := _stop(other)) is not None]
    lasting = open_one(server)
    if lasting is not None:
        return _joined(server, lasting, *stopped[0]) if stopped else _blamed(server, lasting, others, now, limits)
    if stopped and not wedged.away(server, now):
        signs = [*_signs(server, now, limits)]
        if signs:
            other, case = stopped[0]
            since = max(min(at for at, _ in signs), case.dead_at)  # what was on its way then fails by that
            seen = (said_of(other.name, case, since), *dict.fromkeys(text for _, text in signs if text))
            return _opened(server, now, since, Sight.BEHIND, _theirs(other, case), *seen)
    return server if server.work.waits.excused_at == now else _judged(server, others, now, limits)


def _judged(server: Server, others: Sequence[Server], now: int, limits: Limits) -> Server:
    """A gateway with a WEDGED, and whose fault it is by the servers behind it, none of which has a stop."""
    if (alone := _alone(server, others, now, limits)) is not None:
        return _opened(server, now, alone.since, Sight.GATEWAY, alone.cause, alone.seen)
    since, until = _failing(server.work, now, limits)
    canaries = [other.work.asked.canary for other in others]
    if any(canary is not None and not canary.first_at for canary in canaries):
        return server  # what stands behind it is asked and has not answered yet: it may be busy
    if since and now - since < limits.wedged and any(_was_right(other.work, since, until) for other in others):
        return server  # what stands behind it will be asked again soon, and that tells whose fault it is
    silent = not server.work.flow.failed and now - wedged.silent_since(server.work) < limits.busy
    if silent and any(idle(other.work, now, limits.wedged_silent) is False for other in others):
        return server  # what stands behind it is seen to work: a long prefill keeps a gateway waiting
    told = wedged.judged(server, now, limits)
    if told is server:
        return server
    case = told.cases[-1]
    return change(told, case, evidence=(*case.evidence, *(_health_of(other, now) for other in others)))


class _Alone(NamedTuple):
    """A gateway that fails while a server behind it answers: since when, and in words."""

    since: int
    cause: str
    seen: str


def _alone(server: Server, others: Sequence[Server], now: int, limits: Limits) -> _Alone | None:
    """What shows that a gateway fails alone; None: nothing, or not yet."""
    since, until = _failing(server.work, now, limits)
    if not since:
        return None
    for other in others:
        right = _right(other.work, since, until, limits)
        if right is not None:
            ago = (now - right[1]) / SECOND
            cause = f"the gateway: {other.name} behind it answers directly (canary right {ago:.1f} s ago)"
            seen = f"{other.name} behind it: canary right, asked {(right[0] - since) / SECOND:.1f} s later"
            return _Alone(since, cause, seen)
    return None


def _blamed(server: Server, lasting: Case, others: Sequence[Server], now: int, limits: Limits) -> Server:
    """The stop of a gateway, where nothing told its cause: a server behind it answered since then, and it fails on."""
    if lasting.family != "WEDGED" or lasting.shown in (Sight.BEHIND, Sight.GATEWAY):
        return server
    alone = _alone(server, others, now, limits) or _passed_by(lasting, others)
    if alone is None:
        return server
    said = replace(lasting.statement, kind=Sight.GATEWAY.value, cause=alone.cause, hypotheses=())
    return change(server, lasting, shown=Sight.GATEWAY, statement=said, evidence=(alone.seen, *lasting.evidence))


def _passed_by(lasting: Case, others: Sequence[Server]) -> _Alone | None:
    """While the gateway had a stop, streams that were asked of what stands behind it came whole, and none broke.

    Its canary may have come too late for that. No gateway is called stopped for such streams alone: while one waits for
    a long prefill others may be served beside it.
    """
    for other in others:
        streams = other.streams
        if streams.whole_from > lasting.dead_at and not streams.troubles and not streams.pending:
            later = (streams.whole_from - lasting.dead_at) / SECOND
            seen = f"{other.name} behind it: a stream that was asked for {later:.1f} s later is whole"
            cause = f"the gateway: what {other.name} behind it gives directly is whole"
            return _Alone(lasting.dead_at, cause, seen)
    return None


def _stop(other: Server) -> Case | None:
    """The stop of a server behind a gateway that still lasts: of the server itself, or of its engine's process."""
    lasting = open_one(other)
    if lasting is not None:
        return lasting
    for case in reversed(other.cases):
        if case.of_child and case.until is None and case.family not in NO_STOP:
            return case
    return None


def _theirs(other: Server, case: Case) -> str:
    return f"{other.name}, which stands behind it: {case.family} (see its own stop)"


def _joined(server: Server, lasting: Case, other: Server, case: Case) -> Server:
    """The stop of a gateway, where nothing told its cause: what stands behind it has a stop too, and is the cause."""
    if lasting.family == "WEDGED" and lasting.shown not in (Sight.BEHIND, Sight.GATEWAY):
        shown = Sight.BEHIND
    elif lasting.family == "STOPPED" and lasting.shown in PROBE_RUNGS and lasting.exit is None:
        shown = lasting.shown
    else:
        return server
    if lasting.statement.kind == Sight.BEHIND:
        return server
    said = replace(lasting.statement, kind=Sight.BEHIND.value, cause=_theirs(other, case), hypotheses=())
    evidence = (said_of(other.name, case, lasting.dead_at), *lasting.evidence)
    return change(server, lasting, shown=shown, statement=said, evidence=evidence)


def _health_of(other: Server, now: int) -> str:
    """What is known of a server behind a gateway whose canaries tell nothing."""
    well = other.work.wellness
    if well.health is None or now - well.health_at > 2 * FRESH_NS:
        return f"{other.name} behind it: /health does not answer"
    return f"{other.name} behind it: /health {well.health}"


def _opened(server: Server, now: int, since: int, shown: Sight, cause: str, *seen: str) -> Server:
    base = silence.statement(server, since, shown, 0)
    said = Statement(kind=shown.value, cause=cause, excluded=base.excluded)
    well, flow = server.work.wellness, server.work.flow
    by_health = not flow.progress_at and not flow.answered_at and 0 < well.well_at <= since  # no canary ever told
    alive = Proof(well.well_at, "/health was well", "health") if by_health else None
    return wedged.opened(server, now, since, shown, said, *seen, alive=alive)


def _signs(server: Server, now: int, limits: Limits) -> Iterator[tuple[int, str]]:
    """Since when a gateway keeps its clients from an answer, and by what that is seen, each in words or none.

    A token that comes through it cuts each of them short: what began before that token is another story.
    """
    work, pulse = server.work, server.life.pulse
    served = work.flow.progress_at
    since, _ = _failing(work, now, limits)
    if since:
        yield since, ""
    refused = work.canaries.busy
    if len(refused) >= FAILED_TWICE:
        yield refused[0].asked_at, f"canaries are turned away, the latest with {asked_words.answer_of(refused[-1])}"
    well = work.wellness
    says = well.health is not None and well.health >= ILL and now - well.health_at <= 2 * FRESH_NS
    if says and 0 < well.well_at < well.ill_from and now - max(well.ill_from, served) >= 2 * MOMENT_NS:
        yield max(well.ill_from, served), ""
    closed = pulse.closed >= IN_A_ROW and now - pulse.closed_at <= 2 * FRESH_NS and pulse.closed_since >= served
    if closed and pulse.answered:
        yield pulse.closed_since, f"{probe_words(pulse.closed_by)} in every probe"
    silent_from = max(pulse.mute_since, served)
    if pulse.mute and now - silent_from >= limits.wedged_silent and pulse.answered:
        yield silent_from, f"/health silent for {(now - silent_from) / SECOND:.0f} s"


def _failing(work: Work, now: int, limits: Limits) -> tuple[int, int]:
    """Since when the gateway's canary has failed or got nothing, and until when that was seen; zeros: it has not."""
    found, flow, canary = [], work.flow, work.asked.canary
    if len(flow.failed) >= FAILED_TWICE:
        found.append((flow.failed[0].asked_at, flow.failed[-1].t))
    quiet = [flow.silence]
    if canary is not None and not canary.first_at:
        quiet.append((canary.asked_at, now))
    for began, until in quiet:
        since = max(began, flow.progress_at)  # another's token cuts the silence short
        if until - since >= limits.wedged_silent:
            found.append((since, until))
    return (min(since for since, _ in found), max(until for _, until in found)) if found else (0, 0)


def _was_right(work: Work, since: int, until: int) -> bool:
    """Whether the latest canary of the server behind was right, but too early to tell of the gateway's failure."""
    rights = work.asked.rights
    return bool(rights) and (rights[-1][0] < since or until < rights[-1][1] + MOMENT_NS)


def _right(work: Work, since: int, until: int, limits: Limits) -> tuple[int, int] | None:
    """The canary of the server behind that was asked while its gateway failed, and that was right at once.

    The gateway must have failed on for a moment: at the end of a long prefill both are answered, one before the other.
    """
    for asked, over in reversed(work.asked.rights):
        if asked >= since and over - asked < limits.wedged_silent and until >= over + MOMENT_NS:
            return asked, over
    return None
