"""What a verdict says of our own doing: an end without a word, a recorder that died, a log that was cut."""

from __future__ import annotations

from seatrial.records import Event, Happening, Record
from seatrial.servers.keeper import DESERTED
from seatrial.verdict import doing


def said(*events: Event) -> list[str]:
    return list(doing.notices(Record(events)))


def event(what: Happening, text: str = "", name: str = "keeper", w: str = "keeper") -> Event:
    return Event(what=what, name=name, at=1, text=text, w=w)


def test_an_orderly_end_is_no_news() -> None:
    assert said(event(Happening.SEAL), event(Happening.SEAL, w="recorder")) == []


def test_an_end_without_a_word_is_told() -> None:
    assert said(event(Happening.SEAL, DESERTED)) == [DESERTED]


def test_a_recorder_that_died_is_told_with_what_is_not_known() -> None:
    died = "the recorder ended, status -9"
    (text,) = said(event(Happening.TROUBLE, died, "recorder"))
    assert text == f"{died}: from then on nobody watched, and what became of the server is not known"
    assert said(event(Happening.TROUBLE, died, "recorder", w="recorder")) == []


def test_a_log_that_was_cut_is_told_once() -> None:
    cut = event(Happening.LOG_CUT, "its log floods", "embedded")
    assert said(cut, cut) == ["embedded: its log floods"]
