"""WEDGED: work waits, nothing progresses, and the process that should do it idles. Judged at each heartbeat.

How long the silence must last depends on how strong the evidence is (:mod:`seatrial.stops.state.limits`). A server that
is busy may be in a long prefill, one that sleeps may be waking, and one whose clients do not read has nothing to do:
none of these is a stop. Public shapes: a scheduler that hangs under a living HTTP layer (llama.cpp 27388, 23268), an
engine that died under its API server (vLLM 39863), a canary that fails while /health is well (llama.cpp 13281).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from seatrial.records import SECOND
from seatrial.stops.evidence import sights
from seatrial.stops.evidence.looks import (
    FRESH_NS,
    idle,
    looked,
    waited,
)
from seatrial.stops.evidence.programs import forwards
from seatrial.stops.evidence.sights import words
from seatrial.stops.state.cases import (
    change,
    open_case,
    open_one,
)
from seatrial.stops.state.limits import IN_A_ROW, Limits
from seatrial.stops.state.server import Case, Proof, Server
from seatrial.stops.state.work import (
    ILL,
    Told,
    Work,
)
from seatrial.stops.telling import wedged as told
from seatrial.stops.work.seen import FAILED_KEPT

LULL_NS = 60 * SECOND
"""Without anybody who waits for so long, a later wait is another one; a canary comes more often."""
STALE_NS = 600 * SECOND
"""A request older than this may have lost its client: nobody says that it still waits."""
LOADING = 503
LOADING_NS = 600 * SECOND
"""Longer than this no server loads: what says so is not well."""
PLANNED_FOR_NS = 60 * SECOND


def ticked(server: Server, now: int, limits: Limits, *, gap: bool) -> Server:
    """A heartbeat: look how busy it is, and open a WEDGED where the silence has lasted long enough."""
    work = _of(server)
    asked = _asked(work, now)
    work = _waited(looked(work, now, waits=bool(asked)), asked, now)
    if gap or _excused(server, work, now, limits):
        work = replace(work, excused_at=now)
    server = replace(server, work=work)
    return server if work.behind else judged(server, now, limits)


def judged(server: Server, now: int, limits: Limits) -> Server:
    """The server with a WEDGED where its silence has lasted long enough and no other stop explains it."""
    work = server.work
    if work.excused_at == now or open_one(server) is not None:
        return server
    ill = _ill(server, now, limits) if server.closed or work.ill_from else None
    if ill is not None:
        return ill
    if not (work.waited_at or work.failed):
        return server
    shown, need = _wedged(server, now, limits)
    if not shown:
        return server
    since = work.failed[0].asked_at if shown in sights.FAILING else silent_since(work)
    return opened(server, now, since, shown, told.told(server, since, shown, need))


def opened(server: Server, now: int, since: int, shown: str, said: Told, *seen: str,
           alive: Proof | None = None) -> Server:  # fmt: skip
    """Begin a WEDGED: from the last progress, or from when work that got nothing began to wait, if that was later."""
    alive = alive or _last_progress(server, since)
    if alive.at > since:  # a canary that failed was counted as work: the last one that was right proves more
        over = max((by for _, by in server.work.rights if by <= since), default=since)
        alive = Proof(over, "the canary's answer", "token")
    return open_case(server, "WEDGED", max(since, alive.at), now, alive=alive, bad_at=now, shown=shown, told=said,
                     evidence=(*seen, *told.evidence(server, now, since, shown)))  # fmt: skip


def narrowed(server: Server, before: Work) -> Server:
    """Let progress that came to light end a WEDGED, sharpen it, or show that there was none."""
    if server.cases and server.work.well_at != before.well_at:
        server = _well_again(server)
    at = server.work.progress_at
    if at == before.progress_at or not server.cases:
        return server
    for case in server.cases[-4:]:
        if case.family != "WEDGED" or case.told.withdrawn or (case.until is not None and at >= case.until):
            continue
        server = change(server, case, **_changes(case, Proof(at, server.work.progress, "token")))
    return server


def _well_again(server: Server) -> Server:
    """The server with those over that rest on /health alone."""
    for case in server.cases[-4:]:
        if case.shown in sights.BY_HEALTH and case.until is None and server.work.well_at > case.opened_at:
            server = change(server, case, until=server.work.well_at)
    return server


def silent_since(work: Work) -> int:
    """Since when work waits and nothing has come of it."""
    return max(work.waits_from, work.progress_at, work.answered_at, work.excused_at)


def _ill(server: Server, now: int, limits: Limits) -> Server | None:
    """The server with a WEDGED that /health alone shows: it was well in this life, and for long it has not been.

    A process that works meanwhile may load another model, for as long as a model is loaded.
    """
    work, visible = server.work, server.main is not None and not forwards(server.main)
    seen: tuple[str, ...] = ()
    alive = Proof(work.well_at, "/health was well", "health")
    if visible and server.closed >= IN_A_ROW and now - server.closed_at <= 2 * FRESH_NS and server.answered:
        shown, since = "closed", max(server.closed_since, work.progress_at)
        alive, seen = server.answered, (f"{words(server.closed_by)} in every probe, while its process lives",)
    elif _says_ill(work, now) and 0 < work.well_at < work.ill_from:
        shown, since = "ill", max(work.ill_from, work.progress_at)
    else:
        return None
    loads = visible and now - since < LOADING_NS and idle(work, now, limits.wedged) is False
    if loads or now - since < limits.wedged:
        return None
    if work.progress_at > alive.at:
        alive = Proof(work.progress_at, work.progress, "token")
    said = told.told(server, since, shown, limits.wedged)
    return opened(server, now, since, shown, said, *seen, alive=alive)


def _says_ill(work: Work, now: int) -> bool:
    """Whether /health answers that it is not well."""
    return work.health is not None and work.health >= ILL and now - work.health_at <= 2 * FRESH_NS


def _wedged(server: Server, now: int, limits: Limits) -> tuple[str, int]:
    """In one word what a WEDGED would rest on, and how long the silence had to last; empty: there is none."""
    work = server.work
    if _canary_fails(work, now):
        return ("canary" if _healthy(work, now) else "errors"), 0
    since = silent_since(work)
    if not work.looks[-1].waits or now - since < min(limits.wedged_silent, limits.wedged):
        return "", 0
    spent = waited(work, since)
    shown, need = "busy", limits.busy
    observed = work.engine_seen and not forwards(server.main) and not work.behind
    if observed and _scheduler_silent(work, now, limits.wedged_silent) and idle(work, now, limits.wedged_silent):
        shown, need = ("scheduler" if _healthy(work, now) else _rung(work, now)), limits.wedged_silent
    elif observed and idle(work, now, limits.wedged):
        shown, need = _rung(work, now), limits.wedged
    elif not observed or idle(work, now, limits.wedged) is None:
        shown, need = "unseen", limits.wedged_unseen
    lasted = now - since if shown == "busy" else spent  # an hour of looks is not kept
    return (shown, need) if lasted >= need and _witnessed(work, now, since, need) else ("", 0)


def _rung(work: Work, now: int) -> str:
    """The first broken rung: that of the engine only where the scheduler was seen to answer."""
    if not _healthy(work, now):
        return "ill" if _says_ill(work, now) else "http"
    return "engine" if work.scheduler_at and now - work.answers_at <= 4 * FRESH_NS else "tokens"


def _healthy(work: Work, now: int) -> bool:
    return work.health is not None and work.health < ILL and now - work.health_at <= 2 * FRESH_NS


def _scheduler_silent(work: Work, now: int, limit: int) -> bool:
    asked = work.silent_from and now - work.scheduler_at <= 4 * FRESH_NS
    return bool(asked) and now - work.silent_from >= limit


def _canary_fails(work: Work, now: int) -> bool:
    """Three canaries in a row ended in an error or in nothing, where one had worked, and nothing else progressed."""
    thrice = len(work.failed) >= FAILED_KEPT and now - work.failed[-1].t <= LULL_NS
    return thrice and bool(work.rights) and (_healthy(work, now) or _says_ill(work, now))


def _witnessed(work: Work, now: int, since: int, limit: int) -> bool:
    """Whether something shows that no tokens came, and not only that we do not see any.

    A canary, a request that ended with nothing, a silent scheduler, or live counters that stood still. Where only
    clients wait and no slot works, the engine is through with their answers: it is they who do not read.
    """
    share = limit // 4
    canary = work.canary is not None and now - max(work.canary.asked_at, since) >= share
    quiet = min(work.silence[1], now) - max(work.silence[0], since) >= share
    live = [r for r in work.readings if r.live and r.at >= since]
    if not canary and not quiet and live and live[-1].running == 0 and not work.silent_from:
        return False
    flat = len(live) >= 3 and not any(r.moved for r in live) and all(r.running for r in live)
    silent = bool(work.silent_from) and now - work.silent_from >= share
    return canary or quiet or flat or silent


def _of(server: Server) -> Work:
    """The work of this incarnation: what waited for another one is over."""
    work, main = server.work, server.main
    who = "" if main is None else main.incarnation or str(main.pid)
    if who == work.who or main is None or not who:
        return work
    if not work.who or work.who == str(main.pid):
        return replace(work, who=who)
    flying = {name: at for name, at in work.flying.items() if at >= main.found_at}
    if work.well_at < main.found_at:
        work = replace(work, well_at=0, ill_from=work.ill_from if work.ill_from >= main.found_at else 0)
    return replace(work, who=who, flying=flying, canary=None, failed=(), silence=(0, 0), excused_at=main.found_at,
                   silent_from=0, meters={}, readings=(), looks=(), toiled=False, processes={}, rights=(),
                   waits_from=0)  # fmt: skip


def _asked(work: Work, now: int) -> list[int]:
    """When those were asked that wait for the engine."""
    asked = [at for at in work.flying.values() if now - at < STALE_NS] if work.flying else []
    return asked if work.canary is None or work.canary.first_at else [*asked, work.canary.asked_at]


def _waited(work: Work, asked: Sequence[int], now: int) -> Work:
    """Since when somebody waits."""
    if asked:
        return replace(work, waits_from=work.waits_from or min(asked), waited_at=now)
    if work.waits_from and now - work.waited_at > LULL_NS:
        return replace(work, waits_from=0)
    return work


def _loads(work: Work, now: int, limits: Limits) -> bool:
    """Whether its 503 may be that of a server that loads: at its start, or shortly if it was well in this life."""
    if work.health != LOADING or now - work.health_at > FRESH_NS:
        return False
    return now - work.ill_from <= (limits.wedged if 0 < work.well_at < work.ill_from else LOADING_NS)


def _excused(server: Server, work: Work, now: int, limits: Limits) -> bool:
    """Whether its silence is of another kind, or planned: dead, stopped, deaf, loading, about to be ended by us."""
    if server.main is not None and not server.lives:
        return True
    if server.sign is not None and server.sign.stopped_since:
        return True
    if server.unheard >= 2 or _loads(work, now, limits):
        return True
    if server.planned_at and now - server.planned_at <= PLANNED_FOR_NS:
        return True
    case = open_one(server)
    return case is not None and case.family != "WEDGED"


def _last_progress(server: Server, since: int) -> Proof:
    """The last progress; where there was none, the moment it was found: that its process lives proves nothing here."""
    work = server.work
    if work.answered_at > work.progress_at:
        return Proof(work.answered_at, "a request was done, and no token of it seen", "token")
    if work.progress_at:
        return Proof(work.progress_at, work.progress, "token")
    found = server.main.found_at if server.main is not None else since
    return Proof(min(found, since), "its process was found", "found")


def _changes(case: Case, proof: Proof) -> dict[str, object]:
    if proof.at <= case.dead_at:
        return {"alive": proof} if proof.at > case.alive.at else {}
    if proof.at > case.opened_at:
        return {"until": proof.at}
    if case.opened_at - proof.at >= case.told.need * 9 // 10 and case.told.need:
        return {"alive": proof, "dead_at": proof.at}
    return {"until": proof.at, "told": replace(case.told, withdrawn=True)}
