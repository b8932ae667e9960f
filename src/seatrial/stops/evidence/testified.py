"""What the witnesses of a stop said of it: the fresh lines of its log, and the GPU's driver."""

from __future__ import annotations

from seatrial.records import Event, Fact, Happening
from seatrial.stops.evidence import log_words
from seatrial.stops.state.case import Case


def fresh(case: Case) -> tuple[str, ...]:
    """The lines of the server's log that did not stand there before the stop."""
    return tuple(line for line in case.testimony.log if line not in case.testimony.log_old)


def orderly(case: Case) -> str:
    """The fresh line of its log by which a server says that it ends in order, in the own words of its kind.

    An older record does not say which words are those of its kind: there any line about shutting down counts.
    """
    ends, lines = case.testimony.log_ends, fresh(case)
    if ends is None:
        return log_words.said(lines, "shutdown")
    return next((line.strip()[: log_words.SHOWN] for line in reversed(lines) if line in ends), "")


def gpu_words(case: Case) -> tuple[str, ...]:
    """What the GPU's driver reported around the stop, where it is known of which card."""
    return tuple(dict.fromkeys(gpu_word(event) for event in case.testimony.xids if event.facts))


def gpu_word(event: Event) -> str:
    """One error of the GPU's driver."""
    if event.what == Happening.XID:
        return f"the driver reported Xid {event.facts.get(Fact.XID, '?')} on GPU {event.facts.get(Fact.GPU, '?')}"
    return f"the driver lost GPU {event.facts.get(Fact.GPU, '?')}"
