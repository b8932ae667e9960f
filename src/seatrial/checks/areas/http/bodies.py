"""Bodies of requests: those that are no request, and those that come in an unusual way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import answering, causes, look, traits
from seatrial.checks.findings import no_evidence, refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.records import Exchange, Expect, Finding, Level

MALFORMED_JSON = traits.FAULTY | trait("malformed-json")
NO_OBJECT = traits.FAULTY | trait("no-object")
"""A body that is JSON and no object."""

EMPTY_BODY = traits.FAULTY | trait("empty-body")
LABELLED = traits.FAULTY | trait("odd-label")
"""A chat whose body bears another label than JSON, or none: to be refused, or read all the same."""

CHARSET = traits.DECLINABLE | trait("json-with-a-charset")
"""A chat whose body is labelled as JSON, and says its charset beside it."""

SPELT = traits.DECLINABLE | trait("label-spelt-otherwise")
"""The same, in other letters, without a space, and quoted."""

COMPRESSED = traits.FAULTY | trait("compressed-body")
"""A chat whose body is compressed: to be read, or refused with a 415."""

ODD_JSON = traits.FAULTY | trait("odd-json")
"""JSON that parsers read in more than one way, each body sent twice: ``NAME`` and ``NAME again``."""

CHUNKED = traits.DECLINABLE | trait("chunked-body")
"""A chat whose body comes in chunks, and has no length before it."""

EXPECTANT = traits.DECLINABLE | trait("expect-continue")
"""A chat whose body waits for a word, as that of large requests does."""

AGAIN = " again"
CONTINUES = (b"HTTP/1.1 100", b"HTTP/1.0 100")


@rule(row="http/4", level=Level.MUST, of=MALFORMED_JSON, answer=False, source="OpenAI's API; RFC 8259")
def malformed_json_is_a_400(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A body that is not JSON is refused with a 4xx: 400, or 422 as many frameworks have it."""
    yield from look.not_refused(x, so="a client whose request was cut on its way never learns of it")


@rule(row="http/5", level=Level.MUST, of=NO_OBJECT, answer=False, source="vLLM test_non_object_body_validation")
def body_that_is_no_object_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """JSON that is no object ([], "x", null, 42) is refused with a 4xx."""
    yield from look.not_refused(x, so="the model answers what the client never said")


@rule(row="http/7", level=Level.MUST, of=EMPTY_BODY, answer=False, source="OpenAPI document: the body is required")
def empty_body_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A POST without a body is refused with a 4xx."""
    yield from look.not_refused(x, so="a client that lost its request on the way is answered all the same")


@rule(
    row="http/6",
    level=Level.SHOULD,
    of=LABELLED,
    answer=False,
    source="RFC 9110 15.5.16; vLLM test_request_wrong_content_type, vLLM pull request 17664",
)
def odd_label_is_refused_or_read(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A chat with a wrong Content-Type, or none, is refused with a 4xx or answered; never a 5xx, or a 200 without an
    answer."""
    yield from _refused_or_answered(x)


