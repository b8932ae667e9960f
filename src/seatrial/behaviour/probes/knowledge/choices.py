"""B19: does an answer hang on the order of options, or on the words of the question?

A question with four options is asked three times: as it is (*asked*), with its options turned round (*turned*) and in
other words (*reworded*). What is compared is the option that was chosen and not its letter, whether it is the right one
or not: a model that does not know may guess, but its guess should not go by the letter.
"""

from __future__ import annotations

import re
from random import Random

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import Maker, ProbeItem, user
from seatrial.behaviour.probe import SeenAnswer, Verified, bad, good
from seatrial.behaviour.probes.talk.questions import CAPITALS, OPPOSITES, PASTS, PLURALS
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, Level
from seatrial.statistics.sequential import SequentialTest
from seatrial.text import shorten

LETTERS = "ABCD"
SAYS = re.compile(r"(?:^|[^\w])([A-D])(?:[^\w]|$)")
TABLES = (
    (CAPITALS, "What is the capital of {}?", "Which of these cities is the seat of government of {}?"),
    (OPPOSITES, "What is the opposite of the word {}?", "Which of these words means the contrary of {}?"),
    (PLURALS, "What is the plural of the word {}?", "Which of these is the form of {} for more than one?"),
    (PASTS, "What is the past tense of the verb {}?", "Which of these is how one says {} of yesterday?"),
)


def _question(draw: Random) -> tuple[str, str, str, list[str]]:
    """The question, the same in other words, the right option, and three others."""
    if draw.random() < 0.5:
        a, b = draw.randrange(120, 900), draw.randrange(120, 900)
        right = str(a + b)
        others = [str(a + b + off) for off in draw.sample((-110, -100, -11, -10, -9, 9, 10, 11, 90, 100), 3)]
        return f"What is {a} plus {b}?", f"Which of these is the sum of {a} and {b}?", right, others
    table, asked, reworded = draw.choice(TABLES)
    word = draw.choice(sorted(table))
    others = draw.sample(sorted(set(table.values()) - {table[word]}), 3)
    return asked.format(word), reworded.format(word), table[word], others


def _make(family: str, draw: Random) -> ProbeItem:
    asked, reworded, right, options = _question(draw)
    options.insert(draw.randrange(1, 3), right)
    if family == "turned":
        options.reverse()
    listed = "\n".join(f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=True))
    text = f"{reworded if family == 'reworded' else asked}\n{listed}\nReply with the letter of the right answer only."
    truth = {"right": right, "options": options}
    return ProbeItem(family, user(text, max_tokens=16, temperature=0), truth)


CHOICES = Maker("choices", turn=170, families=("asked", "turned", "reworded"), make=_make, tokens=3, group=3)


def compare(first: SeenAnswer, now: SeenAnswer) -> Verified:
    """Whether the same option is chosen."""
    before, after = first.verified.answer, now.verified.answer
    return good(after) if before == after else bad(f"{after} in place of {before}", after)


@probe(
    row="B19",
    area="invariance",
    what="choices that go by form",
    maker=CHOICES,
    families=frozenset({"turned", "reworded"}),
    test=SequentialTest(0.10, 0.30, 60),
    level=Level.SHOULD,
    source="order of options moves answers: arXiv 2309.03882; our own questions",
    so="how a question is put decides what is answered",
    against=lambda number: number // 3 * 3,
    compare=compare,
)
def a_choice_does_not_go_by_its_form(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """The same option is chosen whatever the order of options, and whatever the words of the question."""
    options = item.truth["options"]
    letters = SAYS.findall(answer.content)
    if letters:
        return good(options[LETTERS.index(letters[-1])])
    named = [option for option in options if re.search(rf"\b{re.escape(option)}\b", answer.content, re.IGNORECASE)]
    return good(named[0]) if len(named) == 1 else bad(f"no option is chosen: {shorten(answer.content, 80)}")
