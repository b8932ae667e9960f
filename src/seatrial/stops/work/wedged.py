"""WEDGED: work waits, nothing progresses, and the process that should do it idles. Judged at each heartbeat.

How long the silence must last depends on how strong the evidence is (:mod:`seatrial.stops.state.limits`). A server that
is busy may be in a long prefill. A server that sleeps may be waking. A server whose clients do not read has nothing to
do. None of these is a stop.

Public shapes: a scheduler that hangs under a living HTTP layer (llama.cpp 27388, 23268), an engine that died under its
API server (vLLM 39863), a canary that fails while /health is well (llama.cpp 13281).

An example, told as WEDGED where the limit is three seconds (heartbeats and samples of an idle process go on)::

    {"kind":"event","t":1e9,"what":"found","name":"a","pid":7,"incarnation":"i-7"}
    {"kind":"ask","t":2e9,"name":"a","rung":"canary","id":"canary-1","asked_at":1.8e9,"ended_at":2e9,"outcome":"ok"}
    {"kind":"ask","t":3e9,"name":"a","rung":"scheduler","id":"s-1","asked_at":2.9e9,"ended_at":3e9,"outcome":"ok"}
    {"kind":"ask","t":5e9,"name":"a","rung":"canary","id":"canary-2","asked_at":5e9}
    {"kind":"ask","t":6e9,"name":"a","rung":"scheduler","id":"s-2","asked_at":5.5e9}
    {"kind":"probe","t":9e9,"name":"a","listens":true,"owner":7,"health":200}
"""

from __future__ import annotations

from msgspec.structs import replace

from seatrial.stops.evidence.intermediate import gateway_status
from seatrial.stops.evidence.looks import FRESH_NS, idle, looked, waited_for
from seatrial.stops.evidence.programs import forwards
from seatrial.stops.state.case import Case, Statement
from seatrial.stops.state.cases import change, newest, open_case, open_one
from seatrial.stops.state.incarnations import Proof
from seatrial.stops.state.limits import IN_A_ROW, ON_THE_WAY_NS, PLANNED_FOR_NS, Limits
from seatrial.stops.state.server import Server
from seatrial.stops.state.sights import BY_HEALTH, Sight, probe_words
from seatrial.stops.state.work import ILL, Work
from seatrial.stops.telling import silence
from seatrial.stops.work import unanswered, waits
from seatrial.stops.work.unanswered import LOADING, LOADING_NS


def ticked(server: Server, now: int, limits: Limits, *, gap: bool) -> Server:
    """A heartbeat: look how busy the server is, and open a WEDGED where the silence has lasted long enough."""
    work = waits.of_this_life(server.work, server.life)
    askers = waits.askers(work, now)
    work = looked(work, now, waits=bool(askers))
    waiting = waits.waited(work.waits, askers, now)
    if gap or _excused(server, work, now, limits):
        waiting = waits.excused(waiting, now)
    if waiting is not work.waits:
        work = replace(work, waits=waiting)
    server = replace(server, work=work)
    if server.cases:
        server = _mended(server, now)
    return server if work.behind else judged(server, now, limits)


def judged(server: Server, now: int, limits: Limits) -> Server:
    """The server with a WEDGED where its silence has lasted long enough and no other stop explains it."""
    work = server.work
    if work.waits.excused_at == now or (server.cases and (open_one(server) or _without_engine(server))):
        return server
    pulse = server.life.pulse
    found = _by_health(server, now, limits) if pulse.closed or pulse.mute or work.wellness.ill_from else None
    if found is not None:
        return found
    by = _unanswered(server, now, limits) if work.flow.failed or work.canaries.row else None
    if by is not None:
        shown = _how_well(work, now) if by.shown is Sight.CANARY else by.shown
        alive = Proof(by.alive, "the canary's answer", "token") if by.alive else None
        said = silence.statement(server, by.since, shown, 0)
        return opened(server, now, by.since, shown, said, alive=alive)
    if not work.waits.waited_at:
        return server
    shown, need = _by_silence(server, now, limits)
    if shown is Sight.NONE:
        return server
    since = silent_since(work)
    return opened(server, now, since, shown, silence.statement(server, since, shown, need))


