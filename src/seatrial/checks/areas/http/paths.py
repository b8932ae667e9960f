"""Paths and methods: what is below the base URL, a method that a path has not, and what browsers ask first."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.checks import causes, look, traits
from seatrial.checks.findings import refusal, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.records import Exchange, Expect, Finding, Level

UNKNOWN_PATH = traits.FAULTY | trait("unknown-path")
WRONG_METHOD = traits.FAULTY | trait("wrong-method")
"""A method that the path has not."""

BASE = trait("base-url")
"""What each client asks for below the base URL."""

HEADS = trait("head-and-options")
"""HEAD of what may be got, and OPTIONS."""

PREFLIGHT = trait("preflight")
"""What a browser asks before it lets a page of another origin send a request with a key: without the key."""

FOREIGN = trait("foreign-origin")
"""A request that a page of another origin sends."""

ASKS = "authorization"
HTML = frozenset({"text/html", "application/xhtml+xml"})


@rule(
    row="http/2",
    part="the base URL resolves",
    level=Level.SHOULD,
    of=BASE,
    answer=False,
    source="OpenAPI document, servers and paths; openai-python base_url",
)
def base_url_resolves(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Below the base URL are the list of models and the chats, and no page of HTML."""
    judges = (causes.ANSWERED + causes.SOME, causes.DECODES + causes.SOME)
    if x.status in look.NO_ROUTE:
        so = "a client that was given this base URL finds nothing below it"
        yield violation("the status", expected="a route that is there", got=x.status, so=so, causes=judges)
    elif x.content_type in HTML:
        got = x.body[:120].decode("utf-8", "replace")
        so = "a client that was given this base URL reads a page where it expects an answer"
        yield violation("the body", expected="JSON", got=got, so=so, causes=judges)


@rule(
    row="http/2",
    part="unknown paths get a 404",
    level=Level.SHOULD,
    of=UNKNOWN_PATH,
    answer=False,
    source="openai-python _make_status_error",
)
def unknown_path_is_a_404_with_an_error_object(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A path that is not there answers 404 with an error object, not with a page."""
    if x.status != 404:
        yield violation("the status", expected="404", got=x.status, causes=look.by_5xx(x))
    elif not look.error(x):
        got = f"{x.content_type or 'no content type'}: {x.body[:120].decode('utf-8', 'replace')}"
        so = look.sdk_says(x)
        yield violation("the body", expected='{"error": {...}}', got=got, so=so, causes=look.by_framing(x))


@rule(row="http/3", level=Level.SHOULD, of=WRONG_METHOD, answer=False, source="RFC 9110 15.5.6")
def wrong_method_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A method that a path has not is refused with a 4xx: 405, or 404 as some routers have it."""
    yield from look.not_refused(x, so="a client that sends its requests by a wrong method never learns of it")


@rule(
    row="http/12",
    part=("HEAD", "OPTIONS"),
    level=Level.SHOULD,
    of=HEADS,
    answer=False,
    source="RFC 9110 9.3.2 and 9.3.7: HEAD has no content, 15.6: a 5xx is an error of the server",
)
def head_and_options_are_no_error(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """HEAD and OPTIONS never give a 5xx, but for a 501; and the answer to HEAD has no body."""
    if x.status is not None and x.status >= 500 and x.status != 501:
        got = f"{x.status} {x.body[:120].decode('utf-8', 'replace')}"
        so = "load balancers and browsers that ask so take the server for broken"
        yield violation("the status", expected="below 500", got=got, so=so)
    elif x.method == "HEAD" and _behind_its_head(x):
        so = "on a connection that is kept the body is taken for the beginning of the next answer"
        yield violation("the body", expected="none", got=_behind_its_head(x), so=so, causes=look.by_framing(x))


def _behind_its_head(x: Exchange) -> str:
    """What stands behind the head of an answer; an interim one (100) is no head."""
    rest = x.raw
    while rest.startswith(b"HTTP/1.1 1"):
        rest = rest.partition(b"\r\n\r\n")[2]
    return rest.partition(b"\r\n\r\n")[2][:120].decode("utf-8", "replace")


@rule(
    row="http/12",
    part="a preflight without a key",
    level=Level.SHOULD,
    of=PREFLIGHT,
    optional=True,
    answer=False,
    source="Fetch standard, CORS preflight: it has no credentials; llama.cpp test_cors_options",
)
def preflight_is_answered_without_a_key(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A preflight is answered without a key, and allows what was asked: the origin and the header of a key; or the
    server has no CORS at all."""
    origin, asked = x.header("access-control-allow-origin"), x.header("access-control-allow-headers")
    if x.status is not None and x.status >= 500:
        yield violation("the status", expected="a 2xx", got=x.status, so="a page in a browser sends no request at all")
    elif x.status in (401, 403):
        so = "a browser sends no key with it: no page of another origin gets further"
        yield violation("the status", expected="a 2xx: a preflight has no key", got=x.status, so=so)
    elif not any(name.startswith("access-control-") for name, _ in x.headers):
        yield refusal("CORS", expected="Access-Control-Allow-Origin", got=f"{x.status}, none", optional=True)
    else:
        so = "a browser keeps the request of the page back"
        if x.status is None or not 200 <= x.status < 300:
            yield violation("the status", expected="a 2xx", got=x.status, so=so)
        sent = dict(x.request_headers).get("origin", "")
        if origin not in ("*", sent):
            yield violation("Access-Control-Allow-Origin", expected=f"{sent} or *", got=origin or "none", so=so)
        if ASKS not in _words(asked):  # a star does not stand for the header of a key
            yield violation("Access-Control-Allow-Headers", expected="Authorization", got=asked or "none", so=so)


def _words(value: str | None) -> set[str]:
    return {word.strip().lower() for word in (value or "").split(",")}


@rule(
    row="http/13",
    level=Level.MAY,
    of=FOREIGN,
    answer=False,
    source="Fetch standard, CORS protocol and credentials; what llama.cpp's test_cors_options asserts",
)
def credentials_are_not_allowed_to_any_origin(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """An origin that nobody knows is not named back beside Access-Control-Allow-Credentials."""
    sent = dict(x.request_headers).get("origin", "")
    origin, allowed = x.header("access-control-allow-origin"), x.header("access-control-allow-credentials")
    if sent and origin == sent and (allowed or "").strip().lower() == "true":
        so = "any page that its user opens reads what the server answers to that user's browser"
        got = f"{origin}, with credentials"
        yield violation("Access-Control-Allow-Origin", expected="not an origin nobody knows", got=got, so=so)
