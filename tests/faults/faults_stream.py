"""Faults of streams, done at event n by a gateway in front of a right server, and the gateway's own."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.rows import Expected, Row, Trial


def behind(t: Trial) -> None:
    """A right server behind a gateway; a client, or the canary alone, is who will be struck."""
    gateway = t.front(t.serve())
    t.facts["gateway"] = gateway
    t.facts["canary"] = t.rng.random() < 0.5
    t.watch.add(gateway, canary=t.facts["canary"])
    if not t.facts["canary"]:
        t.watch.traffic(gateway)


def clients_behind(t: Trial) -> None:
    """A right server behind a gateway, and clients: the line of a canary does not hold its finish_reason."""
    t.facts["gateway"] = gateway = t.front(t.serve())
    t.facts["canary"] = False
    t.watch.add(gateway)
    t.watch.traffic(gateway)
    t.facts["streams"] = 3


def both_sides(t: Trial) -> None:
    """A gateway and the server behind it, both watched and both spoken to; the operator has said how they stand."""
    server = t.serve()
    t.facts["gateway"] = gateway = t.front(server)
    t.watch.add(gateway, canary=True)
    t.watch.add(server, "b", canary=True)
    t.watch.tell("behind", "a", "b")
    t.watch.traffic(gateway, clients=1)
    t.watch.traffic(server, "b", clients=1)


def spoil(how: str) -> Callable[[Trial], None]:
    """A stream, after event n. A canary has one token, and asks again after an empty answer."""

    def strike(t: Trial) -> None:
        canary = bool(t.facts["canary"])
        event = 1 if canary else t.rng.randrange(1, 3 if t.server.real else 15)
        streams = 4 if canary and how == "empty" else 1
        t.struck_at = t.facts["gateway"].order("spoil", how=how, event=event, streams=streams).at

    return strike


def drop(t: Trial) -> None:
    """The gateway drops each stream half-way."""
    t.struck_at = t.facts["gateway"].order("spoil", how="drop", event=1, streams=1_000_000).at


def cut_off(t: Trial) -> None:
    """The gateway holds every stream, or closes each connection unanswered; what is behind it is well."""
    how = t.rng.choice(["refuse", "hold"])
    t.struck_at = t.facts["gateway"].order("spoil", how=how, event=1, streams=1_000_000).at


COUNTED = ("counters",)
"""While the gateway keeps an answer back, only the server's counters tell that its engine has nothing to do."""

FAULTS = (
    Row(id="F11", title="stream stalls after event n", setup=behind, strike=spoil("stall"), ticks=9, real=True,
        expected=(Expected(family="STREAM STALL", cause=("network or gateway",)),), rests_on=COUNTED),
    Row(id="F12", title="stream stalls, keep-alive comments go on", setup=behind, strike=spoil("ping"), ticks=11,
        real=True, expected=(Expected(family="STREAM STALL", cause=("network or gateway",)),), rests_on=COUNTED),
    Row(id="F13", title="stream ends without finish_reason and [DONE]", setup=behind, strike=spoil("cut"), real=True,
        expected=(Expected(family="TRUNCATED"),), rests_on=COUNTED),
    Row(id="F14", title="[DONE] without finish_reason", setup=clients_behind, strike=spoil("unfinished"), real=True,
        expected=(Expected(family="TRUNCATED"),), rests_on=COUNTED),
    Row(id="F15", title="error inside a 200 stream", setup=behind, strike=spoil("error"), real=True,
        expected=(Expected(family="FAILED IN-BAND"),), rests_on=COUNTED),
    Row(id="F16", title="200 with an empty answer", setup=behind, strike=spoil("empty"), real=True,
        expected=(Expected(family="EMPTY"),), rests_on=COUNTED),
    Row(id="F27", title="gateway holds or refuses streams, the server behind it is right", setup=both_sides,
        strike=cut_off, ticks=20, real=True,
        expected=(Expected(family="WEDGED", cause=("the gateway",), also=("STREAM STALL", "TRUNCATED")),)),
    Row(id="F27b", title="gateway drops streams half-way, the server behind it is right", setup=both_sides,
        strike=drop, ticks=7, expected=(Expected(family="TRUNCATED", cause=("the gateway",)),)),
)  # fmt: skip
