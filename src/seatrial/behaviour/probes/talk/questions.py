"""What the model is asked of ordinary talk.

Four families take turns: *short* questions that a word answers, *turns* that need an earlier turn of the talk, *reason*
and *essay*. None asks for a list, a table or a count (honest answers to those repeat themselves) and none quotes a
marker of a chat template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from seatrial.behaviour.items import Maker, ProbeItem

CYCLE = ("short", "turns", "short", "essay", "short", "turns", "short", "reason")
SHORT = frozenset({"short", "turns"})
CAPS: Mapping[str, int] = {"short": 192, "turns": 192, "reason": 320, "essay": 640}
"""Most tokens of an answer: many times what a short one needs; for an essay enough to show that nothing new comes."""

TYPICAL_TOKENS = 60
"""Tokens of an answer over the cycle, where a model ends by itself."""

ALONE = 0.25
"""Share of short questions that begin a talk. The others follow an answered one, which shows what is wanted."""

Messages = list[dict[str, str]]

NAMES = ("Nora", "Emil", "Tariq", "Ines", "Jonas", "Mei", "Olga", "Pablo", "Ruth", "Samuel", "Aisha", "Viktor")
PLACES = ("a small harbour", "a mountain village", "an old library", "a railway station", "a night market", "an island")
THINGS = ("lighthouse", "bicycle", "bakery", "garden", "river ferry", "telescope", "wooden bridge", "weather station")
VIEWS = ("a visitor who sees it for the first time", "somebody who works there", "a child", "a careful engineer")
MOODS = ("in winter", "on a rainy morning", "after a long holiday", "late in the evening", "during a storm")
PETS = ("cats", "goats", "pigeons", "rabbits", "horses", "bees")
TRADES = ("baker", "surveyor", "nurse", "carpenter", "translator", "gardener", "pilot")
COLOURS = ("red", "green", "yellow", "white", "grey", "orange", "violet")
CAPITALS = {
    "France": "Paris",
    "Japan": "Tokyo",
    "Egypt": "Cairo",
    "Norway": "Oslo",
    "Peru": "Lima",
    "Kenya": "Nairobi",
    "Canada": "Ottawa",
    "Portugal": "Lisbon",
    "Greece": "Athens",
    "Chile": "Santiago",
}
OPPOSITES = {
    "early": "late",
    "narrow": "wide",
    "heavy": "light",
    "quiet": "loud",
    "ancient": "modern",
    "empty": "full",
    "rough": "smooth",
    "shallow": "deep",
    "bright": "dark",
}
PLURALS = {
    "mouse": "mice",
    "leaf": "leaves",
    "child": "children",
    "city": "cities",
    "foot": "feet",
    "knife": "knives",
    "shelf": "shelves",
    "goose": "geese",
    "tooth": "teeth",
}
PASTS = {
    "go": "went",
    "write": "wrote",
    "think": "thought",
    "sing": "sang",
    "build": "built",
    "begin": "began",
    "teach": "taught",
    "swim": "swam",
    "choose": "chose",
    "fly": "flew",
    "bring": "brought",
    "know": "knew",
}
UNITS = (("minutes", "hours", 60), ("days", "weeks", 7), ("metres", "kilometres", 1000), ("months", "years", 12))


def _user(text: str) -> Messages:
    return [{"role": "user", "content": text}]


def _short(draw: Random) -> Messages:
    """A question of one kind, three times in four after one of the same kind that was answered."""
    make = draw.choice(_KINDS)
    (before, answer), (question, _) = make(draw), make(draw)
    if draw.random() < ALONE or before == question:
        return _user(question)
    return [*_user(before), {"role": "assistant", "content": answer}, *_user(question)]


def _capital(draw: Random) -> tuple[str, str]:
    country = draw.choice(tuple(CAPITALS))
    return f"What is the capital of {country}? Reply with its name only.", CAPITALS[country]


def _opposite(draw: Random) -> tuple[str, str]:
    word = draw.choice(tuple(OPPOSITES))
    return f"What is the opposite of the word {word}? Reply with one word.", OPPOSITES[word]


def _plural(draw: Random) -> tuple[str, str]:
    noun = draw.choice(tuple(PLURALS))
    return f"What is the plural of the word {noun}? Reply with one word.", PLURALS[noun]


def _past(draw: Random) -> tuple[str, str]:
    verb = draw.choice(tuple(PASTS))
    return f"What is the past tense of the verb {verb}? Reply with one word.", PASTS[verb]


def _sum(draw: Random) -> tuple[str, str]:
    a, b = draw.randrange(12, 90), draw.randrange(12, 90)
    return f"What is {a} plus {b}? Reply with the number only.", str(a + b)


def _convert(draw: Random) -> tuple[str, str]:
    many = draw.randrange(2, 30)
    small, large, factor = draw.choice(UNITS)
    return f"How many {large} are {many * factor} {small}? Reply with the number only.", str(many)


_KINDS = (_capital, _opposite, _plural, _past, _sum, _sum, _convert)


def _turns(draw: Random) -> Messages:
    name, other = draw.sample(NAMES, 2)
    many, pet, colour, trade = draw.randrange(2, 40), draw.choice(PETS), draw.choice(COLOURS), draw.choice(TRADES)
    asked, about = draw.choice((
        (f"How many {pet} do I keep?", "the number"),
        ("What is my name?", "the name"),
        ("What colour is my door?", "the colour"),
        (f"What does my friend {other} do for a living?", "the trade"),
    ))  # fmt: skip
    return [
        {"role": "user", "content": f"My name is {name}. I keep {many} {pet}, and my door is {colour}."},
        {"role": "assistant", "content": f"Nice to meet you, {name}."},
        {"role": "user", "content": f"My friend {other} is a {trade}."},
        {"role": "assistant", "content": f"Good to know. Say hello to {other}."},
        {"role": "user", "content": f"{asked} Reply with {about} only."},
    ]


def _reason(draw: Random) -> Messages:
    name, speed, hours = draw.choice(NAMES), draw.randrange(11, 70), draw.randrange(2, 9)
    a, b, c = draw.randrange(3, 20), draw.randrange(3, 20), draw.randrange(21, 60)
    tasks = (
        f"{name} rides {speed} kilometres an hour for {hours} hours, then turns back. How far is the way home?",
        f"A box holds {a} pears and {b} plums. {c} more pears are put in. Are there now more pears, and by how many?",
        f"A shop opens {a} minutes late and closes {b + c} minutes early. How much shorter is its day?",
        f"{name} is {a} years older than a sister who will be {c} next year. How old is {name} today?",
    )
    return _user(f"{draw.choice(tasks)} Explain in two or three sentences of plain prose, then give the answer.")


def _essay(draw: Random) -> Messages:
    thing, place, view, mood = draw.choice(THINGS), draw.choice(PLACES), draw.choice(VIEWS), draw.choice(MOODS)
    return _user(
        f"Write one paragraph of about {draw.randrange(70, 120, 10)} words about a {thing} in {place} {mood}, "
        f"as seen by {view}. Plain prose."
    )


_MAKERS: Mapping[str, Callable[[Random], Messages]] = {
    "short": _short,
    "turns": _turns,
    "reason": _reason,
    "essay": _essay,
}


def _make(family: str, draw: Random) -> ProbeItem:
    return ProbeItem(family, {"messages": _MAKERS[family](draw), "max_tokens": CAPS[family]})


TALK = Maker("talk", turn=10, families=CYCLE, make=_make, tokens=TYPICAL_TOKENS)
