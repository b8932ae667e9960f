"""Refusals: their shape, their status, and that the server goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import look, traits
from seatrial.checks.areas import http
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.reading import fields
from seatrial.records import Exchange, Expect, Finding, Level


@rule(
    row="err/1",
    level=Level.MUST,
    of=traits.FAULTY,
    unless=http.UNKNOWN_PATH - traits.FAULTY,  # http/unknown-path-is-a-404-with-an-error-object weighs it there
    answer=False,
    source="OpenAPI document, ErrorResponse; openai-python",
)
def error_object_has_its_shape(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An answer of 4xx or 5xx is {"error": {...}} with a message and a type; strictly, with param and code too.

    A faulty request that got 200 has no such answer, and this rule nothing to hold against it: that it should have been
    refused is the finding of the rule on its own fault (``params/wrong-types-are-refused``).
    """
    if x.status is None or x.status < 400:
        return
    error = fields.mapping(x.json).get("error")
    if not isinstance(error, dict):
        got = f"{x.status} {x.content_type or 'without content type'}: {x.body[:200].decode('utf-8', 'replace')}"
        yield violation("error", expected="an object", got=got, so=look.sdk_says(x))
        return
    for name in ("message", "type"):
        if not isinstance(error.get(name), str) or not error[name].strip():
            yield violation(f"error.{name}", expected="text", got=error.get(name, "no such key"))
    for name, kinds in (("param", (str,)), ("code", (str,) if expect.strict else (str, int))):
        value = error.get(name)
        if expect.strict and name not in error:
            yield violation(f"error.{name}", expected="text or null", got="no such key")
        elif value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            yield violation(f"error.{name}", expected="text or null", got=value)


@rule(row="err/3", level=Level.MUST, of=traits.FAULTY, answer=False, source="openai-python _should_retry")
def client_fault_is_never_5xx(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A fault of the client is never answered with a 5xx."""
    if x.status is not None and x.status >= 500:
        got = f"{x.status} {x.body[:200].decode('utf-8', 'replace')}"
        asked = x.header("x-should-retry") != "false"
        so = "SDKs retry a 5xx: the same bad request is sent three times" if asked else ""
        yield violation("the status", expected="a 4xx", got=got, so=so)


@rule(
    row="err/7",
    level=Level.MUST,
    of=traits.FAULTY,
    answer=False,
    source="vLLM's own tests; one client must not stop another",
)
def next_request_is_answered(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """After a faulty request a good one is answered."""
    good = xs.get("good")
    if good is None:
        yield no_evidence("the request after", expected="one", got="none was sent")
    elif good.status != 200:
        got = f"{good.status} {good.body[:200].decode('utf-8', 'replace')}"
        so = "one bad client takes the server from all others"
        yield violation("the request after", expected="200", got=got, so=so, about="good")
    elif not fields.listing(fields.mapping(good.json).get("choices")):
        got = good.fault or good.body[:200].decode("utf-8", "replace")
        yield violation("the request after", expected="an answer with choices", got=got, about="good")
