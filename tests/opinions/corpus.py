"""Outputs that are made: right answers of the simulated model, near misses of them, and what a hostile server sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from seatrial.behaviour.items import ProbeItem
from seatrial.behaviour.probes.form.instructions import INSTRUCTIONS
from seatrial.behaviour.probes.form.language import LANGUAGES
from seatrial.behaviour.probes.form.objects import JSON
from seatrial.behaviour.probes.form.tools import CALLING, TOOLS
from tests.opinions.opinion import Output
from tests.simulated.mouths import SPOKEN, Said, right
from tests.simulated.wrong import FAULTS

HOSTILE = ("", " \n\t", "\x00", "\u200b", "\u202eabc", "*", "***", "* ", "*\n*\n*", "**bold**", "- \n- \n", "---\n---",
    "123 456", "ß", "ẞ STRASSE", "ŉ", "日本語", "🎉", '"', '""', '" "', "''", "don't-stop it's well-known", "٣", "a,b",
    "a\u060cb", "LANTERN", "lanterns", "harbours", "x" * 20_000, "word " * 5_000, "\r\n* a\r\n* b", "•  a\n• b",
    "(?:", "\\", "[", "\ud800", "* a * b", "***\n***", "a***b", "a\n***\nb", "a\n ***\nb\n***", "_a_ b_c", "ａｂｃ",
)  # fmt: skip


def outputs(items: int = 240, seed: int = 0) -> Iterator[Output]:
    """All of them, in every area."""
    for number in range(items):
        yield from instructed(INSTRUCTIONS.item(seed, number), Random(f"{seed}/i/{number}"))
        yield from spoken(LANGUAGES.item(seed, number), Random(f"{seed}/l/{number}"))
        yield from written(JSON.item(seed, number), Random(f"{seed}/j/{number}"))
        yield from called(CALLING.item(seed, number), Random(f"{seed}/c/{number}"))
    yield from schemas(Random(f"{seed}/s"), items)


def instructed(item: ProbeItem, draw: Random) -> Iterator[Output]:
    """Of an item of instructions every text against every thing that was asked."""
    good = right("instructions", item, draw).content
    bad = FAULTS["keeps-no-instruction"].say(item, draw).content
    texts = [(good, "right"), (bad, "near"), *((text, "near") for text in _near(good, draw))]
    texts += [(text, "hostile") for text in draw.sample(HOSTILE, 6)]
    texts += [(f"{good}\n{draw.choice(HOSTILE[:16])}", "hostile")]
    for text, how in texts:
        for kind, drawn in item.truth:
            yield Output("instructions", kind, drawn, text, how)


def _near(text: str, draw: Random) -> Iterator[str]:
    words = text.split(" ")
    at = draw.randrange(len(words))
    yield " ".join(words[:-1])
    yield " ".join(words[1:])
    yield " ".join([*words[:at], f"{words[at]},", *words[at + 1 :]])
    yield " ".join([*words[:at], "it's", "half-done", *words[at + 1 :]])
    yield text.swapcase()
    yield text.capitalize()
    yield f"* {text}"
    yield f"{text}\n* one more"
    yield f"{text}\n*one more"
    yield f"{text}\n- one more"
    yield f"{text}\n***\n"
    yield f"{text}\n***\nAnd more."
    yield f"Sure! {text}"
    yield f"{text} I hope that helps."
    yield f'"{text}"'
    yield f"{text} {draw.choice(('Lanterns', 'harbours', 'every', 'timely', 'very', 'LIGHT', 'water-wheel', 'light_'))}"
    yield text.replace(".", "")
    yield text.replace("\n", "\r\n")


def spoken(item: ProbeItem, draw: Random) -> Iterator[Output]:
    """A text in each language for one that was asked in one."""
    for name, text in SPOKEN.items():
        yield Output("language", item.truth, None, text, "right" if name == item.truth else "near")
    one, two = draw.sample(sorted(SPOKEN), 2)
    yield Output("language", item.truth, None, f"{SPOKEN[one]} {SPOKEN[two]}", "near")
    for text in draw.sample(HOSTILE, 3):
        yield Output("language", item.truth, None, text, "hostile")


def written(item: ProbeItem, draw: Random) -> Iterator[Output]:
    """JSON for an item that asked for it, and what nearly is some."""
    facts = dict(item.truth["facts"])
    good, key = json.dumps(facts, ensure_ascii=False), draw.choice(sorted(facts))
    values = (None, "", "7", 7, 7.0, -1, 1e400, 10**400, True, [], ["a", 1], {}, {"street": "x"}, "red", "\ud800")
    near = [json.dumps(facts | {key: value}) for value in values]
    near += [json.dumps({k: v for k, v in facts.items() if k != key}), json.dumps(facts | {"more": 1})]
    near += [f"Here it is: {good}", f"{good} {good}", f"[{good}]", good.replace('"', "'"), good[:-1], f"{good},"]
    near += [f"```json\n{good}\n```", f"```\n{good}\n```", f"```json\n{good}\n```\nDone.", f"```yaml\n{good}\n```"]
    near += [good.replace("}", f', "{key}": null}}', 1), f"\ufeff{good}"]
    hostile = [
        "",
        "null",
        "NaN",
        '{"a":' * 3_000,
        "[" * 100_000,
        '{"__proto__": {}}',
        "\x00",
        "1e999",
        "-0",
        '"\\ud800"',
    ]
    texts = [(good, "right"), *((t, "near") for t in near), *((t, "hostile") for t in draw.sample(hostile, 3))]
    for text, how in texts:
        yield Output("json", item.family, item.truth, text, how)


def called(item: ProbeItem, draw: Random) -> Iterator[Output]:
    """Calls for an item that asked for some, for none, or for what a call had said."""
    answer = right("tools", item, draw)
    calls = [(name, dict(arguments)) for name, arguments in answer.calls]
    for (made, text), how in _calls(item, answer, calls, draw):
        yield Output("calls", item.family, item.truth, made, how, text)


def _calls(
    item: ProbeItem, answer: Said, calls: list[Any], draw: Random
) -> Iterator[tuple[tuple[list[Any], str], str]]:
    yield (calls, answer.content), "right"
    stray = ("start_timer", {"minutes": 3})
    yield ([*calls, stray], answer.content), "near"
    yield ([*calls, ("no_such_tool", {})], ""), "hostile"
    yield ([], ""), "near"
    yield ([], "I could look that up."), "near"
    if told := item.truth.get("told"):
        longer = (f"{told}1 degrees", f"1{told} degrees", f"{told}.5", f"-{told}", "twelve")
        plain = (
            f"{told} °C",
            f"It is {told}.",
            told.replace("-", "\u2212"),
            f"**{told}**",
            f"{told}°C, cloudy",
            f"({told})",
        )
        for text in (*longer, *plain):
            yield ([], text), "near"
    if calls:
        yield (list(reversed(calls)), ""), "right"
        yield (calls[:-1], ""), "near"
        yield ([*calls, calls[0]], ""), "near"
        name, arguments = calls[0]
        for changed, how in _arguments(arguments, draw):
            yield ([(name, changed), *calls[1:]], ""), how
        yield ([(name.upper(), arguments), *calls[1:]], ""), "near"
        yield ([(draw.choice(sorted(TOOLS)), arguments), *calls[1:]], ""), "near"


def _arguments(arguments: dict[str, Any], draw: Random) -> Iterator[tuple[Any, str]]:
    key = draw.choice(sorted(arguments))
    value = arguments[key]
    yield {k: v for k, v in arguments.items() if k != key}, "near"
    yield {**arguments, "unit": "celsius"}, "near"
    for other in (None, str(value), True, [value], {}, 10**400, 1e308, float("inf"), "\ud800", [[[]]]):
        yield {**arguments, key: other}, "hostile"
    yield from ((other, "hostile") for other in (None, [], "x", 3, {}))
    if isinstance(value, str):
        for text in (value.upper(), f" {value} ", f"{value}.", value.replace(" ", ""), value + "x", value[:-1], "",
                     value.replace(" ", "-"), f"{value}, Norway", value.replace("ö", "o")):  # fmt: skip
            yield {**arguments, key: text}, "near"
    elif isinstance(value, dict):
        inner = draw.choice(sorted(value))
        yield {**arguments, key: {**value, inner: "else"}}, "near"
        yield {**arguments, key: {**value, "floor": 2}}, "near"
        yield {**arguments, key: {k: v for k, v in value.items() if k != inner}}, "near"
    elif isinstance(value, list):
        yield {**arguments, key: value[::-1]}, "near"
        yield {**arguments, key: [*value, value[0]]}, "near"
        yield {**arguments, key: value[:-1]}, "near"
        yield {**arguments, key: [str(each).lower() for each in value]}, "near"
    else:
        yield {**arguments, key: float(value)}, "near"
        yield {**arguments, key: value + 1}, "near"
        yield {**arguments, key: value + 0.5}, "near"


VALUES = (None, True, False, 0, -0.0, 1, 1.0, 1.5, 0.3, 9.95, 10**30, 1e30, "", "a", "aé", "é", "🎉", "2026-02-30",
    "2024-02-29", "12:00:00Z", "2024-02-29T12:00:00Z", "a@b", "a@b.example", "127.0.0.1", "256.1.1.1", "::1", "abc\n",
    "https://x.example/ü", "not a uri", "6f1c2b3e-0000-4000-8000-000000000000", "7", "٣", [], [1], [1, 1.0], [1, True],
    [0, False], ["a", "a"], [1, "a", None], {}, {"a": 1}, {"a": None}, {"b": 2}, {"a": 1, "b": 2},
    {"a": {"a": {"a": 1}}}, {"é": 1}, {"": 0}, {"constructor": 1}, [[1], [1]], [{"a": 1}, {"a": 1.0}],
)  # fmt: skip
PARTS: tuple[dict[str, Any], ...] = (
    {"type": "integer"}, {"type": "number"}, {"type": ["string", "null"]}, {"type": "boolean"}, {"type": "array"},
    {"minimum": 1}, {"exclusiveMaximum": 1}, {"multipleOf": 0.1}, {"multipleOf": 0.01}, {"multipleOf": 2},
    {"minLength": 1}, {"maxLength": 1}, {"pattern": "^a"}, {"pattern": "é$"}, {"pattern": r"^\d$"}, {"pattern": r"c$"},
    {"enum": [1, "a", None]}, {"enum": [True]}, {"enum": [0]}, {"const": 1}, {"const": False}, {"const": {"a": 1}},
    {"uniqueItems": True}, {"minItems": 1}, {"maxItems": 1}, {"contains": {"const": 1}},
    {"prefixItems": [{"const": 1}]}, {"contains": {"type": "string"}, "minContains": 0},
    {"items": False, "prefixItems": [True]},
    {"items": {"minimum": 1}}, {"required": ["a"]},
    {"properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    {"patternProperties": {"^a": {"type": "integer"}}}, {"propertyNames": {"maxLength": 1}}, {"minProperties": 1},
    {"dependentRequired": {"a": ["b"]}}, {"dependentSchemas": {"a": {"required": ["b"]}}},
    {"unevaluatedProperties": False, "allOf": [{"properties": {"a": True}}]}, {"unevaluatedItems": False},
    {"if": {"type": "object"}, "then": {"required": ["a"]}, "else": {"type": "string"}},
    {"$defs": {"t": {"properties": {"a": {"$ref": "#/$defs/t"}}}}, "$ref": "#/$defs/t"}, {"$ref": "#/$defs/none"},
    {"format": "date"}, {"format": "ipv4"}, {"format": "ipv6"}, {"format": "uuid"}, {"format": "email"},
    {"format": "time"}, {"format": "date-time"}, {"format": "uri"}, {"format": "unknown"}, {"not": {}},
    {"type": "null"},
)  # fmt: skip
"""Parts of schemas; those that are drawn together are joined by allOf, anyOf, oneOf or not."""


def schemas(draw: Random, n: int) -> Iterator[Output]:
    """Values against every part of a schema, and against n schemas that are made of several."""
    made: list[Any] = [True, False, *PARTS]
    for _ in range(n):
        some = draw.sample([part for part in PARTS if "$defs" not in part and "$ref" not in part], 2)
        parted = {"properties": {"a": some[0]}, "additionalProperties": some[1]}
        joined = ({word: some} for word in ("allOf", "anyOf", "oneOf"))
        made.append(draw.choice((*joined, {"not": {"anyOf": some}}, {"items": some[0]}, parted)))
    for schema in made:
        for value in VALUES:
            yield Output("schemas", "value", schema, value, "near")
