"""What a watch concludes, live and when its record is judged: whether a target was there at all, and its word. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec.structs import replace

from seatrial.records import (
    GAPS,
    NO_STOP,
    Ask,
    EndpointVerdict,
    Event,
    Happening,
    Line,
    Probe,
    Ready,
    Reason,
    Record,
    Sample,
    Stop,
)

Weight = Literal["stop", "unobserved", "notice", "planned"]

NEVER_SEEN = "nothing of it was ever seen: no process, no socket, no answer"


def weight(stop: Stop) -> Weight:
    """What a stop counts for in a watch, where those told from traffic count as any other."""
    if stop.planned:
        return "planned"
    if stop.doubt:
        return "unobserved"
    if stop.family not in NO_STOP:
        return "stop"
    return "unobserved" if stop.family in GAPS else "notice"


def sign(line: Line) -> str:
    """The name of the target of which a line shows anything: its process, its socket, or an answer; else empty."""
    match line:
        case Sample():
            return line.name
        case Probe() if line.listens or line.health is not None:
            return line.name
        case Ask() if line.status is not None:
            return line.name
        case Event(what=Happening.FOUND | Happening.START) if line.pid:
            return line.name
    return ""


def observed(record: Record) -> frozenset[str]:
    """Every target of which a record shows anything."""
    kinds: tuple[type[Probe | Ask | Event], ...] = (Probe, Ask, Event)
    names = {line.name for line in record.of(Sample)}
    for kind in kinds:
        names |= {line.name for line in record.of(kind) if line.name not in names and sign(line)}
    return frozenset(names)


def word(stops: Iterable[Stop], *, seen: bool) -> Ready:
    """NOT READY by any stop; NOT PROVEN where there was a gap, or nothing was ever seen of it; else READY."""
    weights = {weight(stop) for stop in stops}
    if "stop" in weights:
        return Ready.NOT_READY
    return Ready.READY if seen and "unobserved" not in weights else Ready.NOT_PROVEN


def of_watch(
    verdict: EndpointVerdict, stops: Iterable[Stop], *, seen: bool, lacks: Iterable[str] = ()
) -> EndpointVerdict:
    """An endpoint's part of verdict.json where nothing but a watch ran: no case has to pass for it to be READY.

    Args:
        lacks: what a READY lacks beside; empty texts are nothing.
    """
    lacks = [text for text in ("" if seen else NEVER_SEEN, *lacks) if text]
    found = word(stops, seen=not lacks)
    reasons = (*verdict.reasons, *(Reason(word="NOT PROVEN", text=text) for text in lacks))
    return replace(verdict, verdict=found, reasons=reasons)
