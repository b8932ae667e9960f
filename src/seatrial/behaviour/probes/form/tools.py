"""B7: are the tools called that the question needs, with the arguments that it gives, and none where it needs none?

Six families take turns: *single*; *choose*, one of five tools; *parallel*, two calls of one tool; *nested* arguments in
other scripts; *irrelevant*, where none of the tools helps and an answer in words is wanted; *result*, where the answer
to a call stands in the history and has to be used. That a call has its fields, its JSON and its name is for the rules
of tools; here it is what the model chooses by itself, under ``auto``.

Calls are held against the expected ones as BFCL does it: number, names, every required argument, and values that are
equal once case and blanks at their ends are put aside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.talk.stops import unsaid
from seatrial.behaviour.probing import probe
from seatrial.checks import schemas
from seatrial.reading.tools import calls
from seatrial.records import Exchange, Level
from seatrial.statistics.sequential import SequentialTest

Call = tuple[str, dict[str, Any]]


def _tool(name: str, what: str, required: Sequence[str] = (), **properties: Any) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(required or properties),
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "description": what, "parameters": parameters}}


TEXT = {"type": "string"}
TOOLS = {
    "get_weather": _tool("get_weather", "The weather in a city now.", city=TEXT),
    "convert_currency": _tool(
        "convert_currency",
        "Convert an amount of money from one currency to another, by their three letters.",
        amount={"type": "number"}, source=TEXT, target=TEXT,
    ),
    "start_timer": _tool("start_timer", "Start a timer of so many minutes.", minutes={"type": "integer"}),
    "search_books": _tool("search_books", "Search the library for books by an author.", author=TEXT),
    "create_event": _tool(
        "create_event",
        "Put an event into the calendar.",
        title=TEXT, place={"type": "object", "properties": {"city": TEXT, "room": TEXT}, "required": ["city", "room"]},
        guests={"type": "array", "items": TEXT},
    ),
}  # fmt: skip
CITIES = ("Oslo", "Quito", "Kyoto", "Lisbon", "Nairobi", "Perth", "Riga", "Sofia", "Tunis", "Vienna")
AUTHORS = ("Jane Austen", "Chinua Achebe", "Jorge Amado", "Selma Lagerlöf", "Leo Tolstoy", "Naguib Mahfouz")
GUESTS = ("Zoë", "José", "Müller", "李雷", "Ольга", "Łukasz", "Nora", "Aïcha")
ROOMS = ("Blue Room", "Saal 3", "Großer Saal", "会议室", "Зал 2")
TITLES = ("Budget", "Frühstück", "Réunion", "Планёрка", "Review")
MONEY = ("EUR", "USD", "JPY", "GBP", "CHF", "NOK")
BESIDE = (
    "What is the opposite of the word {word}? Reply with one word.",
    "Write one sentence about a {word} morning.",
    "Is the word {word} an adjective? Reply with yes or no.",
)
NUMBER = re.compile(r"(?:(?<![\w.])-)?\d+(?:\.\d+)?")
"""A number as it is told; a hyphen between two of them is no sign."""

WORDS = ("heavy", "bright", "narrow", "quiet", "early", "rough", "empty", "ancient", "modern", "gentle")


def _make(family: str, draw: Random) -> ProbeItem:
    text, tools, expected = _MAKERS[family](draw)
    body = user(text, max_tokens=160, tools=[TOOLS[name] for name in tools])
    truth: dict[str, Any] = {"calls": expected}
    if family == "result":
        (name, arguments) = expected[0]
        degrees = draw.randrange(-9, 38)
        identity = f"call_{draw.randrange(10**8, 10**9)}"
        function = {"name": name, "arguments": json.dumps(arguments)}
        held = [{"id": identity, "type": "function", "function": function}]
        result = json.dumps({"celsius": degrees, "sky": "cloudy"})
        body["messages"] += [
            {"role": "assistant", "content": None, "tool_calls": held},
            {"role": "tool", "tool_call_id": identity, "content": result},
        ]
        truth = {"calls": [], "told": str(degrees)}
    return ProbeItem(family, body, truth)


_Made = tuple[str, tuple[str, ...], list[Call]]


def _single(draw: Random) -> _Made:
    city = draw.choice(CITIES)
    ask = draw.choice(("What is the weather in {} now?", "Tell me the weather in {}.", "How is the weather in {}?"))
    return ask.format(city), ("get_weather",), [("get_weather", {"city": city})]


def _choose(draw: Random) -> _Made:
    minutes, author, amount = draw.randrange(2, 60), draw.choice(AUTHORS), draw.randrange(10, 900)
    source, target = draw.sample(MONEY, 2)
    text, call = draw.choice((
        (f"Start a timer of {minutes} minutes.", ("start_timer", {"minutes": minutes})),
        (f"Search the library for books by {author}.", ("search_books", {"author": author})),
        (
            f"Convert {amount} {source} to {target}.",
            ("convert_currency", {"amount": amount, "source": source, "target": target}),
        ),
    ))  # fmt: skip
    return text, tuple(TOOLS), [call]


def _parallel(draw: Random) -> _Made:
    one, two = draw.sample(CITIES, 2)
    return (
        f"What is the weather in {one} and in {two} now? I need both.",
        ("get_weather", "start_timer"),
        [("get_weather", {"city": one}), ("get_weather", {"city": two})],
    )


def _nested(draw: Random) -> _Made:
    title, city, room, guests = draw.choice(TITLES), draw.choice(CITIES), draw.choice(ROOMS), draw.sample(GUESTS, 2)
    text = (
        f'Put an event called "{title}" into the calendar, in {city}, room "{room}". '
        f"The guests are {guests[0]} and {guests[1]}."
    )
    place = {"city": city, "room": room}
    return text, ("create_event",), [("create_event", {"title": title, "place": place, "guests": guests})]


def _irrelevant(draw: Random) -> _Made:
    return draw.choice(BESIDE).format(word=draw.choice(WORDS)), ("convert_currency", "start_timer"), []


_MAKERS = {
    "single": _single,
    "choose": _choose,
    "parallel": _parallel,
    "nested": _nested,
    "irrelevant": _irrelevant,
    "result": _single,
}
CALLING = Maker("tools", turn=40, families=tuple(_MAKERS), make=_make, tokens=40, reads=260, use="tools")


@probe(
    row="B7",
    area="calling",
    what="wrong tool calls",
    maker=CALLING,
    test=SequentialTest(0.05, 0.20, 80),
    level=Level.SHOULD,
    source="K2-Vendor-Verifier (schema accuracy, trigger agreement), BFCL (comparison of calls); our own questions",
    so="an agent does nothing, or something that nobody asked for",
    causes=unsaid,
)
def calls_are_those_that_the_question_needs(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """Under auto the tools are called that a question needs, with what it gives; where it needs none, none is."""
    made: list[tuple[str, Any]] = [(call.name, call.value) for call in calls(x).get(0, [])]
    expected: list[Call] = item.truth["calls"]
    told = json.dumps(made, ensure_ascii=False, sort_keys=True)
    if len(made) != len(expected):
        return bad(f"{len(made)} calls where {len(expected)} are needed", told)
    if not expected:
        wanted = item.truth.get("told", "")
        if not answer.content.strip():
            return bad("neither a call nor a word")
        if wanted and wanted not in NUMBER.findall(answer.content.replace("\u2212", "-")):
            return bad(f"the tool's result, {wanted}, is not told", answer.content)
        return good()
    left = list(expected)
    for name, arguments in made:
        match = next((each for each in left if not differs(each, name, arguments)), None)
        if match is None:
            why = differs(next((each for each in left if each[0] == name), left[0]), name, arguments)
            return bad(why, told)
        left.remove(match)
    return good(json.dumps(sorted(map(str, made)), ensure_ascii=False))


def differs(expected: Call, name: str, arguments: Any) -> str:
    """How a call differs from an expected one; empty where it does not."""
    wanted, values = expected
    if name != wanted:
        return f"{name} is called in place of {wanted}"
    try:
        misfits = schemas.misfits(TOOLS[wanted]["function"]["parameters"], arguments)
    except schemas.UnreadableError as error:  # half of a surrogate pair is a character to JSON, and no text
        return f"{wanted}: arguments: {error}"
    if misfits:
        return f"{wanted}: {misfits[0].where or 'arguments'}: {misfits[0].message}"
    for key, value in values.items():
        if not _alike(value, arguments[key]):
            return f"{wanted}: {key} is {arguments[key]!r} in place of {value!r}"
    return ""


def _alike(wanted: Any, got: Any) -> bool:
    """Whether two values are equal, but for the case of texts and blanks at their ends, and the order of a list."""
    if isinstance(wanted, str):
        return isinstance(got, str) and wanted.strip().casefold() == got.strip().casefold()
    if isinstance(wanted, Mapping):
        return isinstance(got, Mapping) and all(key in got and _alike(v, got[key]) for key, v in wanted.items())
    if isinstance(wanted, list):
        return isinstance(got, list) and sorted(map(_flat, wanted)) == sorted(map(_flat, got))
    return not isinstance(got, bool) and isinstance(got, int | float) and bool(wanted == got)


def _flat(value: Any) -> str:
    return str(value).strip().casefold()