def _unanswered(server: Server, now: int, limits: Limits) -> unanswered.Unanswered | None:
    """What canaries show that no stop has told yet."""
    told_until = max((case.until or 0 for case in newest(server)), default=0)
    return unanswered.unanswered(server.work, now, limits, told_until)


def _without_engine(server: Server) -> bool:
    """Whether a stop says already that the process which gave the tokens has ended, and no token came since."""
    told = [case for case in newest(server) if case.of_child and case.family == "STOPPED" and case.until is None]
    return bool(told) and server.work.flow.progress_at <= told[-1].dead_at + ON_THE_WAY_NS


def opened(
    server: Server, now: int, since: int, shown: Sight, said: Statement, *seen: str, alive: Proof | None = None
) -> Server:
    """Begin a WEDGED: from the last progress, or from when work that got nothing began to wait, if that was later."""
    alive = alive or _last_progress(server, since)
    if alive.at > since:  # a canary that failed was counted as work: the last one that was right proves more
        over = max((by for _, by in server.work.asked.rights if by <= since), default=since)
        alive = Proof(over, "the canary's answer", "token")
    return open_case(
        server,
        "WEDGED",
        max(since, alive.at),
        now,
        alive=alive,
        bad_at=now,
        shown=shown,
        statement=said,
        evidence=(*seen, *silence.evidence(server, now, since, shown)),
    )


def sharpened(server: Server, before: Work) -> Server:
    """Let progress that came to light end a WEDGED, sharpen it, or show that there was none."""
    work = server.work
    if work.wellness.well_at != before.wellness.well_at:
        server = _well_again(server, before)
    flow = work.flow
    at = flow.progress_at
    if at == before.flow.progress_at:
        return server
    for case in newest(server):
        if (
            case.family != "WEDGED"
            or case.shown is Sight.SHARE
            or case.statement.withdrawn
            or (case.until is not None and at >= case.until)
        ):
            continue
        server = change(server, case, **_changes(case, Proof(at, flow.progress, "token")))
    return server


def _well_again(server: Server, before: Work) -> Server:
    """The server with those stops over that rest on /health alone: a gateway's too, of which no canary tells."""
    work = server.work
    well_at, was = work.wellness.well_at, before.wellness.health
    told = work.asked.canary or work.canaries.busy or work.flow.failed
    by = BY_HEALTH | ({Sight.BEHIND} if not told and (was is None or was >= ILL) else frozenset())
    for case in newest(server):
        if case.shown in by and case.until is None and well_at > case.opened_at:
            server = change(server, case, until=well_at)
    return server


def _mended(server: Server, now: int) -> Server:
    """The server with a stop over that a share of failed canaries shows, once all of the latest were answered."""
    case = open_one(server)
    if case is not None and case.shown is Sight.SHARE and unanswered.mended(server.work):
        return change(server, case, until=now)
    return server


def silent_since(work: Work) -> int:
    """Since when work waits and nothing has come of it."""
    return max(work.waits.waits_from, work.flow.progress_at, work.flow.answered_at, work.waits.excused_at)


