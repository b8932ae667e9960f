"""B1: does an answer run in circles? Found in the text alone, so that the verdict does not hang on the server.

Some servers cut a loop and report success, some answer 500, some run to max_tokens. Three rules look at the words of
content, reasoning and tool calls, each on its own:

- R1, exact: a period of at most 256 words that follows itself to 4 copies and 48 words, or, from 48 words on, to 3.
- R2: R1 after every number is read as 0: loops whose counter goes on.
- R3: of the 4-word sequences in the last 256 words fewer than 15 % are new; needs 512 words.

A loop is R1 at the end of a text, or R2 or R3 anywhere in an answer that did not end by itself. R2 or R3 in one that
did is *suspect*: reported, not counted. The limits were calibrated on 14 000 recorded answers of many models (R1
0.1 %, R2 and R3 about 1 % false alarms, most of them tables and numbered steps, which the probes never ask for).
"Words" are runs of letters and digits, single CJK characters and single marks; no tokenizer is needed. The cost is
linear in the text, times the longest period, and the text is bounded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import ProbeItem
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.talk.questions import TALK
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, ItemWord, Level
from seatrial.statistics.sequential import SequentialTest
from seatrial.text import shorten

LONGEST_PERIOD = 256
FEWEST_COPIES, FEWEST_WORDS = 4, 48
LONG_PERIOD, LONG_COPIES = 48, 3
NOVELTY, WINDOW, GRAM = 0.15, 256, 4
MOST_WORDS = 4096
SAME_CALLS = 3
UNENDED = frozenset({"length", "repetition"})

_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|\s{33,}|[^\w\s]"
)
_DIGITS = re.compile(r"\d+")
_GIANT, _PIECE = 32, 2


@dataclass(frozen=True, slots=True)
class Found:
    """A loop, or what may be one. ``how`` names the rule and shows the period."""

    word: Literal["loop", "suspect"]
    how: str


def words(text: str) -> list[str]:
    """The last words of a text, at most 4096. Runs longer than any word (``hahaha...``) are cut in pairs."""
    tail = text[-MOST_WORDS * 16 :]
    found: list[str] = []
    for word in _WORD.findall(tail):
        if len(word) <= _GIANT:
            found.append(word)
        else:
            found += [word[i : i + _PIECE] for i in range(0, len(word) - _PIECE + 1, _PIECE)]
    return found[-MOST_WORDS:]


def repeated(sequence: Sequence[str], *, at_end: bool = False) -> tuple[int, int] | None:
    """R1: the shortest period that repeats long enough, as (period, where its run ends); None where there is none.

    Args:
        at_end: only a run that reaches the end of the sequence counts.
    """
    codes: dict[str, int] = {}
    ids = np.array([codes.setdefault(word, len(codes)) for word in sequence], dtype=np.int32)
    for period in range(1, min(LONGEST_PERIOD, len(ids) // LONG_COPIES) + 1):
        length, end = _longest_run(ids[period:] == ids[:-period], at_end=at_end)
        if length + period >= _needed(period):
            return period, end + period
    return None


def novelty(sequence: Sequence[str]) -> float | None:
    """R3: the share of 4-word sequences in the last 256 words never seen before; None below 512 words."""
    if len(sequence) < 2 * WINDOW:
        return None
    grams = list(zip(*(sequence[i:] for i in range(GRAM)), strict=False))
    first = len(grams) - WINDOW
    seen = set(grams[:first])
    new = 0
    for gram in grams[first:]:
        if gram not in seen:
            new += 1
            seen.add(gram)
    return new / WINDOW


def look(text: str, *, ended: bool) -> Found | None:
    """Look for a loop in one text.

    Args:
        ended: the answer ended by itself; False: by its cap, the server's own guard against loops, or not at all.
    """
    exact = words(text)
    if hit := repeated(exact, at_end=True):
        return Found("loop", f"R1 {_period(exact, hit)}")
    numberless = [_DIGITS.sub("0", word) for word in exact]
    how = ""
    if hit := repeated(numberless):
        how = f"R2 {_period(exact, hit)}"
    elif (fresh := novelty(numberless)) is not None and fresh < NOVELTY:
        how = f"R3 only {100 * fresh:.0f} % of the last {WINDOW} words' sequences are new"
    return Found("suspect" if ended else "loop", how) if how else None


def examine(answer: Spoken) -> Found | None:
    """Look for a loop in an answer: its content, its reasoning, its tool calls; the gravest that was found."""
    if "token repeat" in answer.error.lower():
        return Found("loop", f"the server's guard: {answer.error}")
    ended = bool(answer.finish) and answer.finish not in UNENDED
    texts = {"content": answer.content, "reasoning": answer.reasoning, "tool calls": " ".join(answer.calls)}
    found = [(where, look(text, ended=ended)) for where, text in texts.items() if text]
    call, times = Counter(answer.calls).most_common(1)[0] if answer.calls else ("", 0)
    if times >= SAME_CALLS:
        found.append(("tool calls", Found("loop", f"{times} times {shorten(call, 60)}")))
    hits = [Found(f.word, f"{f.how} in {where}") for where, f in found if f]
    return next((f for f in hits if f.word == "loop"), hits[0] if hits else None)


@probe(
    row="B1",
    area="loops",
    what="loops",
    maker=TALK,
    test=SequentialTest(0.01, 0.10, 120),
    level=Level.MUST,
    source="rules calibrated on recorded answers; vLLM pull 40097, llama.cpp pull 26039, Whisper for what was rejected",
    so="a client waits for the whole of max_tokens, pays for it, and gets the same words again and again",
    broken=True,
    thought=True,
)
def answers_do_not_loop(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """Answers to ordinary questions do not run in circles."""
    return looked_at(answer)


def looked_at(answer: Spoken) -> Verified:
    """What an answer came to, whatever it was asked."""
    found = examine(answer)
    if found is not None and found.word == "loop":
        return bad(found.how)
    if answer.trouble:  # only what came of it could loop, and it does not
        return Verified(ItemWord.SILENT, "not a whole answer")
    if not (answer.content or answer.reasoning or answer.calls):
        return Verified(ItemWord.SILENT, "empty")
    return good(note=found.how if found else "")


def looped(answer: Spoken) -> tuple[str, ...]:
    """This rule, where an answer runs in circles: whatever else is wrong with it then comes of that."""
    return (answers_do_not_loop.rule.id,) if looked_at(answer).word is ItemWord.BAD else ()


def _needed(period: int) -> int:
    """Words a run of this period must have."""
    return LONG_COPIES * period if period >= LONG_PERIOD else max(FEWEST_COPIES * period, FEWEST_WORDS)


def _longest_run(same: NDArray[np.bool_], *, at_end: bool) -> tuple[int, int]:
    """Length and end of the longest run of True; of the one at the end where ``at_end``."""
    breaks = np.flatnonzero(~same)
    if at_end:
        return len(same) - (int(breaks[-1]) + 1 if len(breaks) else 0), len(same)
    edges = np.concatenate(([-1], breaks, [len(same)]))
    gaps = np.diff(edges) - 1
    longest = int(gaps.argmax())
    return int(gaps[longest]), int(edges[longest + 1])


def _period(sequence: Sequence[str], hit: tuple[int, int]) -> str:
    period, end = hit
    return f'a period of {period} words, "{shorten(" ".join(sequence[end - period : end]), 80)}"'
