"""B12: do tokens of the chat template leak into the answer?

They belong to the prompt format, never to the content: one that shows was not recognised as special, or the template
is not the model's. No probe quotes one, so that none can be an echo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from seatrial.behaviour import rates
from seatrial.behaviour.answers import Spoken, read, silences
from seatrial.checks import traits
from seatrial.checks.rules import rule
from seatrial.reading.markers import ANY
from seatrial.records import Exchange, Expect, Finding, Level

_THINK = re.compile(r"<(/?)think>")


def leaks(answer: Spoken) -> tuple[str, ...]:
    """Markers in content and reasoning, each once; an orphan ``</think>`` and ``</s>`` only in the content."""
    found = [*ANY.findall(answer.content), *ANY.findall(answer.reasoning), *_orphans(answer.content)]
    return tuple(dict.fromkeys(found))


def _orphans(content: str) -> Iterator[str]:
    depth = 0
    for match in _THINK.finditer(content):
        depth += -1 if match[1] else 1
        if depth < 0:
            yield match[0]
            depth = 0
    if "</s>" in content and "<s>" not in content:  # as a pair it is HTML for struck-out text
        yield "</s>"


def count(xs: Mapping[str, Exchange]) -> rates.Count:
    """Answers in which a marker shows. What came of a broken one counts: a leak in half an answer is a leak."""
    answers = {name: read(x) for name, x in xs.items()}
    texts = {name: answer for name, answer in answers.items() if answer.content or answer.reasoning}
    blank = len(answers) - len(texts) - sum(silences(answers).values())
    bad = {name: "leaks " + " ".join(found) for name, answer in texts.items() if (found := leaks(answer))}
    beside = silences(answers) | ({"no text": blank} if blank else {})
    return rates.Count(what="marker leaks", n=len(texts), bad=bad, answers=answers, beside=beside)


def _figures(xs: Mapping[str, Exchange], expect: Expect) -> dict[str, str]:
    return rates.figures(count(xs), xs, expect)


@rule(
    row="B12",
    level=Level.MUST,
    of=traits.ANSWERS,
    area="markers",
    source="chat templates of the model families; llama.cpp's fallback to ChatML",
    answer=False,
    sampled=True,
    figures=_figures,
)
def no_template_marker_leaks(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """No token of a chat template shows in an answer."""
    so = "people read it, and sent back in a history it ends or forges a turn"
    yield from rates.judged(count(xs), xs, expect, so=so)