def _by_health(server: Server, now: int, limits: Limits) -> Server | None:
    """The server with a WEDGED that /health alone shows: it was well in this life, and for long it has not been.

    A process that works meanwhile may load another model, for as long as a model is loaded.
    """
    work, pulse, main = server.work, server.life.pulse, server.life.main
    flow, well = work.flow, work.wellness
    visible = main is not None and not forwards(main)
    seen: tuple[str, ...] = ()
    alive, need = Proof(well.well_at, "/health was well", "health"), limits.wedged
    if visible and pulse.closed >= IN_A_ROW and now - pulse.closed_at <= 2 * FRESH_NS and pulse.answered:
        shown, since = Sight.CLOSED, max(pulse.closed_since, flow.progress_at)
        alive = pulse.answered
        seen = (f"{probe_words(pulse.closed_by)} in every probe, while its process lives",)
    elif _says_ill(work, now) and 0 < well.well_at < well.ill_from:
        shown, since = Sight.ILL, max(well.ill_from, flow.progress_at)
    elif visible and _silent(server, now, limits):
        shown, since, need = Sight.SILENT, max(pulse.mute_since, silent_since(work)), limits.wedged_unseen
        alive = pulse.answered or alive
    elif _says_ill(work, now) and _never_worked(work) and now - well.ill_from >= LOADING_NS:
        return opened(server, now, well.ill_from, Sight.ILL, silence.statement(server, well.ill_from, Sight.ILL, 0))
    else:
        return None
    loads = visible and now - since < LOADING_NS and idle(work, now, limits.wedged) is False
    loads = loads and gateway_status(work) is None
    if loads or now - since < need:
        return None
    if flow.progress_at > alive.at:
        alive = Proof(flow.progress_at, flow.progress, "token")
    said = silence.statement(server, since, shown, need)
    return opened(server, now, since, shown, said, *seen, alive=alive)


def _silent(server: Server, now: int, limits: Limits) -> bool:
    """Whether /health was answered in this life and is silent now, and a process that once worked idles.

    Where somebody waits for a token, that wait is judged. A process that never worked may wait for one that does.
    """
    work, pulse = server.work, server.life.pulse
    asked = pulse.mute >= IN_A_ROW and pulse.answered is not None and not work.busy.looks[-1].waits
    return asked and work.engine_seen and bool(idle(work, now, limits.wedged))


def _says_ill(work: Work, now: int) -> bool:
    """Whether /health answers that the server is not well."""
    well = work.wellness
    return well.health is not None and well.health >= ILL and now - well.health_at <= 2 * FRESH_NS


def _never_worked(work: Work) -> bool:
    """Whether nothing shows that the server ever worked in this life, or since /health says that it is not well."""
    return not (work.wellness.well_at or work.asked.rights) and work.flow.progress_at < work.wellness.ill_from


def _by_silence(server: Server, now: int, limits: Limits) -> tuple[Sight, int]:
    """What a WEDGED would rest on, and how long the silence had to last; no sight where there is no WEDGED."""
    work, main = server.work, server.life.main
    since = silent_since(work)
    if not work.busy.looks[-1].waits or now - since < min(limits.wedged_silent, limits.wedged):
        return Sight.NONE, 0
    spent = waited_for(work, since)
    shown, need = Sight.BUSY, limits.busy
    observed = work.engine_seen and not forwards(main) and not work.behind
    if observed and _scheduler_silent(work, now, limits.wedged_silent) and idle(work, now, limits.wedged_silent):
        shown, need = (Sight.SCHEDULER if _healthy(work, now) else _rung(work, now)), limits.wedged_silent
    elif observed and idle(work, now, limits.wedged):
        shown, need = _rung(work, now), limits.wedged
    elif not observed or idle(work, now, limits.wedged) is None:
        shown, need = Sight.UNSEEN, limits.wedged_unseen
    lasted = now - since if shown is Sight.BUSY else spent  # an hour of looks is not kept
    return (shown, need) if lasted >= need and _no_token_came(work, now, since, need) else (Sight.NONE, 0)


def _rung(work: Work, now: int) -> Sight:
    """The first broken rung: that of the engine only where the scheduler was seen to answer."""
    if not _healthy(work, now):
        return Sight.ILL if _says_ill(work, now) else Sight.HTTP
    asked = work.asked
    return Sight.ENGINE if asked.scheduler_at and now - asked.answers_at <= 4 * FRESH_NS else Sight.TOKENS


