"""B9: is the start of a long prompt still there, as long as it fits the window that the endpoint tells?

A code word stands before a long text, and is asked for after it, at four lengths within the window. That usage counts
every word, and that what is too long is refused, is for the rules of the context; here an answer that has lost the code
word counts, whoever lost it: a server that cut the prompt, or a model that does not look that far back.
"""

from __future__ import annotations

import re
from random import Random

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.talk import refusals
from seatrial.behaviour.probes.talk.stops import unsaid
from seatrial.behaviour.probing import probe
from seatrial.reading.chat import usage
from seatrial.reading.fields import integer, mapping
from seatrial.records import Exchange, ItemWord, Level, Words
from seatrial.statistics.sequential import SequentialTest

SHARES = {"quarter": 0.2, "half": 0.4, "most": 0.6, "nearly-all": 0.75}
"""Of the window, in words of the long text: tokenizers make at least as many tokens of them."""

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
MOST_CONTEXT = 16_384
"""A longer window takes too long to fill within minutes; the rules of the context reach further with --depth=full."""


def code(draw: Random) -> str:
    """A word that no text holds by chance."""
    return "".join(draw.choice(LETTERS) for _ in range(4)) + str(draw.randrange(100, 1000))


def tells(text: str, word: str) -> bool:
    """Whether a text tells a code word, in either case."""
    return re.search(rf"(?<![A-Z0-9]){word}(?![A-Z0-9])", text.upper()) is not None


def _make(family: str, draw: Random) -> ProbeItem:
    word, first = code(draw), draw.randrange(40)
    messages = [
        {"role": "user", "content": f"The code word is {word}. Remember it: I will ask for it after a long text."},
        {"role": "assistant", "content": f"I will remember the code word {word}."},
        {"role": "user", "content": Words(share=SHARES[family], first=first)},
        {"role": "assistant", "content": "I have read the text."},
        {"role": "user", "content": "What is the code word? Reply with the code word only."},
    ]
    return ProbeItem(family, {"messages": messages, "max_tokens": 32}, word)


CONTEXT = Maker("context", turn=70, families=tuple(SHARES), make=_make, tokens=8, of_context=0.55, within=MOST_CONTEXT)


@probe(
    row="B9",
    area="recall",
    what="code words lost",
    maker=CONTEXT,
    test=SequentialTest(0.02, 0.25, 24),
    level=Level.MUST,
    source="Ollama issues 17427 and 17889: prompts cut to half of the window with a 200",
    so="the instructions at the start of a talk are gone, and nobody is told",
    causes=unsaid,
)
def the_start_of_a_long_prompt_is_not_lost(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """What stands at the start of a prompt that fits the window can still be told at its end."""
    if tells(answer.content, item.truth):
        return good(item.truth)
    if refusals.is_flat(answer.content):
        return Verified(ItemWord.SILENT, refusals.FLATLY)
    counted = integer(mapping(usage(x)).get("prompt_tokens"))
    sent = sum(len(str(m.get("content", "")).split()) for m in x.request_json["messages"])
    read = "" if counted is None else f"; usage counts {counted} tokens of a prompt of {sent} words"
    return bad(f"the code word {item.truth} is not told{read}", answer.content.strip())
