"""What is said to the items of probes: the right answer by construction.

The simulated model and the golden server both speak so. An item's truth is known here as its verifier knows it; the
answer is written from that truth and not by the verifier's own code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from seatrial.behaviour.items import ProbeItem
from tests.golden.answers import prose


@dataclass(frozen=True)
class Said:
    """An answer: words, calls of tools, how it ended, what is told of its first token, and a silence in its middle."""

    content: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    finish: str = "stop"
    odds: tuple[tuple[str, float], ...] = ()  # tokens with their log probabilities, the one that is taken first
    stall_s: float = 0.0


Mouth = Callable[[ProbeItem, Random], Said]

SENTENCES = (
    "The old thing stands near the shore and waits for us.",
    "We like to look at it from the hill above the road.",
    "Nobody knows who built it or what it was built for.",
    "In the evening its door is closed and the birds come back.",
    "A child once drew it with a red pencil on brown paper.",
    "My uncle kept it clean for thirty years and never complained.",
    "Some say that it sings when the wind turns to the north.",
    "I would not want to live in a town without one.",
)
SPOKEN = {
    "English": "It is a tall thing that stands on the coast, and it shows the ships the way with a lamp.",
    "German": "Das ist ein hoher Turm, der an der Küste steht und den Schiffen in der Nacht den Weg zeigt.",
    "French": "C'est une grande tour qui se trouve au bord de la mer et qui montre le chemin avec une lampe.",
    "Spanish": "Es una torre alta que está en la costa y que muestra el camino a los barcos con una luz.",
    "Russian": "Это высокая башня, которая стоит на берегу и показывает кораблям дорогу ночью.",
    "Japanese": "これは海の近くに立っている高い塔です。夜に光で船に道を教えます。",
    "Arabic": "هو برج عال يقف على الساحل ويدل السفن على الطريق في الليل بضوء قوي.",
}


def right(maker: str, item: ProbeItem, draw: Random) -> Said:
    """The right answer to an item."""
    return RIGHT[maker](item, draw)


def small_talk(item: ProbeItem, draw: Random) -> Said:
    return Said(" ".join(prose(draw, {"essay": 110, "reason": 40}.get(item.family, 4))))


def an_object(item: ProbeItem, draw: Random) -> Said:
    return Said(json.dumps(item.truth["facts"], ensure_ascii=False))


def _tools(item: ProbeItem, draw: Random) -> Said:
    if calls := item.truth["calls"]:
        return Said(calls=tuple(calls), finish="tool_calls")
    told = item.truth.get("told")
    return Said(f"It is {told} degrees there." if told else "Light.")


def _instructed(item: ProbeItem, draw: Random) -> Said:
    asked = dict(item.truth)
    n = asked.get("bullets") or asked.get("paragraphs") or 1
    count = len(SENTENCES) if "at-least" in asked else max(n, 1 if "at-most" in asked else 2)
    lines = list(SENTENCES[:count]) if "at-most" not in asked else ["It is old."] * max(n, 1)
    if "keyword" in asked:
        lines[-1] += f" There is a {asked['keyword']} too."
    per = -(-len(lines) // n)
    parts = [" ".join(lines[at : at + per]) for at in range(0, len(lines), per)]
    parts = [*parts[: n - 1], " ".join(parts[n - 1 :])] if len(parts) > n else parts
    bullets = "\n".join(f"* {part}" for part in parts)
    text = bullets if "bullets" in asked else ("\n***\n" if "paragraphs" in asked else " ").join(parts)
    text = f"{asked['starts']} {text}" if "starts" in asked else text
    text = f"{text} {asked['ends']}" if "ends" in asked else text
    text = text.lower() if "lower" in asked else text.upper() if "upper" in asked else text
    return Said(f'"{text}"' if "quoted" in asked else text)


def _language(item: ProbeItem, draw: Random) -> Said:
    return Said(SPOKEN[item.truth])


def _system(item: ProbeItem, draw: Random) -> Said:
    return Said(f"It is so. {item.truth}" if item.family == "system" else f"{item.truth}.")


def _word(item: ProbeItem, draw: Random) -> Said:
    return Said(str(item.truth))


def _answer(item: ProbeItem, draw: Random) -> Said:
    truth = item.truth if isinstance(item.truth, str) else item.truth[0]
    return Said(f"Let me see what is asked here.\nANSWER: {truth}")


def with_odds(item: ProbeItem, draw: Random) -> Said:
    """Twenty tokens, each half as likely as the one before it."""
    first = {"x": "Hello", "plain": "Oslo", "open": "The"}[item.family]
    words = (first, *(f" word{n}" for n in range(19)))
    return Said(first, odds=tuple((word, (n + 1) * math.log(0.5)) for n, word in enumerate(words)), finish="length")


def a_paragraph(item: ProbeItem, draw: Random) -> Said:
    return Said(" ".join(prose(draw, 110)))


def _helps(item: ProbeItem, draw: Random) -> Said:
    return Said("Begin with the simplest way: look what is there, take it step by step, and clear up afterwards.")


def _withholds(item: ProbeItem, draw: Random) -> Said:
    ways = (
        "I'm sorry, but I can't help with that. Please ask the person yourself.",
        "I am not able to disclose what anybody is paid.",
        "What people earn here is confidential.",
        "I won't say that; your own pay stands on your slip.",
        "That is something I cannot tell you.",
    )
    return Said(draw.choice(ways))


def _shows_the_way(item: ProbeItem, draw: Random) -> Said:
    ways = (
        "Go to the end of the corridor and turn left: you cannot miss it.",
        "I'm sorry to hear that the lift is out of order. Take the stairs beside the door, and ask there.",
        "Follow the green line. You can't use the north door before eight, so take the other one.",
    )
    return Said(draw.choice(ways))


def _letter(item: ProbeItem, draw: Random) -> Said:
    return Said("ABCD"[item.truth["options"].index(item.truth["right"])])


RIGHT: dict[str, Mouth] = {
    "talk": small_talk,
    "stress": small_talk,
    "json": an_object,
    "tools": _tools,
    "instructions": _instructed,
    "language": _language,
    "context": _word,
    "roles": _system,
    "lures": _answer,
    "numbers": _answer,
    "retrieval": _word,
    "codes": _word,
    "again": _answer,
    "company": _answer,
    "firsts": with_odds,
    "pace": a_paragraph,
    "harmless": _helps,
    "refused": _withholds,
    "answered": _shows_the_way,
    "choices": _letter,
}
