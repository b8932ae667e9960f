"""The reader of requests: who was in flight, and what their bytes and tokens prove."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from seatrial.records import LoadRow, Received, Sent
from seatrial.stops.process import deaf
from seatrial.stops.process.children import acquitted
from seatrial.stops.state.cases import acquits, change, proved, proved_by, told
from seatrial.stops.state.incarnations import Ended, Proof
from seatrial.stops.state.server import Requests, Server, State
from seatrial.stops.state.work import landed, latest

ENDED_KEPT = 64


def sent(server: Server, line: Sent, _: State) -> Server:
    """A request is on its way."""
    old = server.requests
    flying = {**old.in_flight, line.id: line.t}
    return replace(server, requests=Requests(flying, old.ended, old.spoken_at or line.t))


def received(server: Server, line: Received, _: State) -> Server:
    """An answer is over: its last two reads, and those around each stop, are proofs of life."""
    text = f"bytes of the answer to {line.id}"
    last = [at for at, _ in line.frames[-2:]]
    bounds = [case.dead_at for case in server.cases if case.dead_at < (last[-1] if last else 0)]
    for bound in bounds:  # the bytes that came before a stop, and the first that came after it
        before = [at for at, _ in line.frames if at <= bound]
        after = [at for at, _ in line.frames if at > bound]
        last += [*before[-1:], *after[:1]]
    over = Ended(line.id, line.sent_at, line.ended_at, not line.error)
    return _over(server, over, sorted(set(last)), text, refused=line.error == "refused")


def load_row(server: Server, line: LoadRow, _: State) -> Server:
    """A soak request is over: its first and last token, and those around its longest silence, are proofs of life."""
    over = Ended(line.id, line.sent_at, line.ended_at, bool(line.finish_reason))
    return _over(server, over, told(line), f"a token of {line.id}", refused=line.outcome == "refused")


def several(
    server: Server, lines: Sequence[Sent | LoadRow], names: Sequence[str], times: Sequence[Sequence[int]]
) -> Server:
    """A server without a stop after several requests left or came to their end well: :func:`sent`, :func:`load_row`.

    Args:
        names: of these requests.
        times: of the tokens of those that are over.
    """
    old = server.requests
    flying, spoken, over = {**old.in_flight}, old.spoken_at, list[LoadRow]()
    for line, name in zip(lines, names, strict=True):
        if type(line) is LoadRow:
            flying.pop(name, None)
            over.append(line)
        else:
            flying[name] = line.t
            spoken = spoken or line.t
    ended = [Ended(row.id, row.sent_at, row.ended_at, bool(row.finish_reason)) for row in over[-ENDED_KEPT:]]
    requests = Requests(flying, (*old.ended, *ended)[-ENDED_KEPT:], spoken)
    return proved_by(server, over, times, requests)


def _over(server: Server, ended: Ended, times: Sequence[int], text: str, *, refused: bool) -> Server:
    """A request is over, and the bytes or tokens of these times came for it."""
    old = server.requests
    proofs = tuple([Proof(at, text, "token") for at in times])
    requests = Requests(landed(old.in_flight, ended.id), latest(old.ended, ended, ENDED_KEPT), old.spoken_at)
    life = deaf.refused(server.life, ended.ended_at) if refused else server.life
    server = proved(server, proofs, life, requests)
    if server.children.child_ends:
        server = acquitted(server, ended)
    for case in server.cases:
        if ended.id in case.suspects and acquits(ended, case.dead_at):
            server = change(server, case, suspects=case.suspects - {ended.id})
    return server
