"""Who is let in: with the operator's key, without one, and with another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import answering, causes, look
from seatrial.checks.findings import about, no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import fields
from seatrial.records import BUSY, Exchange, Expect, Finding, Level
from seatrial.text import shorten

KEYED = trait("keyed", own=True)
"""Sent only where the operator has given a key."""

KEYS = KEYED | trait("authorizations", own=True)
"""One chat under several authorizations, each by its name in the scenario."""

GUARDED = KEYED | trait("guarded", own=True)
"""Every route that infers, without a key, and with a body that asks for nothing."""

KEYLESS = trait("keyless", own=True)
"""Sent only where the operator has given no key: one chat with a key that nobody gave out."""

WRONG = "seatrial-no-key-of-yours-4f1c"
"""A key that no server has given out. It is no secret, so that an answer that repeats it shows it."""

NEARLY = {
    "less": "a beginning of the key is enough: who knows one letter of it is let in",
    "more": "what follows the key is not compared, as where keys are cut to a length: two long keys are one",
}
"""The operator's own key without its last character, and with one more; what it does where it is let in."""

ODD = ("bare", "basic")
"""Authorizations that are none: a scheme alone, and another scheme."""

SPELT = ("lower", "spaces")
"""The operator's own key, spelt in other ways that mean the same."""

UNAUTHORIZED = 401
TURNED_AWAY = frozenset({UNAUTHORIZED, 403, 407})
LOST = frozenset({404, 405, 410, 501, 502, 504})
"""Statuses that say nothing of a key: no such route here, or nobody behind it."""

REDIRECTS = range(300, 400)
"""Statuses that let nobody in, and say nothing of a key: a slash is missing, or somebody signs in elsewhere."""

SHUT_OUT = TURNED_AWAY | {*REDIRECTS}

UNGUARDED = "whoever reaches the port is answered, at the operator's cost"
FOLLOWED = "nobody is let in; whoever follows it, as openai-python does, takes the page it comes to for the answer"
PLAIN = "/chat/completions"


