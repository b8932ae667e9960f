"""Answers bound to JSON or to a schema.

Each prompt shows an object that breaks the schema, and the schema's own values are such that no model gives them unless
it is made to: a strong model then fails where nothing binds it, and a weak one does not where something does.
"""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from seatrial.checks import traits
from seatrial.checks.areas.context.parts import WRITTEN
from seatrial.checks.areas.structured import asked
from seatrial.checks.catalogue import cases
from seatrial.checks.rules import Rule
from seatrial.checks.traits import Traits
from seatrial.records import Hazard, Request, Scenario
from suites.conformance.scenarios import (
    LIKE,
    SUM,
    THINKING,
    TOWN,
    USAGE,
    WEATHER,
    FirstAsk,
    Judge,
    Send,
    chats,
    faulty,
    optional,
    request,
)

STREAM = {"stream": True, "stream_options": USAGE}
PLACE = FirstAsk.STRUCTURED[1].body["response_format"]
SAND = f'{LIKE}{{"zone": "sand"}}'
PROSE = f"{SAND}. No: answer in prose, without JSON."
PATIENCE_S = 60.0
"""A server may answer what it should refuse, and a small one takes its time."""

JSON_OBJECT = {"type": "json_object"}
FENCED = 'Answer with this JSON object, in a fence of Markdown: {"sure": true}'


def of_schema(schema: Any, *, strict: Any = True) -> dict[str, Any]:
    """A response_format of a schema."""
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": strict, "schema": schema}}


