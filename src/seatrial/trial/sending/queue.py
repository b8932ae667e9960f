"""Whether a request waited for another one of ours: then its wait says nothing of the server.

A server may answer one request at a time, and need not say so. Of two that we send at once the second then waits for
the first, and what it waits is our own doing. It shows in the record: while the second got nothing, others of ours
were answered, and few or none that were sent after it. Who is overtaken again and again does not stand in a queue.

What is asked of another route tells less: an engine may do work of one kind at a time, and let vectors wait for as long
as any chat goes on, whatever the number of its slots. Chats then overtake a request for vectors as often as they like.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate

from seatrial.records import BUSY, Exchange, Line, Received, Sent

OVERTAKEN = 4
"""So many that were sent later and answered earlier show that it is no queue in which a request waits."""


def may_have(x: Exchange) -> bool:
    """Whether an exchange looks as if it had waited: no word came until it was given up, the deadline that ended it ran
    while it waited, or the server said that it is busy. One that fell silent after its first word was being served.
    """
    if x.status in BUSY or x.error == "deadline":
        return True
    return unheard(x)


def unheard(x: Exchange) -> bool:
    """Whether no word came at all until it was given up."""
    return x.error in {"deadline", "idle"} and _first_word(x) is None and (x.is_stream or not x.body.strip())


def _first_word(x: Exchange) -> int | None:
    return next((chunk.at for chunk in x.chunks if chunk.choices), None)


def in_company(x: Exchange, lines: Iterable[Line], slots: int | None) -> bool:
    """Whether more of our requests were under way at the endpoint, at some time between its start and its end, than
    the server says it has slots; where it does not say, or where one of them was work of another route, more than
    this one.
    """
    begun: dict[str, Sent] = {}
    ended: dict[str, int] = {}
    for line in lines:
        if isinstance(line, Sent) and line.endpoint == x.endpoint and line.id != x.id:
            begun[line.id] = line
        elif isinstance(line, Received) and line.id in begun:
            ended[line.id] = line.ended_at
    until = {name: min(ended.get(name, x.ended_at), x.ended_at) for name in begun}
    beside = [(max(line.t, x.sent_at), until[name], line) for name, line in begun.items()]
    meanwhile = [(of, to, line) for of, to, line in beside if of < to]
    if any(line.method == "POST" and line.path != x.path for _, _, line in meanwhile):
        return True
    turns = sorted(turn for of, to, _ in meanwhile for turn in ((of, 1), (to, -1)))
    return max(accumulate(step for _, step in turns), default=0) >= (slots or 1)


def waited(x: Exchange, lines: Iterable[Line]) -> bool:
    """Whether others of ours were answered before this one got a word, and it stood in a queue behind them: few of the
    same route overtook it.
    """
    until = _first_word(x) or x.ended_at
    served = overtook = 0
    for line in lines:
        if not isinstance(line, Received) or line.of_run:  # times of another run are of another clock
            continue
        if line.endpoint == x.endpoint and line.id != x.id and line.frames:
            first, last = line.frames[0][0], line.frames[-1][0]
            if first < until and last > x.sent_at:
                served += 1
                overtook += line.path == x.path and line.sent_at > x.sent_at
    return served > 0 and overtook < OVERTAKEN
