"""Each keyword of a schema is enforced, or the schema is refused."""

from __future__ import annotations

from collections.abc import Iterator

from seatrial.checks.areas.structured import asked, told
from seatrial.checks.rules import rule
from seatrial.records import Exchange, Expect, Finding, Level

SUBSET = "OpenAI, Structured Outputs, supported schemas"


@rule(
    row="so/5",
    part=("enum and const", "types", "nested objects", "counts of items"),
    level=Level.SHOULD,
    of=asked.EVERYDAY,
    optional=True,
    source=f"{SUBSET}; JSON Schema 2020-12 6.1 and 6.4",
)
def everyday_keywords_are_enforced(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """enum, const, the types, nested objects, minItems and maxItems are enforced, or the schema is refused."""
    so = "a program meets values and types that its own do not allow"
    yield from told.unfit(x, so=so, causes=told.plainly(x), families=(told.KEYS,))


@rule(
    row="so/6",
    part=("references", "recursion", "alternatives"),
    level=Level.SHOULD,
    of=asked.JOINED,
    optional=True,
    source=f"{SUBSET}: definitions, recursive schemas and anyOf",
)
def references_and_alternatives_are_enforced(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """What $ref leads to, once or again and again, and what anyOf allows is enforced, or the schema is refused."""
    so = "what a program shares between its types, or nests in them, is not there"
    yield from told.unfit(x, so=so, causes=told.plainly(x), families=(told.EVERYDAY, told.KEYS))


@rule(
    row="so/7",
    part=("patterns", "bounds of numbers", "lengths"),
    level=Level.MAY,
    of=asked.FINE,
    optional=True,
    source=f"{SUBSET}: properties of strings and numbers; vercel/ai issue 16021",
)
def patterns_and_bounds_are_enforced(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """pattern, the bounds of numbers and the lengths of texts are enforced, or the schema is refused."""
    so = "codes, numbers and lengths go unchecked into what stands behind the client"
    yield from told.unfit(x, so=so, causes=told.plainly(x), families=(told.EVERYDAY, told.KEYS))


@rule(
    row="so/7",
    part="formats",
    level=Level.SHOULD,
    of=asked.FORMATS,
    optional=True,
    source=f"{SUBSET}: format; in JSON Schema itself it binds nothing",
)
def formats_are_enforced(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """format is enforced, or the schema is refused."""
    so = "a date or an address that is none goes into what stands behind the client"
    yield from told.unfit(x, so=so, causes=told.plainly(x), families=(told.EVERYDAY, told.KEYS))


@rule(
    row="so/8",
    level=Level.SHOULD,
    of=asked.SCRIPTS,
    optional=True,
    source="RFC 8259 7: any character, as itself or escaped",
)
def names_and_values_of_any_script_work(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Names of keys and values of enums in any script, with quotes, backslashes and spaces, come as the schema has
    them, or the schema is refused."""
    so = "a program of any language but English does not find its keys and values"
    yield from told.unfit(x, so=so, causes=told.plainly(x), families=(told.EVERYDAY, told.KEYS))


@rule(
    row="so/9",
    part=("required", "additionalProperties"),
    level=Level.SHOULD,
    of=asked.KEYS,
    optional=True,
    source=f"{SUBSET}: all fields required, additionalProperties false",
)
def keys_are_those_of_the_schema(x: Exchange, expect: Expect) -> Iterator[Finding]:
    """Every required key is there, and with additionalProperties false no other, in nested objects too; in any
    order."""
    so = "a program reads a key that is not there, or refuses one that it does not know"
    yield from told.unfit(x, so=so, causes=told.plainly(x), only=told.KEYS[1])
