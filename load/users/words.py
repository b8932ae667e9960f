"""What the users ask: short questions, answerable by any model in one or two sentences, and texts of any length."""

from __future__ import annotations

import math
from random import Random

QUESTIONS = (
    "Why is the sky blue?",
    "What does a lighthouse keeper do all night?",
    "How does a sailing ship move against the wind?",
    "Explain to a child why the moon changes its shape.",
    "What is the difference between weather and climate?",
    "Give me a short recipe for pancakes.",
    "How many days are there in a leap year, and why?",
    "What should one pack for a week of walking in the hills?",
    "Why do we have tides twice a day?",
    "Describe the taste of a lemon to somebody who never had one.",
    "What happens to water when it is heated to 100 degrees?",
    "Tell me one thing about the history of printing.",
    "How do bees find their way home?",
    "What is a prime number? Give an example.",
    "Which tools does a carpenter use most?",
    "Warum ist Schlaf wichtig?",
    "Pourquoi les feuilles tombent-elles en automne ?",
    "¿Qué es un volcán?",
    "空はなぜ青いのですか。",
)

PLACES = ("at sea", "in winter", "a hundred years ago", "in a small town", "on a farm", "in a city", "at night")

_WORDS = (
    "the a one old small grey quiet northern heavy wooden harbour ship rope lantern captain clerk letter river "
    "bridge village market winter morning storm tide sail anchor light tower stone window garden road field "
    "barrel table map compass number record promise answer carries holds follows leaves watches repairs counts "
    "remembers paints crosses measures brings near under behind across against without before after slowly "
    "often never almost again because while until and but or "
)
WORDS = tuple(_WORDS.split())
"""What long texts are made of: any tokenizer has most of them as one token, or as two."""


def question(draw: Random) -> str:
    """A short question."""
    asked = draw.choice(QUESTIONS)
    return f"{asked} Think of somebody {draw.choice(PLACES)}." if draw.random() < 0.5 else asked


def text(draw: Random, words: int) -> str:
    """So many words in sentences. No two texts begin alike, so that no cache knows one by another."""
    found: list[str] = []
    while len(found) < words:
        sentence = draw.choices(WORDS, k=min(draw.randint(6, 14), words - len(found)))
        found += [sentence[0].capitalize(), *sentence[1:]]
        found[-1] += "."
    return " ".join(found)


def between(draw: Random, low: int, high: int) -> int:
    """A size from a range: half of them below the geometric middle, for long texts are rarer than short ones."""
    return round(math.exp(draw.uniform(math.log(low), math.log(high))))
