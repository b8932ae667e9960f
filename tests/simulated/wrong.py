"""What is said wrong to the items of probes: one way to answer wrong for each fault that a probe has to find."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from seatrial.behaviour.items import ProbeItem
from seatrial.behaviour.probes.form import instructions, language
from seatrial.behaviour.probes.talk import crosstalk
from tests.behaviour.specimens import drifting, fuzzy, looping
from tests.golden.answers import prose
from tests.simulated.mouths import SENTENCES, SPOKEN, Mouth, Said, a_paragraph, an_object, small_talk, with_odds


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
    return Said(f"{small_talk(item, draw).content}<|im_end|>")


@wrong("json-in-prose", "json/answers-follow-the-schema-they-are-shown", "json")
def _in_prose(item: ProbeItem, draw: Random) -> Said:
    """JSON stands behind a sentence of explanation."""
    return Said(f"Here is the record you asked for: {an_object(item, draw).content}")


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
    return Said(crosstalk.code("ZZZZ"))


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
    told = with_odds(item, draw)
    return replace(told, odds=(told.odds[0], *reversed(told.odds[1:])))


@wrong("odds-of-more-than-one", ODDS, "firsts", words=False)
def _above_one(item: ProbeItem, draw: Random) -> Said:
    """The probabilities add up to more than 1."""
    told = with_odds(item, draw)
    return replace(told, odds=tuple((token, value / 2) for token, value in told.odds))


@wrong("takes-the-unlikely", ODDS, "firsts", words=False)
def _unlikely(item: ProbeItem, draw: Random) -> Said:
    """At temperature 0 a token is taken that is not the likeliest."""
    told = with_odds(item, draw)
    return replace(told, content=told.odds[1][0])


@wrong("odds-of-another-model", DRIFT, "firsts", words=False)
def _other_odds(item: ProbeItem, draw: Random) -> Said:
    """The same prompt is given other odds: the likeliest token is so with 0.8 in place of 0.5."""
    told = with_odds(item, draw)
    rest = [(token, value + math.log(0.2 / 0.5)) for token, value in told.odds[1:]]
    return replace(told, odds=((told.odds[0][0], math.log(0.8)), *rest))


@wrong("stops-between-two-words", "pace/an-answer-that-has-begun-does-not-stall", "pace", words=False)
def _stalls(item: ProbeItem, draw: Random) -> Said:
    """An answer says nothing for a while in its middle."""
    return replace(a_paragraph(item, draw), stall_s=1.5)


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
