"""What the golden server says: tokens from a seed and a prompt, so that their true number is known.

The prose is made of sentences with drawn words; no sentence comes twice in an answer, and four-word runs hardly ever
do, so that a detector of loops has nothing to find in an honest answer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.golden.app import tools
from tests.golden.app.tools import ToolCall
from tests.golden.phrases import DOES, FOREIGN, FRAMES, NUMBERS, WHAT, WHEN, WHO, WHY

REPEAT = re.compile(
    r"\b(?:repeat|echo|copy)\b[^:\n]{0,60}:\s*(.+)|\b(?:reply|answer|respond) with (?:exactly|only|just)[:\s]+(.+)",
    re.IGNORECASE | re.DOTALL,
)
TOKEN = re.compile(r"\s*[A-Za-z]{1,7}|\s*\d{1,3}|\s*[^\sA-Za-z\d]|\s+")


@dataclass(frozen=True, slots=True)
class Answer:
    """One choice: tokens of thought and of content, calls, why it ended, and how many tokens it took to make."""

    reasoning: tuple[str, ...]
    content: tuple[str, ...]
    finish: str = "stop"
    stopped_by: str = ""
    calls: tuple[ToolCall, ...] = ()

    @property
    def generated(self) -> int:
        return len(self.reasoning) + len(self.content) + sum(call.generated for call in self.calls)

    @property
    def text(self) -> str:
        return "".join(self.content)

    def limited(self, cap: int, stops: tuple[str, ...]) -> Answer:
        """The answer within a cap over all that it says, ended before the first stop string of its content."""
        thought = self.reasoning[:cap]
        content = self.content[: max(cap - len(thought), 0)]
        calls = tools.within(self.calls, cap - len(thought) - len(content))
        capped = len(thought) + len(content) + sum(call.generated for call in calls) < self.generated
        kept, by = _before(content, stops)
        finish = "length" if capped and not by else "stop" if by else self.finish
        return Answer(thought, kept, finish, by, () if by else calls)

    def thinking(self, budget: int) -> Answer:
        """The answer after no more tokens of thought than a budget."""
        return replace(self, reasoning=self.reasoning[:budget])

    def then(self, text: str) -> Answer:
        """The answer with more to say."""
        return replace(self, content=(*self.content, *tokens(text)))


def tokens(text: str) -> tuple[str, ...]:
    """A text as tokens; joined they are the text again."""
    return tuple(TOKEN.findall(text))


def logprob(token: str, position: int) -> float:
    """A made-up but steady log probability, never above zero."""
    return -round((sum(token.encode("utf-8", "replace")) * 31 + position * 7) % 900 / 1000 + 0.001, 4)


def draft(prompt: str, *, seed: int | None, index: int, thinking: bool, hard: bool = False) -> Answer:
    """What would be said to a prompt if nothing limited it; of a ``hard`` one much is thought."""
    draw = random.Random(f"{seed or 0}\0{index}\0{prompt}")
    reasoning = tokens(_thought(draw, hard)) if thinking else ()
    return Answer(reasoning, tokens(_says(prompt, draw)))


def prose(draw: random.Random, at_least: int) -> Iterator[str]:
    """Sentences until the tokens wanted are there, at least one."""
    said: set[str] = set()
    count = 0
    while count < at_least or not said:
        sentence = _sentence(draw)
        if sentence not in said:
            said.add(sentence)
            count += len(tokens(sentence)) + 1
            yield sentence


def _says(prompt: str, draw: random.Random) -> str:
    low = prompt.lower()
    if counted := re.search(
        r"\bcount\b(?:.{0,20}?\bfrom (\w+))?.{0,20}?\bto (a hundred|one hundred|two hundred|\w+)", low
    ):
        first, last = _number(counted[1] or "1"), _number(counted[2])
        if first is not None and last is not None and first <= last <= first + 400:
            numbers = [str(n) for n in range(first, last + 1)]
            row = 3 if "three numbers on each line" in low else len(numbers)
            return "\n".join(", ".join(numbers[at : at + row]) for at in range(0, len(numbers), row)) + "."
    if repeated := REPEAT.search(prompt):
        said = (repeated[1] or repeated[2]).strip()
        return said.strip("\"'`") or said
    if foreign := _foreign(prompt, draw):
        return foreign
    if re.search(r"\b(say|hi|hello)\b.{0,12}\bhello\b|^\W*(hi|hello)\b", low):
        return f"Hello! {_sentence(draw)}"
    return " ".join(prose(draw, _wanted(low, draw)))


def _wanted(low: str, draw: random.Random) -> int:
    """How many tokens a prompt asks for, roughly."""
    if words := re.search(r"(\d{1,4})[- ]words?\b", low):
        asked = int(words[1])
        return (
            1 if re.search(r"at most|no more than|under|fewer|up to", low) and asked < 40 else min(asked * 5 // 4, 1500)
        )
    if re.search(r"\b(one|single|short|brief|briefly)\b", low):
        return 1
    if re.search(r"\b(long|essay|story|detail|detailed|paragraphs)\b", low):
        return draw.randrange(180, 320)
    return draw.randrange(24, 64)


def _number(word: str) -> int | None:
    return int(word) if word.isdigit() and len(word) < 5 else NUMBERS.get(word)


def _foreign(prompt: str, draw: random.Random) -> str:
    strange = [c for c in prompt if c.isalpha() and ord(c) > 0x7F] or [
        c for c in prompt if ord(c) > 0x2000 and c not in "“”‘’–—…"
    ]
    if not strange:
        return ""
    first = ord(strange[0])
    script = "cjk" if 0x3000 <= first <= 0x9FFF or 0xAC00 <= first <= 0xD7A3 else "other"
    script = {0x4: "cyrillic", 0x6: "arabic"}.get(first >> 8, script)
    run = re.search(re.escape(strange[0]) + r"\S*", prompt)
    said = list(FOREIGN[script])
    draw.shuffle(said)
    return " ".join([run[0] if run else strange[0], *said])


def _thought(draw: random.Random, hard: bool) -> str:
    opening = draw.choice(("The user wants an answer.", "Let me see what is asked.", "First, what matters here?"))
    closing = draw.choice(("That should do.", "I can answer now.", "So the answer is clear."))
    return " ".join((opening, *prose(draw, draw.randrange(150, 220) if hard else draw.randrange(8, 24)), closing))


def _sentence(draw: random.Random) -> str:
    who, whom = draw.sample(WHO, 2)
    does, did = draw.sample(DOES, 2)
    what, other = draw.sample(WHAT, 2)
    when, why = draw.choice(WHEN), draw.choice(WHY)
    return draw.choice(FRAMES).format(
        who=who, Who=who[0].upper() + who[1:], whom=whom, does=does, did=did, what=what, other=other,
        when=when, When=when[0].upper() + when[1:], why=why,
    )  # fmt: skip


def _before(content: tuple[str, ...], stops: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    text = "".join(content)
    found = [(text.find(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return content, ""
    end, by = min(found)
    kept: list[str] = []
    for token in content:
        if end <= 0:
            break
        kept.append(token[:end])
        end -= len(token)
    return tuple(kept), by
