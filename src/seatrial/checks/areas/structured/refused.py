"""What cannot be enforced, or is no schema, is refused; and survived."""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec.structs import replace

from seatrial.checks import causes, look, schemas
from seatrial.checks.areas.structured import asked, told
from seatrial.checks.findings import violation
from seatrial.checks.rules import rule
from seatrial.reading import bound, chat, fields
from seatrial.records import Exchange, Expect, Finding, Level

OPEN = "a client trusts a schema that nobody enforced"
"""What a server does to its clients that fails open."""


@rule(
    row="so/3",
    level=Level.MUST,
    of=asked.UNENFORCEABLE,
    answer=False,
    source="llama.cpp issues 19051, 24144; OpenAI, Structured Outputs: a schema that is not supported is an error",
)
def unenforceable_schema_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A schema that the server cannot enforce, or that no value fits, is refused with a 4xx; never answered with 200
    and a value that does not fit."""
    yield from _refused_or_kept(x, so=OPEN, judges=causes.BOUND)


@rule(
    row="so/11",
    level=Level.MUST,
    of=asked.EXPLOSIVE,
    answer=False,
    source="vLLM issues 17313 and 17248: a bad pattern or schema ended the server; llama.cpp PRs 22606 and 25308",
)
def explosive_schema_is_refused_in_time(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A schema with a broken pattern, or one made to explode, is refused with a 4xx, or enforced, within the
    deadline."""
    judges = (*causes.BOUND, "structured/unenforceable-schema-is-refused[*]")
    so = "one client's pattern takes the server from all others, or binds nothing"
    for finding in _refused_or_kept(x, so=so, judges=judges):
        if finding.kind != "no-evidence" or not _is_cut(
            x
        ):  # what its cap ended was answered in time, and had begun well
            yield finding


@rule(
    row="so/10",
    part=("an unknown type", "a schema that is no object"),
    level=Level.MUST,
    of=asked.MALFORMED,
    answer=False,
    source="OpenAPI document, response_format: one of three types, the schema an object; vLLM issue 35438",
)
def malformed_format_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A response_format of an unknown type, or with a schema that is no object, is refused with a 4xx."""
    yield from _taken(x, so=OPEN)


@rule(
    row="so/10",
    part=("no name", "no schema", "strict that is no boolean"),
    level=Level.SHOULD,
    of=asked.INCOMPLETE,
    answer=False,
    source="OpenAPI document, ResponseFormatJsonSchema: name is required, strict a boolean; Kimi-Vendor-Verifier",
)
def incomplete_format_is_refused(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """A json_schema without its name or its schema, or whose strict is no boolean, is refused with a 4xx."""
    yield from _taken(x, so="a client's slip goes unnoticed until another server refuses it")


def _taken(x: Exchange, *, so: str) -> Iterator[Finding]:
    """A finding where a faulty format was not refused; who binds nothing at all does not look at it either."""
    for found in look.not_refused(x, so=so):
        yield replace(found, causes=causes.BOUND) if x.status == 200 else found


def _refused_or_kept(x: Exchange, *, so: str, judges: tuple[str, ...]) -> Iterator[Finding]:
    """A finding where a request was neither refused with a 4xx nor answered by a value of its schema."""
    if x.status != 200:
        yield from look.not_refused(x)
        return
    schema = bound.schema(x)
    if unread := schemas.unreadable(schema):
        got = f"200, of a schema that cannot be read: {unread}"
        by = (*judges, told.JOINED) if '"$ref"' in json.dumps(schema) else judges
        yield violation("the status", expected="a 4xx", got=got, so=so, grave=True, causes=by)
        return
    for where, value, found in told.values(x, kind=fields.mapping(schema).get("type"), causes=judges):
        if found is not None:
            yield found
        elif not schemas.fits(schema, value):
            got, at = f"200 and {json.dumps(value, ensure_ascii=False)}", f"{where}, content"
            by = (*judges, *told.by_keywords(schema, value, (told.EVERYDAY, told.FINE)))
            yield violation(at, expected="a 4xx, or a value that fits", got=got, so=so, grave=True, causes=by)


def _is_cut(x: Exchange) -> bool:
    return any("length" in answer.reasons for answer in chat.answers(x).values())
