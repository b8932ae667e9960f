"""What a server leaves open to whoever reaches its port: commands, a proxy, the deletion and the sight of others' work.

Routes are asked without a key, and by methods that change nothing. One that takes another method alone says so, and is
there all the same. A path that nobody has shows what this server says of routes that are not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.checks import answering, causes
from seatrial.checks.findings import no_evidence, violation
from seatrial.checks.rules import rule
from seatrial.checks.traits import trait
from seatrial.reading import fields
from seatrial.records import BUSY, Exchange, Expect, Finding, Level

COMMANDS = trait("commands", own=True)
PROXIES = trait("proxies", own=True)
DELETES = trait("deletes", own=True)
SHOWS = trait("shows", own=True)
"""Routes that may show what others asked, after a chat of our own."""

NOBODY = "nobody's path"
"""The name of the requests for a path that is not there, each with its method before it."""

OURS = "ours"
"""The name of our own chat, of which no route may show anything."""

CANARY = "cormorant 4f1c73"
"""Words of our own chat that nobody else says."""

MARK = 12
"""Characters of an id by which our chat is known: a shorter one may stand on any page."""

SHUT = frozenset({401, 403, 404, 407, 410, 501, 502, 504})
"""Statuses of a route that is guarded, turned off or not there, or behind which nobody is."""

REDIRECTS = range(300, 400)


def table(xs: Mapping[str, Exchange], expect: Expect) -> dict[str, str]:
    """What each route said to who has no key."""
    return {name: str(x.status or x.error) for name, x in xs.items() if name != OURS}


@rule(
    row="auth/7",
    part="runs commands",
    level=Level.MUST,
    of=COMMANDS,
    answer=False,
    sampled=True,
    figures=table,
    source="llama.cpp README, --tools: do not enable in untrusted environments; vLLM docs/usage/security.md",
)
def no_route_runs_commands(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No route that runs commands on the host answers without a key."""
    yield from _open(xs, so="whoever reaches the port runs commands on the host, as the server's user")


@rule(
    row="auth/7",
    part="proxies",
    level=Level.MUST,
    of=PROXIES,
    answer=False,
    sampled=True,
    figures=table,
    source="llama.cpp README, --ui-mcp-proxy: do not enable in untrusted environments; CWE-918",
)
def no_route_fetches_for_strangers(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No route that fetches an address for whoever asks answers without a key."""
    yield from _open(xs, so="whoever reaches the port reaches what the host reaches")


@rule(
    row="auth/7",
    part="deletes",
    level=Level.SHOULD,
    of=DELETES,
    answer=False,
    sampled=True,
    figures=table,
    source="Ollama docs/api.md, DELETE /api/delete; vLLM docs/usage/security.md",
)
def no_route_deletes_for_strangers(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No route that takes models, keys or caches from others is there without a key."""
    yield from _open(xs, so="whoever reaches the port takes from all others what they work with")


@rule(
    row="auth/7",
    part="shows others' work",
    level=Level.MUST,
    of=SHOWS,
    answer=False,
    sampled=True,
    figures=table,
    source="llama.cpp 4566: /slots showed the prompts of all; OWASP API1:2023",
)
def no_route_shows_the_work_of_others(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No route shows without a key what another client asked, was answered, or its answer's id."""
    if (ours := xs.get(OURS)) is None or ours.status != 200:
        got = "none was sent" if ours is None else f"{ours.status or ours.error}"
        judges = (causes.ANSWERED + causes.SOME,)
        yield no_evidence("our own chat", expected="200", got=got, causes=judges)
        return
    told = fields.string(fields.mapping(ours.json).get("id")) or ""
    marks = [CANARY, told] if len(told) >= MARK else [CANARY]
    for name, x in _heard(xs):
        for mark in marks:
            at = x.body.find(mark.encode())
            if x.status == 200 and at >= 0:
                got = x.body[max(0, at - 60) : at + 60].decode("utf-8", "replace")
                so = "whoever reaches the port reads what others ask"
                yield violation(f"{name} without a key", expected="nothing of our chat", got=got, so=so, about=name)
                break
    yield from _none_heard(xs)


def _open(xs: Mapping[str, Exchange], *, so: str) -> Iterator[Finding]:
    for name, x in _heard(xs):
        if x.status in SHUT or x.status in REDIRECTS or _is_page(x) or _as_nobodys(x, xs):
            continue
        got = f"{x.status} {x.body[:160].decode('utf-8', 'replace')}"
        yield violation(f"{name} without a key", expected="401, 403 or 404", got=got, so=so, about=name)
    yield from _none_heard(xs)


def _heard(xs: Mapping[str, Exchange]) -> Iterator[tuple[str, Exchange]]:
    """The answers of the routes, by what was asked."""
    for name, x in xs.items():
        if name != OURS and not name.endswith(NOBODY) and x.status is not None and x.status not in BUSY:
            yield name, x


def _none_heard(xs: Mapping[str, Exchange]) -> Iterator[Finding]:
    if not any(_heard(xs)):
        found = next(filter(None, (answering.unheard(x) or answering.silent(x) for x in xs.values())), None)
        got = found.got if found else "none"
        yield no_evidence("the routes", expected="an answer of one", got=got)


def _is_page(x: Exchange) -> bool:
    """Whether a browser's page came: a user interface that answers any path with itself."""
    return x.status == 200 and x.content_type in {"text/html", "application/xhtml+xml"}


def _as_nobodys(x: Exchange, xs: Mapping[str, Exchange]) -> bool:
    """Whether a path that is not there is answered alike."""
    nobodys = xs.get(f"{x.method} {NOBODY}")
    return nobodys is not None and (x.status, x.content_type) == (nobodys.status, nobodys.content_type)
