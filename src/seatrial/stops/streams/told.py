"""A family told from traffic in the words of the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from seatrial.records import SECOND, Family, Stop
from seatrial.stops.state.families import FAMILIES
from seatrial.stops.state.server import Server
from seatrial.stops.state.streams import SaidOf, Trouble

AGAIN_NS = 60 * SECOND
"""Between two tellings of one family while its streams grow more."""


class StreamWords(NamedTuple):
    """What is said of one family told from traffic alone.

    Attributes:
        slug: ends the ids of its stops.
        guesses: what may be behind it.
        alike: public reports of the same shape.
    """

    slug: str
    guesses: Callable[[Trouble], Iterable[str]]
    alike: tuple[str, ...] = ()


def _stalled(trouble: Trouble) -> Iterator[str]:
    yield f"the engine; would show: its own live counters stand still ({_times(trouble, 'engine')})"
    yield f"the network or a gateway; would show: they move on ({_times(trouble, 'network or gateway')})"


OWN: dict[Family, StreamWords] = {
    "STREAM STALL": StreamWords("stall", _stalled),
    "TRUNCATED": StreamWords(
        "truncated",
        lambda _: (
            "the server gave the stream up; would show: a line in its log at that moment (not read)",
            "a proxy between cut it; would show: the same request asked directly ends well (not asked)",
        ),
        ("ollama/ollama #17836: HTTP 200, and the stream ends without its end",),
    ),
    "EMPTY": StreamWords(
        "empty",
        lambda _: (
            "the model gives its end at once; would show: completion tokens of 0 or 1 in its usage",
            "what it made was taken away (a stop string, a marker, blanks); would show: completion tokens above 1",
            "broken numbers in the engine; would show: the canary is wrong or empty too",
        ),
        ("ggml-org/llama.cpp #23438: 200 with empty content",),
    ),
    "FAILED IN-BAND": StreamWords(
        "in-band",
        lambda _: ("the engine failed on this request; would show: the same words in its log (not read)",),
        ("vllm-project/guidellm #743: an error inside a stream that was 200",),
    ),
}


def all_stops(server: Server, behind: Sequence[Server] = ()) -> list[Stop]:
    """Every family of an endpoint that has streams, in its last form.

    Args:
        behind: what stands behind it, where it is a gateway.
    """
    return [stop_of_streams(server, trouble, _cause(trouble, behind)) for trouble in server.streams.troubles.values()]


def handed_out(server: Server, behind: Sequence[Server], now: int) -> tuple[Server, tuple[Stop, ...]]:
    """What is to be handed out now: what is new or has another cause, and once a minute what has grown."""
    said_of, found = dict(server.streams.said_of), []
    for family, trouble in server.streams.troubles.items():
        cause, said = _cause(trouble, behind), said_of.get(family)
        grown = said is not None and trouble.streams > said.streams and now - said.at >= AGAIN_NS
        if said is None or grown or cause != said.cause:
            said_of[family] = SaidOf(trouble.streams, now, cause)
            found.append(stop_of_streams(server, trouble, cause))
    if not found:
        return server, ()
    return replace(server, streams=replace(server.streams, said_of=said_of)), tuple(found)


def stop_of_streams(server: Server, trouble: Trouble, cause: str) -> Stop:
    """The stop that the streams of one family amount to."""
    first, main, own = trouble.first, server.life.main, OWN[trouble.first.family]
    return Stop(
        id=f"{server.name}-{own.slug}",
        name=server.name,
        family=first.family,
        kind=max(trouble.kinds, key=lambda kind: trouble.kinds[kind]),
        alive_at=first.alive_at,
        dead_at=first.dead_at,
        seen_at=first.seen_at,
        until=trouble.until,
        proof=first.proof,
        rung=FAMILIES[first.family].rung,
        pid=main.pid if main else 0,
        incarnation=main.incarnation if main else "",
        evidence=tuple(_evidence(trouble)),
        excluded=("death (its process ran on)",) if main is not None and server.life.lives else (),
        cause=cause,
        hypotheses=tuple(own.guesses(trouble)) if cause.startswith("UNKNOWN") else (),
        suspects=trouble.ids,
        streams=trouble.streams,
        alike=own.alike,
    )


def _evidence(trouble: Trouble) -> Iterator[str]:
    yield f"{trouble.first.id}: {trouble.first.text}; {trouble.first.meanwhile}"
    if trouble.streams > 1:
        kinds = ", ".join(f"{count} {kind}" for kind, count in trouble.kinds.items() if kind)
        last = f", the last {(trouble.last_at - trouble.first.dead_at) / SECOND:.0f} s after the first"
        yield f"{trouble.streams} streams so far{f' ({kinds})' if kinds else ''}{last}"
    if trouble.first.why:
        yield trouble.first.why


def _cause(trouble: Trouble, behind: Sequence[Server]) -> str:
    """The cause, where the server's counters say the same of every stream, or the server behind a gateway is well."""
    well = [other.name for other in behind if _is_well(other, trouble)]
    if behind and len(well) == len(behind):
        return f"the gateway: what {' and '.join(well)} behind it gives directly is whole"
    if trouble.first.family == "FAILED IN-BAND":
        return "UNKNOWN: what the server itself says of it stands in the evidence"
    if trouble.first.family != "STREAM STALL" or len(trouble.faults) != 1 or "" in trouble.faults:
        return "UNKNOWN"
    return f"{trouble.first.fault}: {trouble.first.why}"


def _is_well(other: Server, trouble: Trouble) -> bool:
    """Whether streams asked of the server behind, after the first one broke at the gateway, were all in order."""
    family, streams = trouble.first.family, other.streams
    spoilt = family in streams.troubles or any(broken.family == family for broken in streams.pending)
    return streams.whole_from > trouble.first.dead_at and not spoilt


def _times(trouble: Trouble, fault: str) -> str:
    count = trouble.faults.get(fault, 0)
    return f"seen in {count} of {trouble.streams} streams" if count else "not seen"
