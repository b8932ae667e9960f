"""What a run directory knows of a stop beside the fold: the log of a server of ours, and what kills again."""

from __future__ import annotations

import pytest

from seatrial.judging.suspects import explained
from seatrial.records import Event, Record, RunInfo, Sent, Stop
from seatrial.run.directory import RunDir

STOP = Stop(name="embedded", family="STOPPED", alive_at=1, dead_at=2, pid=7, signal=6, suspects=("main-1",),
            cause="UNKNOWN: SIGABRT of its own making or sent to it", log=())  # fmt: skip
LINES = [
    Event(what="start", name="embedded", at=1, pid=7, generation=2),
    Sent(w="main", n=1, endpoint="embedded", scenario="deep", method="POST", path="/", generation=2),
]


@pytest.fixture
def run(tmp_path):
    info = RunInfo(id="r", started="2026-01-01T00:00:00Z", started_ns=1, boot_id="b", arguments=(), versions={}, seed=0)
    run = RunDir.create(tmp_path / "run", info)
    (run.path / "server" / "embedded-2.log").write_text("loaded\n\nGGML_ASSERT(depth < 64) failed\nAborted\n")
    return run


def test_an_abort_and_its_last_words_name_the_cause(run):
    (stop,) = explained([STOP], Record(LINES), run)
    assert stop.cause == "aborted itself: GGML_ASSERT(depth < 64) failed"
    assert stop.log == ("loaded", "GGML_ASSERT(depth < 64) failed", "Aborted")
    assert stop.sent == {"main-1": "deep"}


@pytest.mark.parametrize("signal", [9, 11, None])
def test_the_same_words_name_nothing_of_another_end(run, signal):
    other = Stop(name="embedded", family="STOPPED", alive_at=1, dead_at=2, pid=7, signal=signal, cause="UNKNOWN: x")
    assert explained([other], Record(LINES), run)[0].cause == "UNKNOWN: x"


def test_what_kills_again_is_the_cause_whatever_the_log_says(run):
    again = Event(what="repeated", name="embedded", at=3, generation=2, text="main-1",
                  facts={"kills": "yes", "scenario": "deep"})  # fmt: skip
    (stop,) = explained([STOP], Record([*LINES, again]), run)
    assert stop.cause == "request main-1 (deep): sent again alone, it kills again"


def test_a_log_read_at_the_stop_is_kept(run):
    read = Stop(name="embedded", family="STOPPED", alive_at=1, dead_at=2, pid=7, log=("slot 0: released",))
    assert explained([read], Record(LINES), run)[0].log == ("slot 0: released",)
