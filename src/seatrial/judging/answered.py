"""Whether anybody was answered: what a READY needs beside its cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

from seatrial.checks import look
from seatrial.reading.chat import asks_for_stream
from seatrial.records import Exchange, Judgement, LoadRow, Record

CHATS = "/chat/completions"
WAYS = ("plain", "streamed")

Ways = dict[str, bool]
"""Whether a chat was answered, by the way in which chats were sent; no word of a way in which none was."""


def answered(
    lines: Record, exchange: Callable[[str], Exchange | None], judgements: Iterable[Judgement]
) -> dict[str, Ways]:
    """Of each endpoint, whether a valid chat that a case was judged on was answered: whole, and with a choice."""
    found: dict[str, Ways] = {}
    for line in judgements:
        ways = found.setdefault(line.endpoint, {})
        for way, once in line.settled.answered.items() if line.settled is not None else ():
            ways[way] = ways.get(way, False) or once
        for name in _valid(line):
            if len(ways) == len(WAYS) and all(ways.values()):
                break
            x = exchange(name)
            if x is not None and x.path.partition("?")[0].endswith(CHATS) and isinstance(x.request_json, dict):
                way = WAYS[asks_for_stream(x)]
                once = x.status == 200 and not x.error and look.unanswered(x) is None
                ways[way] = ways.get(way, False) or once
    for endpoint, outcome in sorted(set(map(attrgetter("endpoint", "outcome"), lines.of(LoadRow)))):
        ways = found.setdefault(endpoint, {})
        ways[WAYS[True]] = ways.get(WAYS[True], False) or outcome == "ok"
    return found


def _valid(line: Judgement) -> Iterator[str]:
    """The exchanges of a judgement that a server has to answer: with a good request stands one that it must refuse."""
    faulty = look.GOOD in line.exchanges
    yield from (name for key, name in line.exchanges.items() if not faulty or key in look.SOUND)
