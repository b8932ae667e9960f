"""What is said of an answer in its head: how it is coded, and by which id it is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from seatrial.checks import causes, look, traits
from seatrial.checks.areas.http.answers import REUSE
from seatrial.checks.findings import refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.records import Exchange, Expect, Finding, Level

CODED = traits.DECLINABLE | trait("accept-encoding")
"""Chats of a client that takes gzip (``gzip``, ``gzip-stream``), and of one that does not (``plain``, ``stream``)."""

REQUEST_ID = "x-request-id"
APART = 3
"""Arrivals of events, at different times, that a stream has which is not held back."""


@rule(
    row="http/17",
    part="Accept-Encoding is honoured",
    level=Level.SHOULD,
    of=CODED,
    source="RFC 9110 12.5.3; openai-python sends gzip, deflate",
)
def coding_is_one_that_was_accepted(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An answer is coded by no other coding than the client has said it takes; or by gzip, which every client knows."""
    accepted = {word.partition(";")[0].strip().lower() for word in _sent(x, "accept-encoding").split(",")}
    used = {word.strip().lower() for word in (x.header("content-encoding") or "identity").split(",")}
    if strange := used - accepted - {"identity", "gzip", "x-gzip"}:
        got = ", ".join(sorted(strange))
        so = "a client that does not know the coding reads noise"
        yield violation("Content-Encoding", expected=", ".join(sorted(accepted)), got=got, so=so)


@rule(
    row="http/17",
    part="streams are not held back",
    level=Level.SHOULD,
    of=CODED,
    source="openai-python sends gzip, deflate; compressing gateways that buffer what they compress",
)
def coded_stream_is_not_held_back(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A stream that is compressed arrives piece by piece, where one that is not does."""
    coded, usual = xs.get("gzip-stream"), xs.get("stream")
    if coded is None or usual is None:
        return
    if nothing := look.no_chunk(coded) or look.no_chunk(usual):
        yield nothing
        return
    times = {name: len({chunk.at for chunk in x.chunks}) for name, x in (("gzip", coded), ("identity", usual))}
    if coded.header("content-encoding") and times["identity"] >= APART > times["gzip"]:
        got = f"{len(coded.chunks)} events at {times['gzip']} times; uncompressed at {times['identity']}"
        so = "a client that takes gzip, as the official SDK does, sees nothing until the answer ends"
        yield violation("the stream", expected="events as they are made", got=got, so=so, about="gzip-stream")


@rule(
    row="http/20",
    level=Level.MAY,
    of=REUSE,
    optional=True,
    answer=False,
    source="OpenAI's API; openai-python hands it out as _request_id",
)
def each_answer_has_its_request_id(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Answers that have an x-request-id have one each, and no two the same."""
    told = {name: value for name, x in xs.items() if (value := (x.header(REQUEST_ID) or "").strip())}
    if not told:
        yield refusal(REQUEST_ID, expected="an id of each answer", got="none", optional=True)
        return
    (value, times), *_ = Counter(told.values()).most_common(1)
    so = "what a client reports of an answer leads to another one in the log"
    judges = (causes.ANSWERED + causes.SOME,)
    if times > 1:
        shown = ", ".join(name for name, said in told.items() if said == value)
        about = next(name for name, said in told.items() if said == value)
        yield violation(REQUEST_ID, expected="an id for each answer", got=f"{value}: {shown}", so=so, about=about)
    elif missing := [name for name, x in xs.items() if name not in told and x.status is not None]:
        yield violation(
            REQUEST_ID, expected="on each answer", got=f"none: {missing[0]}", so=so, about=missing[0], causes=judges
        )


def _sent(x: Exchange, name: str) -> str:
    return dict(x.request_headers).get(name, "")
