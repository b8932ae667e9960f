"""What a refusal says: that it names what is wrong, and shows nothing of the server's insides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from seatrial.checks import look, traits
from seatrial.checks.areas.context import parts
from seatrial.checks.areas.http import sizes
from seatrial.checks.findings import refusal, violation
from seatrial.checks.rules import rule
from seatrial.reading import fields
from seatrial.records import Exchange, Expect, Finding, Level

SHAPE = "errors/error-object-has-its-shape"

INSIDES = re.compile(
    r"Traceback \(most recent call last\)"
    r"|File \"[^\"\n]{1,200}\", line \d+"
    r"|(?:^|[\s'\"(])(?:/[\w.@+-]+){2,}\.(?:py|js|ts|go|rs|cpp|cc|cu|h|hpp|java|rb|jinja)\b"
    r"|<(?:class|function|module) '[^'\n]{1,200}"
    r"|<[\w.]{1,100} object at 0x[0-9a-fA-F]{4,}>"
    r"|\bat (?:\S{1,100} \()?(?:file://)?/\S{1,200}:\d+:\d+"
    r"|goroutine \d+ \[|panicked at |stack backtrace:"
)
"""What only those who run the server have use for: traces, files of the program, objects of its language."""

READ = 20_000
"""Characters of a refusal that are searched."""

DEPTH = 8

OF_LENGTH = (parts.BEYOND | sizes.OVERSIZED) - traits.FAULTY
"""What is wrong with a request that is too long has no name of its own."""

LENGTH = {"context", "too long"}
"""How a message says that; a request may be too long whatever else is wrong with it."""


NOUN = re.compile(r"[a-z]+_(?:[a-z]+_)*([a-z]{5,})")
"""A name of several words, and the last of them."""


@rule(
    row="err/2",
    part="the message names what is wrong",
    level=Level.SHOULD,
    of=traits.FAULTY,
    unless=OF_LENGTH,
    answer=False,
    sampled=True,
    source="OpenAI's API; vLLM issue 35438: an empty message",
)
def message_names_what_is_wrong(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """The message of a refusal names the part of the request that is wrong: one that a good request has otherwise."""
    for name, x in _refused(xs):
        message = look.error(x).get("message")
        names = _differ(x, xs)
        if not isinstance(message, str) or not message.strip():
            continue  # errors/error-object-has-its-shape says so
        if names and not _mentions(message, names | LENGTH):
            shown = ", ".join(sorted(names)[:6])
            so = "whoever reads it has to guess which part of the request it is about"
            finding = violation("error.message", expected=f"one of {shown}", got=message, so=so)
            yield look.named(finding, name, alone=len(xs) < 4)


@rule(
    row="err/2",
    part="nothing of the server's insides",
    level=Level.SHOULD,
    of=traits.FAULTY,
    unless=sizes.OVERSIZED - traits.FAULTY,
    answer=False,
    source="CWE-209; vLLM issue 57997: a repr of Python",
)
def refusal_shows_no_insides(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A refusal holds no trace of calls, no path of the program's files and no object of its language."""
    if x.status is not None and x.status >= 400 and (found := INSIDES.search(_text(x))):
        so = "users read what only those who run the server have use for, attackers too"
        yield violation("the body", expected="words for a client", got=found[0].strip(), so=so)


@rule(
    row="err/4",
    level=Level.MAY,
    of=traits.FAULTY,
    unless=OF_LENGTH,
    optional=True,
    answer=False,
    sampled=True,
    source="OpenAI's API; OpenAPI document, Error: param",
)
def param_names_what_is_wrong(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """param, where a refusal has one, is a part of the request that a good one has otherwise."""
    for name, x in _refused(xs):
        param, names = look.error(x).get("param"), _differ(x, xs)
        if not names:
            continue
        if param in (None, ""):
            yield look.named(refusal("error.param", expected="a name", got=param, optional=True), name, alone=True)
        elif not isinstance(param, str) or not _mentions(param, names):
            shown, so = ", ".join(sorted(names)[:6]), "a form that marks the field in question marks another one"
            judges = () if isinstance(param, str) else (SHAPE,)
            finding = violation("error.param", expected=f"one of {shown}", got=param, so=so, causes=judges)
            yield look.named(finding, name, alone=len(xs) < 4)


def _refused(xs: Mapping[str, Exchange]) -> Iterator[tuple[str, Exchange]]:
    """Faulty requests that were refused with a 4xx which a good one does not get."""
    for name, x in look.bad(xs).items():
        if x.status is not None and 400 <= x.status < 500 and x.status != 429 and not look.unrouted(x, xs):
            yield name, x


def _differ(x: Exchange, xs: Mapping[str, Exchange]) -> set[str]:
    """Names in a faulty request that a good one on its route has not, or has otherwise; empty where it is no object."""
    sound = [s for name, s in xs.items() if name in look.SOUND and (s.method, s.path) == (x.method, x.path)]
    if not sound or not isinstance(x.request_json, dict):
        return set()
    good, bad = fields.mapping(sound[0].request_json), x.request_json
    apart = {name for name in {*good, *bad} if name not in good or name not in bad or good[name] != bad[name]}
    return apart | {inner for name in apart for inner in _names(bad.get(name), DEPTH)}


def _names(value: Any, depth: int) -> Iterator[str]:
    """Names of fields within a value, and words that it consists of."""
    if depth and isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _names(inner, depth - 1)
    elif depth and isinstance(value, list):
        for inner in value[:200]:
            yield from _names(inner, depth - 1)
    elif isinstance(value, str) and 2 < len(value) < 100:
        yield value


def _mentions(message: str, names: set[str]) -> bool:
    """Whether a message has one of these names in it, in one of the ways in which people write it.

    Of an ``encoding_format`` people say "the format".
    """
    low = re.sub(r"[_\s-]+", " ", message.lower())
    names = names | {found[1] for name in names if (found := NOUN.fullmatch(name))}
    return any(re.sub(r"[_\s-]+", " ", name.lower()).strip().removesuffix("s") in low for name in names if name.strip())


def _text(x: Exchange) -> str:
    return x.body[:READ].decode("utf-8", "replace").replace('\\"', '"').replace("\\n", "\n").replace("\\/", "/")
