"""Refusals: their shape, their status, and that the server goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import answering, capabilities, causes, look, traits
from seatrial.checks.areas.http import bodies, paths, sizes
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import fields
from seatrial.records import Exchange, Expect, Finding, Level

CLOSED_ON = sizes.OVERSIZED - traits.FAULTY
"""A server may close the connection under such a request instead of answering it: http/oversized-body-is-refused."""


BELOW = (paths.UNKNOWN_PATH | paths.WRONG_METHOD | bodies.COMPRESSED) - traits.FAULTY | CLOSED_ON
"""What HTTP libraries refuse before the API hears of it: the rules on HTTP weigh it."""


@rule(
    row="err/1",
    level=Level.MUST,
    of=traits.FAULTY,
    unless=BELOW,
    answer=False,
    source="OpenAPI document, ErrorResponse; openai-python",
)
def error_object_has_its_shape(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An answer of 4xx or 5xx, and none of 200, is {"error": {...}} with a message and a type; strictly, with param and
    code too.

    Of a faulty request that was answered this rule has nothing to say: that it should have been refused is the finding
    of the rule on its own fault (``params/wrong-types-are-refused``). Where a server lacks the
    route of an optional area, whoever stands before it says so, in words of its own.
    """
    if look.erring(x):
        got = f"200 {x.body[:200].decode('utf-8', 'replace')}"
        so = "a client that goes by the status takes an error for an answer without content"
        yield violation("the status", expected="a 4xx or 5xx beside an error object", got=got, so=so)
        return
    if x.status is None or x.status < 400 or capabilities.declined_route(x):
        return
    error = fields.mapping(x.json).get("error")
    if not isinstance(error, dict):
        got = f"{x.status} {x.content_type or 'without content type'}: {x.body[:200].decode('utf-8', 'replace')}"
        yield violation(
            "error", expected="an object", got=got, so=look.sdk_says(x), causes=(*look.by_5xx(x), *look.by_framing(x))
        )
        return
    for name in ("message", "type"):
        if not isinstance(error.get(name), str) or not error[name].strip():
            got = error.get(name, "no such key")
            yield violation(f"error.{name}", expected="text", got=got, causes=look.by_5xx(x))
    for name, kinds in (("param", (str,)), ("code", (str,) if expect.strict else (str, int))):
        value = error.get(name)
        if expect.strict and name not in error:
            yield violation(f"error.{name}", expected="text or null", got="no such key")
        elif value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            yield violation(f"error.{name}", expected="text or null", got=value)


@rule(
    row="err/3",
    level=Level.MUST,
    of=traits.FAULTY,
    unless=CLOSED_ON,
    answer=False,
    source="openai-python _should_retry",
)
def client_fault_is_never_5xx(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A fault of the client is never answered with a 5xx."""
    if x.status is not None and x.status >= 500 and not capabilities.declined_route(x):
        got = f"{x.status} {x.body[:200].decode('utf-8', 'replace')}"
        asked = x.header("x-should-retry") != "false"
        so = "SDKs retry a 5xx: the same bad request is sent three times" if asked else ""
        yield violation("the status", expected="a 4xx", got=got, so=so, causes=look.by_parameters(x))


@rule(
    row="err/9",
    level=Level.MUST,
    of=traits.FAULTY,
    unless=CLOSED_ON,
    answer=False,
    sampled=True,
    source="RFC 9110 15.5: the server should send what is wrong; openai-python retries a broken connection",
)
def faulty_request_is_answered(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A faulty request is answered too: with a status, within the deadline."""
    faulty = look.bad(xs)
    for name, x in faulty.items():
        if found := answering.unheard(x) or answering.as_before(x, xs.get("before")) or answering.silent(x):
            yield look.named(found, name, alone=len(faulty) == 1)


@rule(
    row="err/7",
    level=Level.MUST,
    of=traits.FAULTY,
    answer=False,
    sampled=True,
    source="vLLM's own tests; one client must not stop another",
)
def next_request_is_answered(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """After a faulty request a good one is answered, as it was before."""
    good = xs.get("good")
    if good is None:
        yield no_evidence("the request after", expected="one", got="none was sent")
    elif (nothing := _unanswered_before(xs)) or (
        good.error not in answering.GONE and (nothing := answering.unheard(good))
    ):
        yield nothing
    elif trouble := _trouble(good):
        so = "one bad client takes the server from all others"
        yield violation("the request after", expected="200", got=trouble, so=so, about="good")
    elif not look.holds_something(good):
        got = good.fault or good.body[:200].decode("utf-8", "replace")
        yield violation("the request after", expected="an answer with choices", got=got, about="good")


def _unanswered_before(xs: Mapping[str, Exchange]) -> Finding | None:
    """Why nothing can be told of the request after: all are gone, or the same request was not answered before."""
    if all(x.error in answering.GONE for x in xs.values()):
        return answering.unheard(xs["good"])
    before = xs.get("before")  # runs of earlier versions have none
    if before is None:
        return None
    trouble = _trouble(before)
    if not trouble and (look.unanswered(before) is None or look.holds_something(before)):
        return None
    scenario = before.scenario.rpartition("/")[2]
    judges = tuple(f"{rule}[{scenario}]" for rule in (causes.ANSWERED, causes.DECODES, causes.CHOICES, causes.VECTORS))
    got = f"{trouble or 'nothing of what was asked for'}, before any faulty one"
    return no_evidence("the same request before", expected="an answer", got=got, about="before", causes=judges)


def _trouble(x: Exchange) -> str:
    """What is wrong with the answer to a good request; empty where it was answered."""
    found = answering.unheard(x) or answering.silent(x) or answering.refused(x)
    return found.got if found else ""
