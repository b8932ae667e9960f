"""B2: does the answer to a short question end by itself?

A template without its end marker, a wrong end token or a stop string lost on the way shows here first: the model has
said all there is to say, and runs on to the cap. Judged are the questions that a word or a sentence answers, under a
cap many times that long; essays and worked answers may fill theirs honestly.
"""

from __future__ import annotations

from seatrial.behaviour.answers import Spoken
from seatrial.behaviour.items import ProbeItem
from seatrial.behaviour.probe import Verified, bad, good
from seatrial.behaviour.probes.talk.loops import looped
from seatrial.behaviour.probes.talk.questions import SHORT, TALK
from seatrial.behaviour.probing import probe
from seatrial.records import Exchange, Level
from seatrial.statistics.sequential import SequentialTest


def wrong(answer: Spoken) -> str:
    """What is wrong with the end of a short answer; empty where nothing is."""
    if answer.trouble:
        return answer.trouble
    if answer.finish != "stop":
        return f"ended by {answer.finish}" if answer.finish else "no finish_reason"
    return "" if answer.content.strip() else "empty"


@probe(
    row="B2",
    area="stops",
    what="stop hygiene",
    maker=TALK,
    families=SHORT,
    test=SequentialTest(0.02, 0.15, 90),
    level=Level.MUST,
    source="specification: finish_reason stop is a natural end or a stop sequence",
    so="a client shows an answer that is cut, empty, or runs on into turns nobody asked for",
    causes=looped,
    broken=True,
)
def answers_end_by_themselves(item: ProbeItem, answer: Spoken, x: Exchange) -> Verified:
    """A short answer ends by itself, with finish_reason stop and some content."""
    why = wrong(answer)
    return bad(why) if why else good()


def unsaid(answer: Spoken) -> tuple[str, ...]:
    """The rules whose finding it is already that an answer says nothing, or ran on until its cap ended it.

    Under a small cap an answer that runs in circles is cut before that shows.
    """
    cut = answer.finish == "length" or not (answer.content.strip() or answer.calls)
    return (*looped(answer), *((answers_end_by_themselves.rule.id,) if cut else ()))