@rule(
    row="http/25",
    level=Level.MUST,
    of=CHARSET,
    answer=False,
    sampled=True,
    source="RFC 8259 11: a charset has no effect on compliant recipients; RFC 9110 8.3.1; openai-openapi "
    "issue 194, openai-java issue 465, auto-dev issue 289",
)
def json_with_a_charset_is_read(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A chat whose body is labelled "application/json; charset=utf-8" is answered as any other."""
    yield from _read_alike(xs, "clients in .NET, Java and others label every request so, and are never answered")


@rule(
    row="http/26",
    level=Level.SHOULD,
    of=SPELT,
    answer=False,
    sampled=True,
    source="RFC 9110 8.3.1 and 5.6.6: types and names of parameters in any case, a value as a word or quoted",
)
def label_is_read_in_any_spelling(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A chat is answered whose label is spelt in other letters, with its charset in quotes and no space before it."""
    yield from _read_alike(xs, "a client that spells the label otherwise is never answered", by=CHARSET_READ)


CHARSET_READ = ("http/json-with-a-charset-is-read[*]",)


@rule(row="http/18", level=Level.MAY, of=COMPRESSED, answer=False, source="RFC 9110 8.4 and 15.5.16")
def compressed_body_is_read_or_a_415(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A compressed body is read, or refused with 415; not taken for broken JSON."""
    if x.status == 400:
        got = f"{x.status} {x.body[:160].decode('utf-8', 'replace')}"
        so = "a client that compresses is told that its JSON is broken, which it is not"
        yield violation("the status", expected="200, or 415 (422 as some frameworks have it)", got=got, so=so)
    else:
        yield from _refused_or_answered(x)


@rule(
    row="http/19",
    part=("duplicate keys", "a byte order mark", "a lone surrogate", "not UTF-8"),
    level=Level.MAY,
    of=ODD_JSON,
    answer=False,
    source="RFC 8259 4, 8.1 and 8.2: what parsers make of them is not predictable",
)
def odd_json_is_dealt_with(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """Duplicate keys, a byte order mark, a lone surrogate and what is not UTF-8 are refused with a 4xx or answered,
    each time alike."""
    for name, x in look.bad(xs).items():
        for finding in _refused_or_answered(x):
            yield look.named(finding, name, alone=False)
        first = xs.get(name.removesuffix(AGAIN))
        if first is not None and first is not x and first.status != x.status:
            got, so = f"{first.status}, then {x.status}", "the same request works by chance"
            yield violation(f"{name}: the status", expected=f"{first.status} again", got=got, so=so, about=name)


def _refused_or_answered(x: Exchange) -> Iterator[Finding]:
    """A finding where neither a 4xx came nor an answer with a choice."""
    if x.status == 200 and look.holds_something(x):
        return
    so = "a client has a 200 and no answer" if x.status == 200 else ""
    if x.status == 200:
        got = x.fault or x.body[:160].decode("utf-8", "replace")
        yield violation("the body", expected="an answer with a choice, or a 4xx", got=got, so=so)
    else:
        yield from look.not_refused(x)


@rule(row="http/8", level=Level.SHOULD, of=CHUNKED, optional=True, answer=False, source="RFC 9112 7.1")
def chunked_body_is_read(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A body that comes in chunks is read, or refused with 411."""
    if "transfer-encoding" not in dict(x.request_headers):
        return
    if x.status == 411:
        yield refusal("the body", expected="read in chunks", got=f"411 {x.reason}", optional=True)
        return
    yield from _as_usual(x, "a client that does not know how long its body will be is not heard")


@rule(row="http/9", level=Level.SHOULD, of=EXPECTANT, answer=False, source="RFC 9110 10.1.1; curl waits a second")
def expectation_is_met_at_once(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A body that waits for a word gets one, 100 or the answer itself, before the client has waited a second."""
    if x.status == 417 or "expect" not in dict(x.request_headers):
        return
    found = list(_as_usual(x, "curl sends every large request so"))
    yield from found
    if not found and not x.raw.startswith(CONTINUES):
        so = "curl, and what is built on it, waits a second before each body of more than a megabyte"
        yield violation("the word", expected="100 Continue before the answer", got="none", so=so)


def _as_usual(x: Exchange, so: str) -> Iterator[Finding]:
    """A finding where a chat, valid but for the way it came, is not answered as any other."""
    if x.status != 200:
        got = f"{x.status} {x.body[:160].decode('utf-8', 'replace')}"
        judges = (causes.ANSWERED + causes.SOME,) if x.status is None or x.status >= 500 else ()
        yield violation("the status", expected="200", got=got, so=so, causes=judges)
    elif not look.holds_something(x):
        got = x.fault or x.body[:160].decode("utf-8", "replace")
        yield no_evidence(
            "the body", expected="an answer with a choice", got=got, causes=(causes.ANSWERED + causes.SOME,)
        )


def _read_alike(xs: Mapping[str, Exchange], so: str, by: tuple[str, ...] = ()) -> Iterator[Finding]:
    """A finding where a chat is not answered whose label alone is another one than that of the chat before it.

    Args:
        by: the rules whose finding it is where they fail too.
    """
    before = xs.get("before")
    for x in (x for name, x in xs.items() if name != "before"):
        if nothing := answering.unheard(x):
            yield nothing
        elif x.status == 200 and look.holds_something(x):
            continue
        elif before is not None and not (before.status == 200 and look.holds_something(before)):
            judges = (causes.ANSWERED + causes.SOME,)
            yield no_evidence("the chat before it", expected="an answer", got=before.status, causes=judges)
        else:
            got = f"{x.status or x.error or 'nothing'} {x.body[:160].decode('utf-8', 'replace')}"
            sent = dict(x.request_headers).get("content-type", "")
            yield violation("the status", expected=f"200, for {sent}", got=got, so=so, causes=by)
