"""The status of a refusal: the same for the same fault, and one that says when to come back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime

from msgspec.structs import replace

from seatrial.checks import answering, capabilities, look, traits
from seatrial.checks.areas.context import parts
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.records import BUSY, Exchange, Expect, Finding, Level

SAME = traits.FAULTY | trait("same-fault")
"""The same fault in requests of several kinds: plain and streamed, or on several routes."""

FUZZ = trait("fuzz", own=True)
"""Requests made of seeded faults, many at a time, and a good one after them (``good``)."""

LONGEST_S = 86_400.0
"""A longer wait is no answer to anybody."""


@rule(
    row="err/5",
    part=("plain and streamed", "on every route"),
    level=Level.SHOULD,
    of=SAME,
    optional=True,
    answer=False,
    source="OpenAI's API; clients choose what to do by the status",
)
def same_fault_has_the_same_status(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The same fault has the same status, plain and streamed, and on every route that is there."""
    told = {name: x for name, x in xs.items() if x.status not in look.NO_ROUTE and x.status is not None}
    if not xs:
        return
    if len(told) < 2:
        got = ", ".join(f"{name}: {x.status}" for name, x in xs.items())
        yield refusal("the routes", expected="two that are there", got=got, optional=True)
        return
    (first, known), *others = told.items()
    for name, x in others:
        if _alike(x.status) != _alike(known.status):
            so = "a client that tells faults by their status treats one request in two ways"
            causes = (*look.by_5xx(x), *look.by_5xx(known))
            expected = f"{known.status}, as {first} has it"
            yield violation(f"{name}: the status", expected=expected, got=x.status, so=so, about=name, causes=causes)


def _alike(status: int | None) -> int | None:
    """400 and 422 say the same to a client: that it should not send the request again."""
    return 400 if status == 422 else status


@rule(
    row="err/6",
    level=Level.SHOULD,
    of=parts.CROWD,
    answer=False,
    sampled=True,
    source="RFC 9110 10.2.3; openai-python _parse_retry_after_header",
)
def busy_server_says_when_to_come_back(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A server that turns a request away with 429 or 503, for it is busy, says by Retry-After when to come back."""
    heard = {name: x for name, x in xs.items() if x.status is not None and x.error not in answering.GONE}
    if not heard:
        yield no_evidence("the answers", expected="one at least", got="none")
    for name, x in heard.items():
        if x.status in BUSY and not _is_wait(x.header("retry-after")):
            got = x.header("retry-after") or "none"
            so = "clients come back at once, all together, or not at all"
            yield look.named(violation("Retry-After", expected="seconds, or a date", got=got, so=so), name, alone=False)


def _is_wait(value: str | None) -> bool:
    try:
        return 0 <= float(value or "") <= LONGEST_S
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(value or "") is not None
    except (ValueError, TypeError, IndexError, OverflowError):
        return False


@rule(
    row="err/8",
    level=Level.SHOULD,
    of=FUZZ,
    answer=False,
    sampled=True,
    source="vLLM's test_openai_schema, with schemathesis; vLLM issue 54116",
)
def odd_requests_give_no_5xx(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Whatever a request holds in place of what it should, its answer is no 5xx, and it has one."""
    if answering.as_before(xs.get("good", next(iter(xs.values()))), xs.get("before")):
        yield no_evidence("the same request before", expected="an answer", got="none", about="before")
        return
    for name, x in look.bad(xs).items():
        if found := answering.unheard(x) or answering.silent(x):
            yield look.named(replace(found, causes=look.by_parameters(x)), name, alone=False)
        elif x.status is not None and x.status >= 500 and not capabilities.declined_by_5xx(x):
            got = f"{x.status} {x.body[:160].decode('utf-8', 'replace')}; asked {x.request_body[:300]!r}"
            so = "SDKs retry a 5xx: the same bad request is sent three times"
            judges = look.by_parameters(x)
            found = violation("the status", expected="below 500", got=got, so=so, causes=judges)
            yield look.named(found, name, alone=False)
    good = xs.get("good")
    if good is not None and (trouble := answering.unheard(good) or answering.silent(good) or answering.refused(good)):
        so = "one bad client takes the server from all others"
        yield violation("the request after", expected="200", got=trouble.got, so=so, about="good")
