"""Sources of evidence are found by walking, opened where a target has them, and fail aloud and alone."""

from __future__ import annotations

import os

from seatrial.monitor.sources import log, opening, pace
from seatrial.monitor.sources.source import Place, Source
from seatrial.records import Event, Happening, Log
from seatrial.records.targets import Watch
from seatrial.wire.masking.mask import Mask

DEADLINE_S = 10


def place(**command) -> Place:
    return Place(Watch(name="a", **command), Mask(), os.eventfd(0, os.EFD_NONBLOCK))


def test_each_module_of_a_source_is_found_and_each_opens_where_it_belongs(tmp_path):
    assert {log.open_source, pace.open_source} <= set(opening.found())
    assert opening.opened(place()) == ()
    sources = opening.opened(place(log=str(tmp_path / "log")))
    assert {type(source) for source in sources} == {log.Tail, pace.Pacer}
    for source in sources:
        source.close()


class Counting(Source):
    """A source that counts how often it was looked at."""

    looks = 0

    def begin(self) -> str:
        return "nothing is there yet"

    def moved(self) -> bool:
        return self.looks < 2

    def look(self, at: int) -> None:
        self.looks += 1
        self.put(Log(name="a", file=str(self.looks), at=at))

    def end(self) -> None:
        self.looks = -1


def test_a_source_tells_what_keeps_it_and_looks_once_more_where_it_may_be_late():
    wake = os.eventfd(0, os.EFD_NONBLOCK)
    source = Counting("counter", "a", wake)
    source.read(7, late=True)
    source.settle(DEADLINE_S)
    trouble, first, second = source.take()
    assert isinstance(trouble, Event)
    assert (trouble.what, trouble.text) == (Happening.TROUBLE, "counter: nothing is there yet")
    assert [(line.file, line.at == 7) for line in (first, second) if isinstance(line, Log)] == [
        ("1", True),
        ("2", False),
    ]
    assert os.eventfd_read(wake) == 3
    source.read(8, late=True)
    source.settle(DEADLINE_S)
    assert len(source.take()) == 1
    source.close()
