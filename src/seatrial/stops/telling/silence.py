"""What is said of a WEDGED: its evidence, what the silence is not, and what may be behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from seatrial.records import SECOND
from seatrial.stops.evidence.intermediate import gateway_status
from seatrial.stops.evidence.programs import forwards
from seatrial.stops.state.case import Statement
from seatrial.stops.state.server import Server
from seatrial.stops.state.sights import BY_CANARIES, BY_HEALTH, Sight
from seatrial.stops.state.work import Look, Work
from seatrial.stops.telling import asked_words

ENGINE_NS = 10 * SECOND
"""A process of the tree that ended so shortly before the silence may have been the engine."""
HELD_SHOWN = 4
"""Processes that are held, as many as are named."""


def evidence(server: Server, now: int, since: int, shown: Sight) -> tuple[str, ...]:
    """What was seen, rung by rung."""
    return tuple(_evidence(server, now, since, shown))


def statement(server: Server, since: int, shown: Sight, need: int) -> Statement:
    """What the silence is not, what may be behind it, and UNKNOWN for its cause. ``need``: how long it had to last."""
    told = "no evidence tells why " + ("/health is not well" if shown in BY_HEALTH else "the engine does not work on")
    status = gateway_status(server.work)
    if status is not None:
        told = f"by status {status} it says itself that what stands behind it fails; --behind names that"
    elif server.work.machine.held:
        told = f"{_held(server.work)}; the sender of a stop signal is not observable without audit rights"
    return Statement(
        need=need,
        cause=f"UNKNOWN: {told}",
        hypotheses=tuple(_hypotheses(server, since, shown)),
        excluded=tuple(_excluded(server, since)),
    )


def measured(work: Work, since: int) -> tuple[Look, Look] | None:
    """The first and the last look at its processes within the silence, where there are two."""
    seen = [look for look in work.busy.looks if look.cpu is not None and look.at >= since]
    return (seen[0], seen[-1]) if len(seen) > 1 else None


def cpu_share(work: Work, since: int) -> float | None:
    """Percent of one core that the whole tree used within the silence; None: not observed."""
    ends = measured(work, since)
    if ends is None or ends[0].cpu is None or ends[1].cpu is None:
        return None
    return 100 * (ends[1].cpu - ends[0].cpu) / (ends[1].at - ends[0].at)


def _evidence(server: Server, now: int, since: int, shown: Sight) -> Iterator[str]:
    work, health, asked = server.work, server.work.wellness.health, server.work.asked
    if shown in BY_CANARIES:
        yield asked_words.unanswered(work, shown)
    yield f"/health: {health}" if health is not None else "/health: no answer"
    if asked.silent_from:
        yield f"scheduler silent for {(now - asked.silent_from) / SECOND:.0f} s"
    elif asked.scheduler_at:
        yield f"scheduler answers, {(now - asked.answers_at) / SECOND:.0f} s ago"
    flying = len(work.flow.flying)
    if flying:
        yield f"{flying} request{'s' * (flying > 1)} of clients in flight"
    canary = asked.canary
    if canary is not None and shown not in BY_CANARIES:
        pings = f", {canary.comments} keep-alive comments" if canary.comments else ""
        yield f"canary: asked {(now - canary.asked_at) / SECOND:.0f} s ago, no token{pings}"
    readings = reversed(work.counted.readings)
    running = next((r.running for r in readings if r.at >= since and r.running is not None), None)
    if running is not None:
        yield f"the server counts {running} being worked on, and no token since"
    share, ends = cpu_share(work, since), measured(work, since)
    if share is None or ends is None:
        yield "CPU: not observable here"
    else:
        yield f"CPU: {share:.1f} % of one core over {(ends[1].at - ends[0].at) / SECOND:.0f} s, its whole process tree"
    yield _gpu(work, since)
    if work.machine.held:
        yield _held(work)


def _held(work: Work) -> str:
    """``its process 812 is held, in state T``: one of its tree, for which the others may wait."""
    pids = sorted(work.machine.held, key=work.machine.held.__getitem__)
    who = f"process {pids[0]} is" if len(pids) == 1 else f"processes {', '.join(map(str, pids[:HELD_SHOWN]))} are"
    return f"its {who} held by a signal or a debugger, in state T"


def _gpu(work: Work, since: int) -> str:
    machine = work.machine
    if machine.gpu_at <= since:
        return "GPU: none observed"
    whose = "ours" if machine.gpu_joined else "whose could not be told"
    if machine.gpu_busy_at > since:
        return f"GPU: busy within the silence ({whose})"
    return "GPU: not busy"


def _excluded(server: Server, since: int) -> Iterator[str]:
    work, share = server.work, cpu_share(server.work, since)
    main, sign = server.life.main, server.life.body.sign
    if forwards(main):
        return  # what is seen is not the server
    if work.engine_seen and share is not None and share < 2 and work.machine.gpu_busy_at <= since:
        yield f"a long prefill (CPU {share:.1f} % of one core, no GPU busy)"
    if sign is not None and sign.state not in (None, "T", "t") and not work.machine.held:
        yield f"a stop by a signal (its process is in state {sign.state})"
    said = {meter.asleep for meter in work.counted.meters.values()}
    if False in said and True not in said:
        yield "asleep (the server says it is awake)"


def _hypotheses(server: Server, since: int, shown: Sight) -> Iterator[str]:
    """What may be behind the silence, likeliest first, each with what would show it and whether that was seen."""
    machine, share, main = server.work.machine, cpu_share(server.work, since), server.life.main
    status = gateway_status(server.work)
    if main is None or forwards(main) or status is not None or shown is Sight.CLOSED:
        seen = f"status {status} seen, " if status is not None else ""
        yield (
            "what stands behind the address ended or is not ready; would show: its own process"
            f" ({seen}not observable here)"
        )
    if forwards(main) or status is not None:
        return
    if machine.child_gone_at and since - machine.child_gone_at <= ENGINE_NS:
        yield f"its engine's process died; would show: a process of its tree gone (seen: {machine.child_gone})"
    elif main is not None:
        yield "its engine's process died; would show: a process of its tree gone (not seen)"
    read = machine.last_threads
    states = Counter(state for _, _, state, _, _ in read.threads if read.t >= since) if read else Counter()
    seen = "not read" if not states else ("not so" if states["R"] else "seen: none runs")
    if shown is not Sight.BUSY:
        yield f"a deadlock; would show: every thread sleeps and no CPU time is used ({seen})"
    spins = (
        "seen" if states["R"] == 1 and share is not None and share > 50 else ("not read" if not states else "not so")
    )
    yield f"a livelock; would show: one thread runs all the time ({spins})"
    hung = "seen" if machine.gpu_busy_at > since else ("not seen" if machine.gpu_at > since else "no GPU observed")
    yield f"its GPU hangs; would show: a GPU busy without progress, or an Xid ({hung})"
    if shown in (Sight.UNSEEN, Sight.BUSY):
        yield "a queue or a prefill longer than the limit; would show: it goes on by itself (not seen yet)"
