"""Requests that are too large, too deep, or too slow to come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import answering, causes, look, traits
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.records import SECOND, Exchange, Expect, Finding, Level

OVERSIZED = traits.FAULTY | trait("oversized-body")
"""A body of megabytes, more text than any context holds."""

BOMB = traits.FAULTY | trait("nested-body")
"""Ten thousand brackets, and nothing else: no object."""

NESTED = traits.FAULTY | trait("nested-value")
"""A chat with a value of its own that is ten thousand deep: to be refused, or passed over."""

SLOW = traits.DECLINABLE | trait("slow-body")
"""A request whose last byte is kept back (``slow``), and one beside it (``quick``)."""

HELD_S = 5.0
"""So long a slow body is kept back at the most, as its transport has it."""


@rule(
    row="http/14",
    part=("refused", "in bounded time"),
    level=Level.SHOULD,
    of=OVERSIZED,
    answer=False,
    sampled=True,
    source="RFC 9110 15.5.14: the server may close the connection",
)
def oversized_body_is_refused(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A body of megabytes is refused within the deadline: with a 4xx, or by the end of the connection under it."""
    for name, x in look.bad(xs).items():
        if found := answering.unheard(x) or answering.as_before(x, xs.get("before")):
            yield look.named(found, name, alone=True)
        elif x.error in answering.LATE and (late := answering.silent(x)):
            yield look.named(late, name, alone=True)
        elif x.status is not None:  # a connection that ended under the body has refused it too
            for finding in look.not_refused(x, so="a part of the text is answered, or the server bears any load"):
                yield look.named(finding, name, alone=True)


@rule(
    row="http/15",
    part="refused",
    level=Level.MUST,
    of=BOMB,
    answer=False,
    source="RFC 8259 9: a parser may limit the depth; it is no object",
)
def nested_body_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A body of nothing but nested brackets is refused with a 4xx."""
    yield from look.not_refused(x, so="the model answers what the client never said")


@rule(
    row="http/15",
    part="survived",
    level=Level.MUST,
    of=NESTED,
    answer=False,
    source="RFC 8259 9; llama.cpp issue 26600: a crash on nesting",
)
def nested_value_is_survived(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A value that is nested ten thousand deep is refused with a 4xx or passed over: never a 5xx, or no answer."""
    if x.status == 200 and look.holds_something(x):
        return
    if x.status == 200:
        got, so = x.fault or x.body[:160].decode("utf-8", "replace"), "a client has a 200 and no answer"
        yield violation("the body", expected="an answer with a choice, or a 4xx", got=got, so=so)
    else:
        yield from look.not_refused(x, so="")


@rule(
    row="http/16",
    level=Level.SHOULD,
    of=SLOW,
    answer=False,
    sampled=True,
    source="slow clients are common on mobile networks; a server that reads one request at a time serves one client",
)
def slow_client_holds_up_nobody(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """While the body of one request is still coming, another request is answered."""
    slow, quick = xs.get("slow"), xs.get("quick")
    if slow is None or quick is None:
        yield no_evidence("the requests", expected="a slow and a quick one", got=", ".join(xs))
        return
    late = max(quick.sent_at, slow.sent_at) + HELD_S * SECOND * 0.9
    usual = xs.get("before")
    took = 0.0 if usual is None else (usual.ended_at - usual.sent_at) / SECOND
    if found := answering.unheard(quick) or (None if quick.ended_at > late else answering.refused(quick)):
        judges = (causes.ANSWERED + causes.SOME,)
        yield no_evidence("the quick request", expected="an answer", got=found.got, about="quick", causes=judges)
    elif quick.ended_at > late and took > HELD_S / 2:
        got = f"a request takes {took:.1f} s anyway"
        yield no_evidence("the quick request", expected="an answer in less than that", got=got, about="quick")
    elif quick.ended_at > late:
        got = f"{(quick.ended_at - quick.sent_at) / SECOND:.1f} s; alone it took {took:.1f} s"
        so = "one client with a bad line stops all others"
        yield violation(
            "the quick request", expected="an answer while the other body is awaited", got=got, so=so, about="quick"
        )