def fields(**properties: Any) -> dict[str, Any]:
    """The schema of an object with these properties, all of them required, and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


EVERYDAY = fields(
    kind={"const": "zq-ivory"},
    size={"enum": ["zq-1", "zq-2"]},
    count={"type": "integer", "enum": [7301, 7302]},
    share={"type": "number", "enum": [0.731]},
    gift={"type": "boolean"},
    note={"type": "null"},
    place=fields(port={"enum": ["zq-a", "zq-b"]}),
    tags={"type": "array", "items": {"enum": ["zq-x", "zq-y"]}, "minItems": 3, "maxItems": 3},
)
REFERENCES = fields(first={"$ref": "#/$defs/mark"}, last={"$ref": "#/$defs/grade"}) | {
    "$defs": {"mark": fields(mark={"$ref": "#/$defs/grade"}), "grade": {"enum": ["zq-1", "zq-2"]}}
}
RECURSION = fields(chain=fields(knot={"const": "zq-1"}, next={"$ref": "#/$defs/link"})) | {
    "$defs": {"link": fields(knot={"const": "zq-1"}, next={"anyOf": [{"type": "null"}, {"$ref": "#/$defs/link"}]})}
}
ALTERNATIVES = fields(either={"anyOf": [fields(left={"const": "zq-1"}), fields(right={"enum": [7301, 7302]})]})
PATTERNS = fields(code={"type": "string", "pattern": "^[QZ]{3}-[0-9]{4}$"})
FORMATS = fields(day={"type": "string", "format": "date"}, at={"type": "string", "format": "date-time"})
BOUNDS = fields(count={"type": "integer", "minimum": 7301, "maximum": 7399})
LENGTHS = fields(word={"type": "string", "minLength": 31, "maxLength": 33})
NAMES = ("größe", "海 の", 'quo"ted\\')
SCRIPTS = fields(
    **dict(
        zip(
            NAMES,
            ({"enum": ["naïve 🚀", "日本語 🚀"]}, {"enum": ["🎉", "مرحبا"]}, {"enum": ['a "b" \\ <c> & d']}),
            strict=True,
        )
    )
)
KEYS = fields(reef={"enum": [1]}, hull=fields(mast={"enum": [7]}))
CUT = fields(line={"const": " ".join(["anchor", "beacon", "current", "dune", "ferry", "harbour"] * 12)})
CITY = fields(zone={"enum": ["zq-1", "zq-2"]})
TYPED = fields(name={"enum": ["zq-1", "zq-2"]}, sizes={"type": "array", "items": {"type": "integer"}, "maxItems": 2})

SHOWN: dict[str, Any] = {
    "everyday": {"kind": "sand", "size": "wide", "count": "two", "share": "half", "gift": "no", "note": "none"}
    | {"place": {"port": "east"}, "tags": ["a"]},
    "references": {"first": {"mark": "a"}, "last": "b"},
    "recursion": {"chain": {"knot": "a", "next": {"knot": "b", "next": None}}},
    "alternatives": {"either": {"up": "a"}},
    "patterns": {"code": "ab-12"},
    "formats": {"day": "soon", "at": "noon"},
    "bounds-of-numbers": {"count": 12},
    "lengths": {"word": "sea"},
    "any-script": dict.fromkeys(NAMES, "a"),
    "keys": {"reef": 1, "keel": 2, "hull": {"deck": 3}},
}
"""What the prompt of a scenario shows."""

UNENFORCEABLE = {
    "unlike-items": fields(
        two={"type": "array", "items": {"const": "zq"}, "minItems": 2, "maxItems": 2, "uniqueItems": True}
    ),
    "not": fields(word={"enum": ["zq"], "not": {"const": "zq"}}),
    "multiples": fields(count={"type": "integer", "minimum": 1, "maximum": 6, "multipleOf": 7}),
    "nowhere": fields(place={"$ref": "#/$defs/nowhere"}),
    "depends": fields(one={"const": "zq"}) | {"dependentRequired": {"one": ["other"]}},
    "escape": fields(said={"type": "string", "pattern": "^zq there indeed\\!$"}),
}
"""What no value fits, or what leads nowhere; and, last, a pattern that some read and some do not."""


def like(shown: Any) -> str:
    """A prompt that shows an object."""
    return LIKE + json.dumps(shown, ensure_ascii=False)


def both(name: str, schema: Any, of: Traits, cap: int = 48) -> dict[str, Scenario]:
    """An answer bound to a schema, plain and as a stream, by their names."""
    asked_ = {"response_format": of_schema(schema), "max_tokens": cap}
    return {
        name + way: _aside(of, only=request(like(SHOWN[name]), **asked_, **how))
        for way, how in (("", {}), ("-stream", STREAM))
    }


def _aside(of: Traits, area: tuple[str, Request] = FirstAsk.STRUCTURED, **requests: Request) -> Scenario:
    """Chats that a server may decline, each of them by itself; none apply where the area was declined."""
    caps = sum(int(each.body["max_tokens"]) for each in requests.values())
    return optional(Scenario(requests=requests, traits=of, tokens=caps), area)


def _sure(of: Traits, **requests: Request) -> Scenario:
    """Chats that every server has to answer that answered the first of this area."""
    return optional(chats(of=of, **requests), FirstAsk.STRUCTURED)


def _wrong(of: Traits, bad: dict[str, Any], *, hazard: Hazard = Hazard.CARELESS) -> Scenario:
    """Faulty formats by name, and a good one after them all."""
    asked_ = {name: request(SAND, response_format=form, max_tokens=16) for name, form in bad.items()}
    made = faulty(next(iter(asked_.values())), of=of, hazard=hazard, asked=FirstAsk.STRUCTURED)
    return replace(made, requests={**asked_, "good": made.requests["good"]}, deadline_s=PATIENCE_S)


NAMED = {"type": "function", "function": {"name": "get_weather"}}
CITY_FORM = {"response_format": of_schema(CITY), "max_tokens": 48}
CUT_FORM = {"response_format": of_schema(CUT), "max_tokens": 6}
ANY_FORM = {"response_format": JSON_OBJECT, "max_tokens": 48}
BESIDE = {"tools": [WEATHER], **CITY_FORM}

STRUCTURED = {
    "structured-asked": chats(only=FirstAsk.STRUCTURED[1], of=asked.BOUND | WRITTEN),
    "structured-asked-stream": _sure(
        asked.BOUND_STREAM | WRITTEN, only=request(TOWN, response_format=PLACE, max_tokens=48, **STREAM)
    ),
    # Nothing but the mode binds these: in the company of others a weak model writes on, now and then, up to its cap.
    "json-object": replace(_aside(asked.OBJECT, only=request(FENCED, **ANY_FORM)), alone=True),
    "json-object-stream": replace(_aside(asked.OBJECT, only=request(FENCED, **ANY_FORM, **STREAM)), alone=True),
    "adverse": _sure(asked.ADVERSE, only=request(PROSE, **CITY_FORM)),
    "adverse-stream": _sure(asked.ADVERSE, only=request(PROSE, **CITY_FORM, **STREAM)),
    "bound-and-cut": _sure(asked.CUT, only=request(like({"line": "sea"}), **CUT_FORM)),
    "bound-and-cut-stream": _sure(asked.CUT, only=request(like({"line": "sea"}), **CUT_FORM, **STREAM)),
    "parsed": _sure(
        asked.PARSED, only=request(like({"name": "a", "sizes": ["b"]}), response_format=of_schema(TYPED), max_tokens=48)
    ),
    **both("everyday", EVERYDAY, asked.EVERYDAY, 160),
    # The schema binds each choice, and not the first alone.
    "everyday-choices": replace(
        _aside(asked.EVERYDAY | traits.SEVERAL, only=request(SAND, n=2, **CITY_FORM)), tokens=2 * 48
    ),
    **both("references", REFERENCES, asked.JOINED),
    **both("recursion", RECURSION, asked.JOINED, 96),
    **both("alternatives", ALTERNATIVES, asked.JOINED),
    **both("patterns", PATTERNS, asked.FINE),
    **both("formats", FORMATS, asked.FORMATS, 64),
    **both("bounds-of-numbers", BOUNDS, asked.FINE),
    **both("lengths", LENGTHS, asked.FINE),
    **both("any-script", SCRIPTS, asked.SCRIPTS | WRITTEN, 128),
    **both("keys", KEYS, asked.KEYS),
    "format-and-tools": _aside(
        asked.WITH_TOOLS,
        FirstAsk.TOOLS,
        none=request(SAND, tool_choice="none", **BESIDE),
        named=request(like({"town": "Oslo"}), tool_choice=NAMED, **BESIDE),
    ),
    "format-and-tools-stream": _aside(
        asked.WITH_TOOLS,
        FirstAsk.TOOLS,
        none=request(SAND, tool_choice="none", **BESIDE, **STREAM),
        named=request(like({"town": "Oslo"}), tool_choice=NAMED, **BESIDE, **STREAM),
    ),
    "format-and-thought": _aside(
        asked.WITH_THOUGHT,
        FirstAsk.REASONING,
        free=request(SUM, max_tokens=256, **THINKING),
        bound=request(SUM, **{**CITY_FORM, "max_tokens": 256}, **THINKING),
    ),
    "unenforceable": replace(
        _aside(
            asked.UNENFORCEABLE,
            FirstAsk.STRUCTURED,
            **{
                name: request(
                    like(dict.fromkeys(schema["properties"], "sand")), response_format=of_schema(schema), max_tokens=48
                )
                for name, schema in UNENFORCEABLE.items()
            },
        ),
        hazard=Hazard.CARELESS,
        deadline_s=PATIENCE_S,
    ),
    "malformed-format": _wrong(
        asked.MALFORMED, {"unknown-type": {"type": "json_shape"}, "schema-text": of_schema("object")}
    ),
    "incomplete-format": _wrong(
        asked.INCOMPLETE,
        {
            "no-name": {"type": "json_schema", "json_schema": {"strict": True, "schema": CITY}},
            "no-schema": {"type": "json_schema", "json_schema": {"name": "answer", "strict": True}},
            "strict-text": of_schema(CITY, strict="yes"),
        },
    ),
    "broken-pattern": _wrong(
        asked.EXPLOSIVE | traits.KILLER,
        {"bad": of_schema(fields(code={"type": "string", "pattern": "^+[a-z]($"}))},
    ),
    "endless-pattern": _wrong(
        asked.EXPLOSIVE | traits.KILLER,
        {"bad": of_schema(fields(code={"type": "string", "pattern": "^((a{1,40}){1,40}){1,40}$"}))},
        hazard=Hazard.HOSTILE,
    ),
    "endless-array": _wrong(
        asked.EXPLOSIVE | traits.KILLER,
        {"bad": of_schema(fields(ones={"type": "array", "items": {"const": 1}, "minItems": 10**8, "maxItems": 10**8}))},
        hazard=Hazard.HOSTILE,
    ),
}


@pytest.mark.parametrize(("rule", "scenario"), cases(STRUCTURED))
def test_structured(rule: Rule, scenario: str, seatrial_send: Send, seatrial_judge: Judge) -> None:
    seatrial_judge(rule, seatrial_send(STRUCTURED[scenario]))
