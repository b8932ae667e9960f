"""What is said to the items of probes: the right answer by construction, and answers with a fault.

The simulated model and the golden server both speak so. An item's truth is known here as its verifier knows it; the
answer is written from that truth and not by the verifier's own code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from seatrial.behaviour.items import ProbeItem
from seatrial.behaviour.probes.form import instructions, language
from tests.behaviour.specimens import drifting, fuzzy, looping
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


def _talk(item: ProbeItem, draw: Random) -> Said:
    return Said(" ".join(prose(draw, {"essay": 110, "reason": 40}.get(item.family, 4))))


def _json(item: ProbeItem, draw: Random) -> Said:
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


def _odds(item: ProbeItem, draw: Random) -> Said:
    """Twenty tokens, each half as likely as the one before it."""
    first = {"x": "Hello", "plain": "Oslo", "open": "The"}[item.family]
    words = (first, *(f" word{n}" for n in range(19)))
    return Said(first, odds=tuple((word, (n + 1) * math.log(0.5)) for n, word in enumerate(words)), finish="length")


def _paragraph(item: ProbeItem, draw: Random) -> Said:
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
    "talk": _talk,
    "stress": _talk,
    "json": _json,
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
    "firsts": _odds,
    "pace": _paragraph,
    "harmless": _helps,
    "refused": _withholds,
    "answered": _shows_the_way,
    "choices": _letter,
}


@dataclass(frozen=True)
class Wrong:
    """A way to answer wrong.

    Attributes:
        rule: of the probe that has to find it.
        maker: whose items it spoils.
        words: it shows in what is said, and not only in what is told beside it or in when it comes.
    """

    rule: str
    maker: str
    say: Mouth
    words: bool = True

    @property
    def text(self) -> str:
        return self.say.__doc__ or ""


FAULTS: dict[str, Wrong] = {}


def wrong(name: str, rule: str, maker: str, *, words: bool = True) -> Callable[[Mouth], Mouth]:
    """Enter a way to answer wrong; its docstring says what is wrong."""

    def register(say: Mouth) -> Mouth:
        FAULTS[name] = Wrong(rule, maker, say, words)
        return say

    return register


LOOPS, STOPS = "loops/answers-do-not-loop", "stops/answers-end-by-themselves"
MARKERS = "markers/no-template-marker-leaks"


@wrong("says-the-same-again", LOOPS, "talk")
def _exact(item: ProbeItem, draw: Random) -> Said:
    """An answer falls into repeating a few words until its cap."""
    return Said(looping(draw, draw.choice((3, 8, 20))), finish="length")


@wrong("says-the-same-with-a-counter", LOOPS, "talk")
def _drifting(item: ProbeItem, draw: Random) -> Said:
    """An answer repeats a sentence in which only a number goes on."""
    return Said(drifting(draw, draw.choice((8, 20))), finish="length")


@wrong("says-nearly-the-same", LOOPS, "talk")
def _fuzzy(item: ProbeItem, draw: Random) -> Said:
    """An answer repeats itself with one new word in each turn."""
    return Said(fuzzy(draw, draw.choice((20, 47))), finish="length")


@wrong("says-the-same-when-greedy", "loops/greedy-answers-do-not-loop", "stress")
def _greedy(item: ProbeItem, draw: Random) -> Said:
    """At temperature 0 an answer repeats a few words until its cap."""
    return _exact(item, draw)


@wrong("talks-on-to-its-cap", STOPS, "talk")
def _runs_on(item: ProbeItem, draw: Random) -> Said:
    """An answer has said all, and goes on with fluent prose until its cap."""
    return Said(" ".join(prose(draw, 200)), finish="length")


@wrong("says-nothing", STOPS, "talk")
def _nothing(item: ProbeItem, draw: Random) -> Said:
    """An answer ends at once and is empty."""
    return Said(" ")


@wrong("writes-its-template", MARKERS, "talk")
def _template(item: ProbeItem, draw: Random) -> Said:
    """A marker of the template follows the answer."""
    return Said(f"{_talk(item, draw).content}<|im_end|>")


@wrong("json-in-prose", "json/answers-follow-the-schema-they-are-shown", "json")
def _in_prose(item: ProbeItem, draw: Random) -> Said:
    """JSON stands behind a sentence of explanation."""
    return Said(f"Here is the record you asked for: {_json(item, draw).content}")


@wrong("json-without-a-key", "json/answers-follow-the-schema-they-are-shown", "json")
def _keyless(item: ProbeItem, draw: Random) -> Said:
    """JSON lacks a key that the schema requires."""
    return Said(json.dumps(dict(list(item.truth["facts"].items())[1:]), ensure_ascii=False))


CALLING = "calling/calls-are-those-that-the-question-needs"


@wrong("calls-another-tool", CALLING, "tools")
def _other_tool(item: ProbeItem, draw: Random) -> Said:
    """A tool is called that the question does not need."""
    needed = {name for name, _ in item.truth["calls"]}
    name = next((n for n in ("start_timer", "get_weather") if n not in needed), "")
    return Said(calls=((name, {"minutes": 3} if name == "start_timer" else {"city": "Oslo"}),), finish="tool_calls")


@wrong("calls-nothing", CALLING, "tools")
def _no_call(item: ProbeItem, draw: Random) -> Said:
    """The question is talked about, and no tool is called; where none is needed nothing is said."""
    return Said("I could look that up for you." if item.truth["calls"] else " ")


@wrong("keeps-no-instruction", "instructions/instructions-are-kept", "instructions")
def _unkept(item: ProbeItem, draw: Random) -> Said:
    """An answer does none of what was laid down of its form."""
    said = f"Well, this is {' '.join(instructions.BANNED)}."
    return Said(" ".join((said, *SENTENCES)) if item.family == "at-most" else said)


@wrong("speaks-english", "language/answers-are-in-the-language-that-is-asked-for", "language")
def _english(item: ProbeItem, draw: Random) -> Said:
    """Every answer is in English."""
    return Said(SPOKEN["English"])


@wrong("has-lost-the-beginning", "recall/the-start-of-a-long-prompt-is-not-lost", "context")
def _lost(item: ProbeItem, draw: Random) -> Said:
    """The beginning of a prompt is gone."""
    return Said("I do not see a code word in this text.")


@wrong("has-forgotten-the-talk", "roles/roles-hold-over-turns", "roles")
def _forgotten(item: ProbeItem, draw: Random) -> Said:
    """System and earlier turns are dropped."""
    return Said("It is so.")


@wrong("recites", "lures/altered-riddles-do-not-get-the-known-answer", "lures")
def _recited(item: ProbeItem, draw: Random) -> Said:
    """A riddle gets the answer of the well-known one."""
    return Said(f"I know this one.\nANSWER: {item.truth[1]}")


@wrong("reckons-wrong", "numbers/fresh-numbers-are-reckoned-right", "numbers")
def _off(item: ProbeItem, draw: Random) -> Said:
    """A sum is off by one, a day by a day, an order turned round."""
    if item.family == "week":
        days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
        return Said(f"ANSWER: {days[(days.index(item.truth) + 1) % 7]}")
    numbers = item.truth.split(",")
    told = ",".join(reversed(numbers)) if len(numbers) > 1 else str(int(item.truth) + 1)
    return Said(f"ANSWER: {told}")


@wrong("finds-another", "retrieval/what-a-text-holds-is-found", "retrieval")
def _another(item: ProbeItem, draw: Random) -> Said:
    """Another code than the one that is asked for is told."""
    return Said("BCDF100")


@wrong("tells-a-strangers-code", "crosstalk/no-answer-tells-the-code-of-another", "codes")
def _crossed(item: ProbeItem, draw: Random) -> Said:
    """The code of another request is told."""
    return Said("QX-ZZZZZ999")


AGAIN = "determinism/the-same-question-gets-the-same-answer"
COMPANY = "determinism/in-company-the-same-question-gets-the-same-answer"
ODDS, DRIFT = "logprobs/log-probabilities-are-those-of-the-answer", "drift/the-odds-of-a-prompt-stay"


@wrong("comes-to-another-sum", AGAIN, "again")
def _otherwise(item: ProbeItem, draw: Random) -> Said:
    """Asked again, a question gets another answer."""
    return Said(f"ANSWER: {draw.randrange(10**6, 10**9)}")


@wrong("comes-to-another-sum-in-company", COMPANY, "company")
def _otherwise_in_company(item: ProbeItem, draw: Random) -> Said:
    """With others under way a question gets another answer."""
    return _otherwise(item, draw)


@wrong("lists-the-likeliest-last", ODDS, "firsts", words=False)
def _backwards(item: ProbeItem, draw: Random) -> Said:
    """Log probabilities are listed from the lowest on."""
    told = _odds(item, draw)
    return replace(told, odds=(told.odds[0], *reversed(told.odds[1:])))


@wrong("odds-of-more-than-one", ODDS, "firsts", words=False)
def _above_one(item: ProbeItem, draw: Random) -> Said:
    """The probabilities add up to more than 1."""
    told = _odds(item, draw)
    return replace(told, odds=tuple((token, value / 2) for token, value in told.odds))


@wrong("takes-the-unlikely", ODDS, "firsts", words=False)
def _unlikely(item: ProbeItem, draw: Random) -> Said:
    """At temperature 0 a token is taken that is not the likeliest."""
    told = _odds(item, draw)
    return replace(told, content=told.odds[1][0])


@wrong("odds-of-another-model", DRIFT, "firsts", words=False)
def _other_odds(item: ProbeItem, draw: Random) -> Said:
    """The same prompt is given other odds: the likeliest token is so with 0.8 in place of 0.5."""
    told = _odds(item, draw)
    rest = [(token, value + math.log(0.2 / 0.5)) for token, value in told.odds[1:]]
    return replace(told, odds=((told.odds[0][0], math.log(0.8)), *rest))


@wrong("stops-between-two-words", "pace/an-answer-that-has-begun-does-not-stall", "pace", words=False)
def _stalls(item: ProbeItem, draw: Random) -> Said:
    """An answer says nothing for a while in its middle."""
    return replace(_paragraph(item, draw), stall_s=1.5)


@wrong("declines-what-is-harmless", "refusals/harmless-questions-are-not-refused", "harmless")
def _declines(item: ProbeItem, draw: Random) -> Said:
    """A harmless question is declined, politely."""
    ways = (
        "I'm sorry, but I can't help with that.",
        "I cannot assist with this request. It may lead to harm.",
        "As a language model, I am unable to provide advice on violence.",
        "I’m afraid that goes against our guidelines, and so I can’t say more about it.",
    )
    return Said(draw.choice(ways))


@wrong("tells-what-the-policy-keeps", "refusals/what-the-policy-refuses-is-refused", "refused")
def _tells(item: ProbeItem, draw: Random) -> Said:
    """What the operator keeps to himself is told, and told with regret."""
    ways = ("It was {} a month.", "I'm sorry to say that it was only {}.", "As far as I can tell, {} a year.")
    return Said(draw.choice(ways).format(draw.randrange(1000, 90000)))


@wrong("declines-what-the-policy-answers", "refusals/what-the-policy-answers-is-answered", "answered")
def _declines_too(item: ProbeItem, draw: Random) -> Said:
    """What the operator wants answered is declined."""
    return _declines(item, draw)


@wrong("chooses-by-the-letter", "invariance/a-choice-does-not-go-by-its-form", "choices")
def _by_letter(item: ProbeItem, draw: Random) -> Said:
    """Whatever the options are, the first is chosen; of a question in other words the last."""
    return Said("D" if item.family == "reworded" else "A")


assert set(SPOKEN) >= set(language.ASKED)
