"""What a run directory knows of a stop beside the fold: what was in flight, the end of the log, what kills again."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from seatrial.records import LEFT, Event, Fact, Happening, Line, Received, Record, Sent, Stop
from seatrial.run import files
from seatrial.run.directory import RunDir
from seatrial.stops.fold import aborted

TELLING = frozenset({Happening.START, Happening.READY, Happening.REPEATED})
"""Events that tell which life of a server it was, and what was tried again."""
LOG_LINES = 5
LOG_BYTES = 8192


def suspects(lines: Iterable[Line], endpoint: str, generation: int) -> list[Sent]:
    """Requests of one life of a server that were sent and never answered in full, but those that we left ourselves."""
    sent: dict[str, Sent] = {}
    for line in lines:
        if isinstance(line, Sent) and (line.endpoint, line.generation) == (endpoint, generation):
            sent[line.id] = line
        elif isinstance(line, Received) and line.error in {"", LEFT}:
            sent.pop(line.id, None)
    return list(sent.values())


def explained(stops: Sequence[Stop], record: Record, run: RunDir) -> tuple[Stop, ...]:
    """The stops with what each suspect was, the tail of the server's log where it is ours, and the cause if proven.

    A cause is proven where a suspect was sent again, alone, and killed again; two that do so are two causes. Where a
    server of ours ended by SIGABRT and its last lines say why, these two name the cause.
    """
    wanted = {name for stop in stops for name in stop.suspects}
    sent = {line.id: line.scenario for line in record.of(Sent) if line.id in wanted} if wanted else {}
    events: dict[str, list[Event]] = {}
    for line in record.of(Event):
        if line.what in TELLING:
            events.setdefault(line.name, []).append(line)
    return tuple(_explained(stop, sent, events.get(stop.name, []), run) for stop in stops)


def _explained(stop: Stop, sent: Mapping[str, str], events: Sequence[Event], run: RunDir) -> Stop:
    wanted = set(stop.suspects)
    generation = next(
        (e.generation for e in events if e.pid == stop.pid and e.what in {Happening.START, Happening.READY}), None
    )
    log = () if generation is None else _tail(run, f"{stop.name}-{generation}.log")
    again = [
        e for e in events if e.what == Happening.REPEATED and e.generation == (generation or 0) and e.text in wanted
    ]
    killers = [e for e in again if e.facts.get(Fact.KILLS) == "yes"]
    evidence = tuple(f"{e.text} ({e.facts.get(Fact.SCENARIO, '')}) sent again alone: {_again(e)}" for e in again)
    known = {name: sent[name] for name in stop.suspects if name in sent}
    changed = replace(stop, sent=known, log=stop.log or log, evidence=(*stop.evidence, *evidence))
    if not killers:
        named = "; ".join(aborted(log, limit=None, reached=False)) if stop.signal == signal.SIGABRT else ""
        return replace(changed, cause=named) if named and stop.cause.startswith("UNKNOWN") else changed
    said = " and ".join(f"request {e.text} ({e.facts.get(Fact.SCENARIO, '')})" for e in killers)
    return replace(changed, cause=f"{said}: sent again alone, it kills again", hypotheses=())


def _again(event: Event) -> str:
    return "it kills" if event.facts.get(Fact.KILLS) == "yes" else "the server lives"


def _tail(run: RunDir, name: str) -> tuple[str, ...]:
    text = files.tail(run.path, f"server/{name}", LOG_BYTES).decode("utf-8", "replace")
    return tuple(line for line in text.splitlines() if line.strip())[-LOG_LINES:]
