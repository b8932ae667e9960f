"""A family told from traffic in the words of the record."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from seatrial.records import Family, Stop
from seatrial.verdict.alike import OF_STREAMS
from seatrial.verdict.stops_state import SECOND, Server
from seatrial.verdict.stops_work_state import Trouble

AGAIN_NS = 60 * SECOND
"""Between two tellings of one family while its streams grow more."""
SLUGS: dict[Family, str] = {
    "STREAM STALL": "stall",
    "TRUNCATED": "truncated",
    "EMPTY": "empty",
    "FAILED IN-BAND": "in-band",
}
RUNGS: dict[Family, str] = {
    "STREAM STALL": "tokens arrive",
    "TRUNCATED": "the answer's end",
    "EMPTY": "the answer's content",
    "FAILED IN-BAND": "the answer's content: an error under status 200",
}
GUESSES: dict[Family, tuple[str, ...]] = {
    "TRUNCATED": (
        "the server gave the stream up; would show: a line in its log at that moment (not read)",
        "a proxy between cut it; would show: the same request asked directly ends well (not asked)",
    ),
    "EMPTY": (
        "the model gives its end at once; would show: completion tokens of 0 or 1 in its usage",
        "broken numbers in the engine; would show: the canary is wrong or empty too",
    ),
    "FAILED IN-BAND": ("the engine failed on this request; would show: the same words in its log (not read)",),
}


def stops(server: Server) -> list[Stop]:
    """Every family of an endpoint that has streams, in its last form."""
    return [stop_of(server, trouble) for trouble in server.streams.troubles.values()]


def given(server: Server, now: int) -> tuple[Server, tuple[Stop, ...]]:
    """What is to be handed out at this heartbeat: what is new, and once a minute what has grown."""
    due = {
        family: trouble
        for family, trouble in server.streams.troubles.items()
        if not trouble.said or (trouble.streams > trouble.said and now - trouble.said_at >= AGAIN_NS)
    }
    if not due:
        return server, ()
    said = {family: replace(trouble, said=trouble.streams, said_at=now) for family, trouble in due.items()}
    streams = replace(server.streams, troubles={**server.streams.troubles, **said})
    return replace(server, streams=streams), tuple(stop_of(server, trouble) for trouble in due.values())


def stop_of(server: Server, trouble: Trouble) -> Stop:
    """The stop that the streams of one family amount to."""
    first, main = trouble.first, server.main
    return Stop(
        id=f"{server.name}-{SLUGS[first.family]}",
        name=server.name,
        family=first.family,
        kind=max(trouble.kinds, key=lambda kind: trouble.kinds[kind]),
        alive_at=first.alive_at,
        dead_at=first.dead_at,
        seen_at=first.seen_at,
        until=trouble.until,
        proof=first.proof,
        rung=RUNGS[first.family],
        pid=main.pid if main else 0,
        incarnation=main.incarnation if main else "",
        evidence=tuple(_evidence(trouble)),
        excluded=("death (its process ran on)",) if main is not None and server.lives else (),
        cause=_cause(trouble),
        hypotheses=tuple(_hypotheses(trouble)),
        suspects=trouble.ids,
        streams=trouble.streams,
        alike=(OF_STREAMS[first.family],) if first.family in OF_STREAMS else (),
    )


def _evidence(trouble: Trouble) -> Iterator[str]:
    yield f"{trouble.first.id}: {trouble.first.text}"
    if trouble.streams > 1:
        kinds = ", ".join(f"{count} {kind}" for kind, count in trouble.kinds.items() if kind)
        yield f"{trouble.streams} streams so far{f' ({kinds})' if kinds else ''}"
    if trouble.first.why:
        yield trouble.first.why


def _cause(trouble: Trouble) -> str:
    """Named only where the server's own counters say of every stream the same."""
    if trouble.first.family == "FAILED IN-BAND":
        return "UNKNOWN: what the server itself says of it stands in the evidence"
    if trouble.first.family != "STREAM STALL" or len(trouble.faults) != 1 or "" in trouble.faults:
        return "UNKNOWN"
    return f"{trouble.first.fault}: {trouble.first.why}"


def _hypotheses(trouble: Trouble) -> Iterator[str]:
    family = trouble.first.family
    if family != "STREAM STALL":
        yield from GUESSES[family]
    elif len(trouble.faults) != 1 or "" in trouble.faults:
        yield f"the engine; would show: its own live counters stand still ({_times(trouble, 'engine')})"
        yield f"the network or a gateway; would show: they move on ({_times(trouble, 'network or gateway')})"


def _times(trouble: Trouble, fault: str) -> str:
    count = trouble.faults.get(fault, 0)
    return f"seen in {count} of {trouble.streams} streams" if count else "not seen"
