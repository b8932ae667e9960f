"""How a stream comes: as it is made, and past proxies."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.checks import look, traits
from seatrial.checks.areas.sse.stream import LONG
from seatrial.checks.findings import violation
from seatrial.checks.rules import rule
from seatrial.records import SECOND, Exchange, Expect, Finding, Level

APART = 3
"""Times at which the events of a long stream come at the least."""

QUICK_S = 0.5
"""A stream that takes no longer may come as a whole: it may have been made so fast."""

WHOLE_S = 1.0
"""A stream that takes longer is looked at for when its first event came."""


@rule(row="sse/16", level=Level.SHOULD, of=LONG, source="what streams are for; proxies that buffer them")
def events_come_as_they_are_made(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The events of a long stream come one after the other, the first of them in the first half of its time."""
    if nothing := look.no_chunk(x):
        yield nothing
        return
    times = [chunk.at for chunk in x.chunks]
    whole_s, first_s = (x.ended_at - x.sent_at) / SECOND, (times[0] - x.sent_at) / SECOND
    so = "a client that streams shows nothing until the answer ends"
    if whole_s > QUICK_S and len(times) > APART and len(set(times)) < APART:
        got = f"{len(times)} events at {len(set(times))} times"
        yield violation("the events", expected=f"{APART} times at least", got=got, so=so)
    elif whole_s > WHOLE_S and first_s > whole_s / 2 and len(times) > APART:
        got = f"after {first_s:.1f} s of {whole_s:.1f} s"
        yield violation("the first event", expected="in the first half", got=got, so=so)


@rule(row="sse/17", level=Level.MAY, of=traits.STREAM, source="nginx, proxy_buffering and X-Accel-Buffering; RFC 9111")
def head_keeps_proxies_from_buffering(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """The head of a stream says that it is neither kept nor held back: Cache-Control, or X-Accel-Buffering."""
    control = {word.strip().lower() for word in (x.header("cache-control") or "").split(",")}
    if not control & {"no-cache", "no-store"} and (x.header("x-accel-buffering") or "").strip().lower() != "no":
        got = x.header("cache-control") or "neither"
        so = "behind nginx, and proxies like it, the stream comes as a whole"
        yield violation("the head", expected="Cache-Control: no-cache, or X-Accel-Buffering: no", got=got, so=so)
