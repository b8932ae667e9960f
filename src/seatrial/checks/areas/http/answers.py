"""Answers as HTTP has them: that there is one, its label, its framing, and its connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from msgspec.structs import replace

from seatrial.checks import answering, causes, look, traits
from seatrial.checks.areas.http import sizes
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.records import LEFT, Exchange, Expect, Finding, Level

REUSE = traits.VALID | trait("reuse")
"""Several requests on one connection, a refused one and a stream among them."""

BODYLESS = frozenset({204, 304})
UNJUDGED = frozenset({"refused", "unreachable", "deadline", "idle", "too-large"})
"""Errors after which nobody knows how the body would have ended: none came, or we read no further."""


@rule(
    row="http/23",
    level=Level.MUST,
    of=traits.VALID,
    answer=False,
    sampled=True,
    source="OpenAPI document, createChatCompletion and listModels: 200; openai-python raises on any other",
)
def valid_request_is_answered(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A valid request is answered: with 200, to its end, within the deadline.

    An optional capability may be refused. What no other rule can judge for want of the answer hangs on this one.
    """
    for name, x in xs.items():
        found = answering.unheard(x) or answering.silent(x)
        if name != "refused":
            found = found or answering.refused(x)
        if found:
            found = replace(found, causes=look.by_parameters(x))
            yield look.named(found, name, alone=len(xs) == 1)


@rule(row="http/1", level=Level.MUST, of=traits.JSON, source="OpenAPI document, 200: application/json; RFC 8259")
def json_is_labelled_and_decodes(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A JSON answer has Content-Type application/json, and its body is UTF-8 and JSON."""
    if x.content_type != "application/json":
        got = x.header("content-type") or "none"
        yield violation(
            "Content-Type",
            expected="application/json",
            got=got,
            so="a client that goes by the label does not decode it",
        )
    if x.fault:
        got = f"{x.fault}: {x.body[:120].decode('utf-8', 'replace')}"
        so = "a client cannot read the answer"
        yield violation("the body", expected="JSON in UTF-8", got=got, so=so, causes=look.by_framing(x))


@rule(
    row="http/24",
    level=Level.MUST,
    unless=sizes.OVERSIZED - traits.FAULTY,  # the connection may end under such a body
    answer=False,
    sampled=True,
    source="RFC 9112 6 and 7.1; RFC 9110 8.4 and 8.6; errors 18 and 61 of curl",
)
def body_is_what_its_head_announces(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The body of an answer is what its head announces, whatever its status: as long, with its last chunk, whole in
    its coding, and nothing after it."""
    for name, x in xs.items():
        for finding in _misframed(x) if name != "before" else ():  # a scenario of its own judges that one
            also = (*finding.causes, causes.NEXT) if name in look.SOUND and x.error else finding.causes
            yield look.named(replace(finding, causes=also), name, alone=len(xs) == 1)


def _misframed(x: Exchange) -> Iterator[Finding]:
    if x.status is None or x.error in UNJUDGED or x.dropped:
        judges, got = (causes.ANSWERED, causes.FAULTY_ANSWERED), x.detail or x.error or "nothing"
        yield no_evidence("the body", expected="an answer to its end", got=got, causes=judges)
        return
    length = x.header("content-length")
    if x.chunked and length is not None:
        got = f"Content-Length: {length}, and chunks of {len(x.body)} bytes"
        so = "a proxy that goes by the length and a client that goes by the chunks part at another byte"
        once = (causes.TERMINATED,) if x.is_stream else ()  # of a stream that was asked for it is a reason already
        yield violation("the head", expected="a length or chunks", got=got, so=so, causes=once)
    if x.error != LEFT and (x.error or x.framing):  # whoever leaves does not see the end
        got = "; ".join(text for text in (x.framing, x.detail or x.error) if text)
        once = (causes.ANSWERED,) if x.error else ()  # of a valid request it is a reason already
        yield violation("the body", expected="what its head announces", got=got, so=_does(x), causes=once)


def _does(x: Exchange) -> str:
    """What a body that is not as announced does to a client."""
    if x.error:
        return "HTTP clients report a broken transfer, whatever the status"
    if "after the end" in x.framing:
        return "on a connection that is kept the bytes are taken for the beginning of the next answer"
    return "a client reads a part of the answer, or none"


@rule(row="http/10", level=Level.SHOULD, of=REUSE, answer=False, source="RFC 9112 9.3; openai-python keeps alive")
def connection_is_reusable(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A connection serves one request after the other, also after a refusal and after a stream that has ended; where
    it does not, the answer before has said so."""
    ended = [(name, x) for (name, x), (_, after) in pairwise(xs.items()) if after.connection == 0]
    closed = [(name, x) for name, x in ended if not _announced(x)]
    for name, x in closed:
        kept = x.header("keep-alive")
        yield violation(
            f"the connection after {name}",
            expected="open for the next request, or Connection: close",
            got=f"closed without a word; {x.status}" + (f", Keep-Alive: {kept}" if kept else ""),
            so="a client that pools connections races their end: some of its requests fail at once",
            about=name,
            causes=look.by_framing(x),
        )
    if not closed:
        yield from _untried(xs)


def _untried(xs: Mapping[str, Exchange]) -> Iterator[Finding]:
    """What the connection was not put to: another request after a refusal, and one after a stream."""
    followed = list(xs.values())[:-1]
    got = ", ".join(f"{name}: {x.status} {x.content_type}" for name, x in xs.items())
    if not any(x.status is not None and 400 <= x.status < 500 for x in followed):
        judges = (causes.MALFORMED + causes.SOME,)
        yield no_evidence("the refusal", expected="a 4xx, and a request after it", got=got, causes=judges)
    if not any(x.status == 200 and x.is_stream for x in followed):
        expected, judges = "200 and an event stream, and a request after it", (causes.LABELLED + causes.SOME,)
        yield no_evidence("the stream", expected=expected, got=got, causes=(causes.ANSWERED, *judges))


def _announced(x: Exchange) -> bool:
    """Whether an answer says that its connection ends with it: in words, by its version, or as the end of its body."""
    said = ",".join(value for name, value in x.headers if name == "connection").lower()
    words = {word.strip() for word in said.split(",")}
    endless = not x.chunked and x.header("content-length") is None and x.status not in BODYLESS and x.method != "HEAD"
    return "close" in words or endless or (x.http_version == "HTTP/1.0" and "keep-alive" not in words)
