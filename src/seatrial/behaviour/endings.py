"""B2: does the answer to a short question end by itself?

A template without its end marker, a wrong end token or a stop string lost on the way shows here first: the model has
said all there is to say, and runs on to the cap. Judged are the questions that a word or a sentence answers, under a
cap many times that long; essays and worked answers may fill theirs honestly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seatrial.behaviour import probes, rates
from seatrial.behaviour.answers import Spoken, read, silences
from seatrial.checks import traits
from seatrial.checks.rules import rule
from seatrial.records import Exchange, Expect, Finding, Level

THOUGHT = "thinking ate the budget"
CUT = "in flight when the time was up"
QUEUED = "waited for other requests of ours"


def wrong(answer: Spoken) -> str:
    """What is wrong with the end of a short answer; empty where nothing is."""
    if answer.trouble:
        return answer.trouble
    if answer.finish != "stop":
        return f"ended by {answer.finish}" if answer.finish else "no finish_reason"
    return "" if answer.content.strip() else "empty"


def count(xs: Mapping[str, Exchange], expect: Expect) -> rates.Count:
    """Short answers that did not end by themselves: cut, empty, refused, broken off.

    Those that this side cut off, because the time for probes was up (``expect.settings["cut"]``), are no evidence, nor
    those that waited for other requests of ours (``expect.settings["waited"]``).
    """
    answers = {name: read(x) for name, x in xs.items() if probes.is_short(name)}
    cut_off = frozenset(expect.settings.get("cut", ()))
    cut = {name for name, answer in answers.items() if name in cut_off and ended_by_us(xs[name], answer)}
    queued = {name for name in expect.settings.get("waited", ()) if name in answers and answers[name].trouble}
    thought = {name for name, answer in answers.items() if _thought(answer)}
    ours = ((THOUGHT, thought), (CUT, cut - queued), (QUEUED, queued))
    judged = {name: a for name, a in answers.items() if not a.silent and name not in thought | cut | queued}
    beside = silences(answers) | {why: len(names) for why, names in ours if names}
    bad = {name: why for name, answer in judged.items() if (why := wrong(answer))}
    return rates.Count(what="stop hygiene", n=len(judged), bad=bad, answers=answers, beside=beside)


def ended_by_us(x: Exchange, answer: Spoken) -> bool:
    """Whether an answer was in order until our own deadline ended it. What the server broke before that is its own."""
    return x.error == "deadline" and x.status in (None, 200) and not answer.error


def _thought(answer: Spoken) -> bool:
    """All of the cap went into reasoning: an outcome of its own, and no word about how answers end."""
    return answer.whole and answer.finish == "length" and bool(answer.reasoning) and not answer.content.strip()


def _figures(xs: Mapping[str, Exchange], expect: Expect) -> dict[str, str]:
    return rates.figures(count(xs, expect), xs, expect)


@rule(
    row="B2",
    level=Level.MUST,
    of=traits.ANSWERS,
    area="stops",
    source="specification: finish_reason stop is a natural end or a stop sequence",
    answer=False,
    sampled=True,
    figures=_figures,
)
def answers_end_by_themselves(xs: Mapping[str, Exchange], expect: Expect) -> Iterator[Finding]:
    """A short answer ends by itself, with finish_reason stop and some content."""
    so = "a client shows an answer that is cut, empty, or runs on into turns nobody asked for"
    yield from rates.judged(count(xs, expect), xs, expect, so=so)
