"""B6: does JSON that nothing enforces follow the schema that the prompt shows?

Two families take turns: *free*, where the prompt alone asks for JSON, and *object*, where ``response_format`` asks for
some object and the prompt shows the schema. What ``json_schema`` enforces is for the rules of structured answers. A
fence of Markdown around a free answer is told and not counted: most clients take it off.
"""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.talk.stops import unsaid
from seatrial.behaviour.probing import probe
from seatrial.checks import schemas
from seatrial.reading.bound import decoded
from seatrial.records import Exchange, Level
from seatrial.statistics.sequential import SequentialTest

FIELDS: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "name": ({"type": "string"}, ("Nora", "Emil", "Tariq", "Ines", "Mei", "Olga")),
    "age": ({"type": "integer", "minimum": 0}, tuple(range(18, 90))),
    "height_m": ({"type": "number"}, (1.52, 1.61, 1.7, 1.78, 1.85)),
    "city": ({"type": "string"}, ("Lisbon", "Oslo", "Quito", "Kyoto", "Dakar", "Perth")),
    "colour": ({"enum": ["red", "green", "blue", "yellow"]}, ("red", "green", "blue", "yellow")),
    "member": ({"type": "boolean"}, (True, False)),
    "pets": ({"type": "array", "items": {"type": "string"}}, (["cat"], ["dog", "goat"], ["horse", "cat", "bee"])),
    "trade": ({"type": "string"}, ("baker", "nurse", "pilot", "surveyor", "gardener")),
    "address": (
        {
            "type": "object",
            "properties": {"street": {"type": "string"}, "number": {"type": "integer"}},
            "required": ["street", "number"],
        },
        ({"street": "Mill Lane", "number": 7}, {"street": "Harbour Road", "number": 21}),
    ),
}
_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", re.DOTALL | re.IGNORECASE)


def _make(family: str, draw: Random) -> ProbeItem:
    chosen = draw.sample(sorted(FIELDS), draw.randrange(2, 5))
    schema = {
        "type": "object",
        "properties": {name: FIELDS[name][0] for name in chosen},
        "required": chosen,
        "additionalProperties": False,
    }
    facts = {name: draw.choice(FIELDS[name][1]) for name in chosen}
    told = "; ".join(f"{name.replace('_', ' ')}: {_told(value)}" for name, value in facts.items())
    text = (
        f"Write this record as JSON. {told}.\nThe JSON follows this schema: {json.dumps(schema)}\n"
        "Reply with one JSON object and nothing else."
    )
    body = user(text, max_tokens=200)
    if family == "object":
        body["response_format"] = {"type": "json_object"}
    return ProbeItem(family, body, {"schema": schema, "facts": facts})


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {held}" for key, held in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value)


JSON = Maker("json", turn=30, families=("free", "object"), make=_make, tokens=45, reads=220)


@probe(
    row="B6",
    area="json",
    what="JSON that strays",
    maker=JSON,
    test=SequentialTest(0.05, 0.20, 80),
    level=Level.SHOULD,
    source="behaviour of models without enforced schemas; JSON Schema 2020-12 by jsonschema-rs",
    so="a client that asks for JSON in words cannot read the answer, and asks again or gives up",
    causes=unsaid,
)
def answers_follow_the_schema_they_are_shown(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """JSON that a prompt asks for follows the schema that the prompt shows, where nothing enforces it."""
    fenced = _FENCE.fullmatch(answer.content) if item.family == "free" else None
    value, fault = decoded(fenced[1] if fenced else answer.content.strip())
    if fault:
        return bad(f"no JSON: {fault}")
    try:
        misfits = schemas.misfits(item.truth["schema"], value)
    except schemas.UnreadableError as error:  # half of a surrogate pair is a character to JSON, and no text
        return bad(f"no text: {error}")
    if misfits:
        first = misfits[0]
        return bad(f"{first.where or 'the object'}: {first.message}")
    same = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return good(same, note="in a fence of Markdown" if fenced else "")
