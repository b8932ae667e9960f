"""What the users ask: short questions of different lengths, answerable by any model in one or two sentences."""

from __future__ import annotations

import random
from collections.abc import Iterator

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


def prompts(seed: int, user: int) -> Iterator[str]:
    """An endless sequence of prompts, the same for the same seed and user, and another one for each user."""
    source = random.Random(f"{seed}/{user}")  # noqa: S311
    while True:
        question = source.choice(QUESTIONS)
        yield f"{question} Think of somebody {source.choice(PLACES)}." if source.random() < 0.5 else question
