"""What this side did to a run and must say: time that it took from requests, requests that waited for each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from seatrial.records import Event, Fact, Happening, Record, Sent


def notices(record: Record) -> Iterator[str]:
    """A sentence for each endpoint and for each thing that was done."""
    events = record.of(Event)
    yield from prices(events)
    yield from (event.text for event in events if event.what is Happening.SEAL and event.w == "keeper" and event.text)
    yield from dict.fromkeys(f"{event.name}: {event.text}" for event in events if event.what is Happening.LOG_CUT)
    if text := broken(record):
        yield f"{text}: from then on nobody watched, and what became of the server is not known"
    for name in dict.fromkeys(event.name for event in events if event.what in _DONE):
        ours = [event for event in events if event.name == name]
        yield from _shortened(name, [event for event in ours if event.what is Happening.SHORTENED])
        yield from _queued(name, [event for event in ours if event.what is Happening.QUEUED], record)


def prices(events: Iterable[Event]) -> Iterator[str]:
    """What was found out of the price of looks, once each."""
    yield from dict.fromkeys(f"{event.name}: {event.text}" for event in events if event.what is Happening.PRICE)


def broken(record: Record) -> str:
    """What the keeper wrote of the recorder's own end before the run's; empty where it lived."""
    said = (line.text for line in record.of(Event) if line.what == Happening.TROUBLE and line.w == "keeper")
    return next((text for text in said if text.startswith("the recorder ended")), "")


_DONE = frozenset({Happening.SHORTENED, Happening.QUEUED})


def _shortened(name: str, events: Sequence[Event]) -> Iterator[str]:
    """How many requests of each sort were given less time, for those before them had stayed silent."""
    for sort in dict.fromkeys(event.facts.get(Fact.SORT, "request") for event in events):
        seconds = [s for event in events if event.facts.get(Fact.SORT, "request") == sort and (s := _seconds(event))]
        if seconds:
            low, high = min(seconds), max(seconds)
            span = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            more = f"{len(seconds)} {sort}{'' if len(seconds) == 1 else 's'}"
            was = "was" if len(seconds) == 1 else "were"
            yield f"{name}: after three stalls, {more} {was} given {span} s of silence before being given up"


def _seconds(event: Event) -> float | None:
    try:
        seconds = float(event.facts.get(Fact.SECONDS, ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None  # a record that was tampered with may say "nan"


def _queued(name: str, events: Sequence[Event], record: Record) -> Iterator[str]:
    """That requests of this run waited for each other, and what makes that wait go away."""
    if not events:
        return
    n = len({event.text for event in events})
    what, they = ("1 request was", "it was") if n == 1 else (f"{n} requests were", "they were")
    senders = {line.w for line in record.of(Sent) if line.endpoint == name and not line.load}
    advice = "; run with -n 0: workers gain nothing here" if len(senders) > 1 else ""
    yield (
        f"{name}: {what} not judged, having waited for others of this run; {they} sent again alone, and from then on "
        f"all went one at a time{advice}"
    )