@rule(row="auth/1", level=Level.MUST, of=KEYS, answer=False, sampled=True, source="RFC 9110 15.5.2; OpenAI's API: 401")
def missing_key_is_a_401(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A chat without a key is refused with 401 and an error object, where the operator has a key.

    A redirect to a login page lets nobody in, and is no 401 all the same: a client follows it and is given a page, with
    status 200, in place of an error that speaks of the key.
    """
    yield from _turned_away(xs, "none", so=UNGUARDED)


@rule(row="auth/2", level=Level.MUST, of=KEYS, answer=False, sampled=True, source="RFC 9110 15.5.2; OpenAI's API: 401")
def wrong_key_is_a_401(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A chat with a key that nobody gave out is refused with 401 and an error object, also where it is the operator's
    without its last character, or with one more.

    A redirect to a login page is none, as where no key is sent.
    """
    wrong = list(_turned_away(xs, "wrong", so="any key will do", once=_by_none(xs), shaped=(causes.NO_KEY,)))
    yield from wrong
    for name, so in NEARLY.items():
        if not wrong and name in xs:  # what is wrong with the one that is like none is told once
            yield from _turned_away(xs, name, so=so)


@rule(
    row="auth/4",
    part="other forms",
    level=Level.SHOULD,
    of=KEYS,
    answer=False,
    sampled=True,
    source="RFC 9110 11.6.2: an authorization that is not valid gets a 401; openai-python retries a 5xx",
)
def odd_authorization_is_refused(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """An Authorization header that holds no key, or another scheme, is refused with a 4xx."""
    for name in ODD:
        x = xs.get(name)
        if nothing := _unheard(xs, name):
            yield nothing
        elif x is not None and x.status is not None and not 300 <= x.status < 500:
            so = "clients retry: a slip of theirs is sent three times" if x.status >= 500 else UNGUARDED
            got = f"{x.status} {_start(x)}"
            yield violation(f"{name}: the status", expected="401", got=got, so=so, about=name, causes=_by_none(xs))


@rule(
    row="auth/4",
    part="the scheme in any case",
    level=Level.SHOULD,
    of=KEYS,
    answer=False,
    sampled=True,
    source="RFC 9110 11.1: the scheme is case-insensitive; 11.4: one or more spaces behind it",
)
def scheme_is_read_in_any_case(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The operator's key is taken whatever the case of its scheme, and with more than one space behind it."""
    for name in SPELT:
        x = xs.get(name)
        if nothing := _unheard(xs, name):
            yield nothing
        elif x is not None and x.status in TURNED_AWAY:
            so = "a client that spells the header so is turned away with a good key"
            yield violation(f"{name}: the status", expected="200", got=f"{x.status} {_start(x)}", so=so, about=name)


@rule(row="auth/5", level=Level.SHOULD, of=KEYS, answer=False, sampled=True, source="OWASP ASVS 7.4; CWE-209")
def key_is_not_repeated(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The answer to a wrong key does not repeat the key."""
    x = xs.get("wrong")
    if nothing := _unheard(xs, "wrong"):
        yield nothing
    elif x is not None and WRONG.encode() in x.raw + x.body:
        so = "a key with a slip in it is nearly the key: it stands in the logs of each client and proxy"
        yield violation("the answer", expected="nothing of the key", got=_start(x), so=so, about="wrong")


@rule(
    row="auth/3",
    level=Level.MUST,
    of=GUARDED,
    answer=False,
    sampled=True,
    source="vLLM 58144 and 18892: routes beside /v1 answer without the key",
    figures=lambda xs, _expect: {name: str(x.status or x.error) for name, x in xs.items()},
)
def every_route_that_infers_is_guarded(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No route that infers looks at a request without a key, whatever its name."""
    heard = {name: x for name, x in xs.items() if x.status is not None and x.status not in {*LOST, *BUSY, *REDIRECTS}}
    if not heard:
        got = ", ".join(f"{name}: {x.status or x.error}" for name, x in xs.items())
        yield no_evidence("the routes", expected="one that is there", got=got)
    chat = next((x for x in xs.values() if x.path == PLAIN), None)
    once = (causes.NO_KEY + causes.SOME,) if chat is not None and chat.status not in SHUT_OUT else ()
    for name, x in heard.items():
        if x.status not in TURNED_AWAY:
            got = f"{x.status} {_start(x)}"
            yield violation(f"{name} without a key", expected="401", got=got, so=UNGUARDED, about=name, causes=once)


@rule(
    row="auth/6",
    level=Level.MUST,
    of=KEYLESS,
    answer=False,
    sampled=True,
    source="openai-python: no client is made without a key",
)
def any_key_is_taken(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A server that asks for no key answers a client that sends one."""
    if nothing := _unheard(xs, "dummy"):
        yield nothing
    elif (x := xs["dummy"]).status != xs["before"].status:
        so = "every client on the official SDK sends a key, for it makes none without"
        yield violation("the status", expected="200, as without a key", got=f"{x.status} {_start(x)}", so=so)


def _turned_away(
    xs: Mapping[str, Exchange], name: str, *, so: str, once: tuple[str, ...] = (), shaped: tuple[str, ...] = ()
) -> Iterator[Finding]:
    """What is wrong with the answer to a request without a good key.

    Args:
        once: the rule by which another one is let in as well.
        shaped: the rule by which another one has no error object either.
    """
    if nothing := _unheard(xs, name):
        yield nothing
        return
    x = xs[name]
    if x.status in REDIRECTS and (where := _location(x)):
        got = f"{x.status} to {where}"
        yield violation("the status", expected="401", got=got, so=FOLLOWED, about=name, causes=once)
        return
    if x.status != UNAUTHORIZED:
        told = so if x.status == 200 else "a client on the official SDK does not say that its key is the matter"
        got = f"{x.status} {_start(x)}"
        yield violation("the status", expected="401", got=got, so=told, about=name, causes=once)
        return
    message = fields.mapping(fields.mapping(x.json).get("error")).get("message")
    if not isinstance(message, str) or not message.strip():
        judges = (*shaped, causes.ERROR_SHAPED + causes.SOME)
        yield violation("error.message", expected="text", got=_start(x), so=look.sdk_says(x), about=name, causes=judges)


def _unheard(xs: Mapping[str, Exchange], name: str) -> Finding | None:
    """Why the answer to a request of this name shows nothing; a request that was never answered is a violation."""
    x, before = xs.get(name), xs.get("before")
    if x is None or before is None:
        return no_evidence("the recording", expected=f"a good request, and {name}", got=", ".join(xs))
    if before.status != 200:
        judges = (f"{causes.ANSWERED}[{before.scenario.rpartition('/')[2]}]",)
        got = f"{before.status or before.error} with the key"
        return no_evidence("the good request", expected="200", got=got, about="before", causes=judges)
    found = answering.unheard(x) or answering.silent(x)
    return about(name, found) if found else None


def _by_none(xs: Mapping[str, Exchange]) -> tuple[str, ...]:
    """The rule whose finding it is that nobody needs a key; none where one is needed."""
    none = xs.get("none")
    return () if none is None or none.status in SHUT_OUT else (causes.NO_KEY,)


def _location(x: Exchange) -> str:
    """Where a redirect leads, without what an address may carry; empty where it does not say."""
    said = next((value for name, value in x.headers if name.lower() == "location"), "")
    return shorten(said.partition("?")[0], 160)


def _start(x: Exchange) -> str:
    return x.body[:160].decode("utf-8", "replace")