def _healthy(work: Work, now: int) -> bool:
    """Whether /health answered lately, and not with an error of the server."""
    well = work.wellness
    return well.health is not None and well.health < ILL and now - well.health_at <= 2 * FRESH_NS


def _scheduler_silent(work: Work, now: int, limit: int) -> bool:
    """Whether the engine's own loop was asked, and has not answered for as long as the limit says."""
    silent_from = work.asked.silent_from
    asked = silent_from and now - work.asked.scheduler_at <= 4 * FRESH_NS
    return bool(asked) and now - silent_from >= limit


def _how_well(work: Work, now: int) -> Sight:
    """What /health says while canaries fail."""
    if _healthy(work, now):
        return Sight.CANARY
    return Sight.ERRORS if _says_ill(work, now) else Sight.MUTE


def _no_token_came(work: Work, now: int, since: int, limit: int) -> bool:
    """Whether something shows that no token came, and not only that we do not see any.

    A canary, a request that ended with nothing, a silent scheduler, or live counters that stood still show it. Where
    only clients wait and no slot works, the engine is through with their answers: the clients do not read.
    """
    share, asked, silent = limit // 4, work.asked, work.flow.silence
    canary = asked.canary is not None and now - max(asked.canary.asked_at, since) >= share
    quiet = min(silent[1], now) - max(silent[0], since) >= share
    live = [r for r in work.counted.readings if r.live and r.at >= since]
    if not canary and not quiet and live and live[-1].running == 0 and not asked.silent_from:
        return False
    flat = len(live) >= 3 and not any(r.moved for r in live) and all(r.running for r in live)
    return canary or quiet or flat or (bool(asked.silent_from) and now - asked.silent_from >= share)


def _loads(work: Work, now: int, limits: Limits) -> bool:
    """Whether the 503 may be that of a server that loads: at its start, or shortly if it was well in this life."""
    well = work.wellness
    if well.health != LOADING or now - well.health_at > FRESH_NS:
        return False
    return now - well.ill_from <= (limits.wedged if 0 < well.well_at < well.ill_from else LOADING_NS)


def away(server: Server, now: int) -> bool:
    """Whether the process is dead, stopped or deaf, or about to be ended by us: its silence is of another kind."""
    life = server.life
    if life.main is not None and not life.lives:
        return True
    if life.body.sign is not None and (life.body.sign.stopped_since or life.body.sign.held_since):
        return True
    return life.ear.unheard >= 2 or bool(life.planned_at and now - life.planned_at <= PLANNED_FOR_NS)


def _excused(server: Server, work: Work, now: int, limits: Limits) -> bool:
    """Whether the silence is of another kind, or planned: dead, stopped, deaf, loading, about to be ended by us."""
    if away(server, now) or _loads(work, now, limits):
        return True
    case = open_one(server)
    return case is not None and case.family != "WEDGED"


def _last_progress(server: Server, since: int) -> Proof:
    """The last progress. Without any it is the moment the process was found: a live process proves no progress."""
    flow, main = server.work.flow, server.life.main
    if flow.answered_at > flow.progress_at:
        return Proof(flow.answered_at, "a request was done, and no token of it seen", "token")
    if flow.progress_at:
        return Proof(flow.progress_at, flow.progress, "token")
    found = main.found_at if main is not None else since
    return Proof(min(found, since), "its process was found", "found")


def _changes(case: Case, proof: Proof) -> dict[str, object]:
    """What progress changes of a WEDGED: where it was before the stop, while it lasted, or after it."""
    if proof.at <= case.dead_at:
        return {"alive": proof} if proof.at > case.alive.at else {}
    if proof.at > case.opened_at:
        return {"until": proof.at}
    need = case.statement.need
    if case.opened_at - proof.at >= need * 9 // 10 and need:
        return {"alive": proof, "dead_at": proof.at}
    return {"until": proof.at, "statement": replace(case.statement, withdrawn=True)}
