"""What is told of a fold, and how often; and its exit status, the same live and judged."""

import signal

import pytest

from seatrial.records import GAPS, NO_STOP, NOTICES, STREAMS, Clock, Event, Probe, Ready, Sample, Stop
from seatrial.stops.state.limits import Limits
from seatrial.verdict import watched
from seatrial.watching.findings import Findings

S = 1_000_000_000


class Record:
    """Lines of a recorder, one second after the other."""

    def __init__(self, *names):
        self.findings = Findings(names, Limits())
        self.told = []
        self.now = 0

    def take(self, line):
        self.told += [(kind, told.stop.family, told.stop.until) for kind, told in self.findings.take(line)]

    def second(self, state="S", *, lives=True, wall=0):
        self.now += S
        self.take(Clock(w="recorder", t=self.now, wall_ns=10**18 + self.now + wall, boot_ns=self.now, raw_ns=self.now))
        if lives:
            self.take(Sample(name="a", t=self.now, pid=7, incarnation="i", state=state, cpu_ns=self.now // 10,
                             switches=self.now))  # fmt: skip
            answers = {"health": 200, "health_ns": 1} if state == "S" else {"error": "not asked"}
            self.take(Probe(name="a", t=self.now, listens=True, inode=1, owner=7, **answers))

    def found(self):
        self.take(Event(what="found", name="a", at=self.now, t=self.now, pid=7, incarnation="i", started_ticks=1))
        return self


@pytest.fixture
def record():
    return Record("a").found()


def test_a_quiet_watch_tells_nothing(record):
    for _ in range(20):
        record.second()
    assert record.told == []
    assert record.findings.finish() == []
    assert record.findings.code() == 0


def test_a_frozen_one_is_told_once_and_once_more_when_it_is_over(record):
    for state in "S" * 3 + "T" * 12 + "S" * 6:
        record.second(state)
    assert [(kind, family) for kind, family, _ in record.told] == [("stop", "FROZEN"), ("over", "FROZEN")]
    assert (record.told[0][2], record.told[1][2] is not None) == (None, True)
    assert record.findings.finish() == []
    assert record.findings.code() == 1


def test_a_frozen_one_that_then_dies_is_told_as_what_it_has_become(record):
    for state in "SSS" + "TTTTT":
        record.second(state)
    record.second("T")
    record.take(Event(what="exit", name="a", at=record.now, t=record.now, pid=7, incarnation="i", source="zombie",
                      status=int(signal.SIGKILL), signalled_at=record.now))  # fmt: skip
    for _ in range(6):
        record.second(lives=False)
    assert [(kind, family) for kind, family, _ in record.told] == [("stop", "FROZEN"), ("stop", "STOPPED")]
    assert record.findings.finish() == []
    assert [stop.signal for stop in record.findings.told.values()] == [9]


def test_a_stepped_clock_is_a_notice_and_no_stop(record):
    for _ in range(4):
        record.second()
    for _ in range(6):
        record.second(wall=240 * S)
    found = [told.stop for _, told in record.findings.finish()] + list(record.findings.told.values())
    assert {stop.family for stop in found} == {"CLOCK STEPPED"}
    assert record.findings.code() == 0


def test_a_gap_is_unobserved_and_a_stop_outweighs_it():
    record = Record("a", "b").found()
    for _ in range(4):
        record.second()
    record.now += 10 * S
    for _ in range(5):
        record.second()
    record.findings.finish()
    assert {stop.family for stop in record.findings.told.values()} == {"UNOBSERVED"}
    assert record.findings.code() == 10


def a(family, **more):
    return Stop(name="a", family=family, alive_at=1, dead_at=2, **more)


@pytest.mark.parametrize(
    ("stops", "seen", "word"),
    [
        ([], True, Ready.READY),
        ([], False, Ready.NOT_PROVEN),
        ([a("CLOCK STEPPED")], True, Ready.READY),
        ([a("LOG STORM")], True, Ready.READY),
        ([a("STOPPED", planned=True)], True, Ready.READY),
        ([a("UNOBSERVED")], True, Ready.NOT_PROVEN),
        ([a("UNOBSERVED"), a("DEAF")], True, Ready.NOT_READY),
        ([a("UNOBSERVED"), a("DEAF")], False, Ready.NOT_READY),
        *(([a(family)], True, Ready.NOT_READY) for family in sorted(STREAMS)),
    ],
)
def test_the_word_of_a_watch(stops, seen, word):
    assert watched.word(stops, seen=seen) is word


def test_what_is_no_stop_weighs_none():
    assert {"UNOBSERVED"} == GAPS
    assert {"CLOCK STEPPED", "LOG STORM", "OTHER BUILD"} == NOTICES
    assert {watched.weight(a(family)) for family in GAPS} == {"unobserved"}
    assert {watched.weight(a(family)) for family in NOTICES} == {"notice"}
    assert GAPS | NOTICES == NO_STOP
