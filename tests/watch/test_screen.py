"""The screen of a watch, from lines as a recorder writes them; and a stop as one JSON object."""

import io
import json

import pytest
from rich.console import Console

from seatrial.records import Ask, Clock, Event, Gpu, Probe, Sample, Stop
from seatrial.report.words.plain import Wall
from seatrial.watching.lines import line_of
from seatrial.watching.screen import draw, ended_words
from seatrial.watching.view import TargetView, View

S = 1_000_000_000
BOOT = 500 * S  # the machine had slept for so long: up time counts it
START = 34679


def clock(t):
    return Clock(w="recorder", t=t, wall_ns=1_700_000_000 * S + t, boot_ns=t + BOOT, raw_ns=t)


def sample(t, cpu_s, pid=START, **more):
    return Sample(name="11436", t=t, pid=pid, incarnation=f"i-{pid}", state="S", cpu_ns=int(cpu_s * S), **more)


@pytest.fixture
def view():
    return View([TargetView("11436"), TargetView("8080"), TargetView("job", job=True)])


def shown(view, width=200):
    console = Console(file=io.StringIO(), width=width, record=True, force_terminal=True)
    console.print(draw(view, Wall([clock(1000 * S)]), judged_by="seatrial judge latest"))
    return console.export_text()


def lines():
    now = 1000 * S
    ticks = (now + BOOT) // (S // 100) - 100 * 1000  # started 1000 s ago by the boot clock
    yield Event(what="found", name="11436", at=now, t=now, pid=START, incarnation=f"i-{START}", started_ticks=ticks)
    yield sample(now - S, 359.88, memory=17 * 10**9)
    yield sample(now, 360.0, memory=17_200_000_000)
    yield Probe(name="11436", t=now, listens=True, inode=1, owner=START, health=200, health_ns=1_200_000)
    yield Ask(name="11436", t=now, rung="scheduler", id="s-1", asked_at=now - 3_000_000, ended_at=now, status=200,
              outcome="ok")  # fmt: skip
    yield Ask(name="11436", t=now, rung="canary", id="c-1", asked_at=now - 10 * S - 210_000_000, ended_at=now - 10 * S,
              status=200, outcome="ok", right=True)  # fmt: skip
    yield Gpu(index=0, uuid="u", t=now, busy=44, memory=2 * 10**10, processes={str(START): 17_900_000_000, "1": 5})
    yield clock(now)


def test_a_living_server_with_each_figure_and_the_time_it_is_of(view):
    for line in lines():
        view.take(line)
    first, second = shown(view).splitlines()[:2]
    assert first.split()[:2] == ["11436", "lives"]
    assert "up 16 min 40 s   pid 34679   socket ok   health 1 ms   scheduler 3 ms   canary 0.21 s, 10 s ago" in first
    assert "CPU 12 % of one core in the last 1.0 s (36 % since its start)   17.2 GB" in second
    assert "GPU 0: busy 44 % of its driver's last sample period, 17.9 GB ours" in second


def test_what_cannot_be_had_says_why_and_is_never_zero(view):
    view.take(Event(what="found", name="11436", at=1, t=999 * S, pid=START, incarnation="i"))
    view.take(Sample(name="11436", t=1000 * S, pid=START, incarnation="i"))
    view.take(Event(what="trouble", name="gpu", at=1, t=1, text="no GPU on this host: the driver lists none"))
    view.take(Probe(name="8080", t=1000 * S, error="deadline", why="process and socket unobservable: not on this host"))
    view.take(clock(1000 * S))
    text = shown(view)
    assert "CPU not read yet   memory not readable   no GPU on this host" in text
    assert "health: deadline" in text
    assert "process and socket unobservable: not on this host" in text
    assert " 0 %" not in text
    assert " 0 B" not in text


def test_a_stop_stands_in_its_row_and_below(view):
    stop = Stop(id="8080-1", name="8080", family="STOPPED", alive_at=999 * S, dead_at=1000 * S, kind="signal", signal=9,
                pid=36439)  # fmt: skip
    view.targets["8080"].stops[stop.id] = stop
    view.take(clock(1001 * S))
    rows = shown(view).splitlines()
    assert rows[1].split()[:2] == ["8080", "STOPPED"]
    assert "SIGKILL, pid 36439  (seatrial judge latest)" in rows[1]
    assert rows[-1].startswith("8080  STOPPED by SIGKILL between ")


def test_a_job_that_has_ended_says_how(view):
    view.take(Event(what="start", name="job", at=1, t=1, pid=7))
    view.take(Event(what="exit", name="job", at=1000 * S, t=1000 * S, pid=7, status=0, source="waitid"))
    assert "exit status 0, pid 7" in shown(view)
    assert (ended_words(9), ended_words(0x86), ended_words(768)) == ("SIGKILL", "SIGABRT", "exit status 3")
    assert ended_words(None) == "how is not observable"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_row_is_lost_in_a_narrow_terminal(view, width):
    for line in lines():
        view.take(line)
    text = shown(view, width)
    for word in ("11436", "lives", "8080", "job", "17.9", "GB"):
        assert word in text
    assert max(map(len, text.splitlines())) <= width


def test_a_stop_as_json_holds_no_escape_and_null_for_what_is_not_known():
    stop = Stop(id="a-1", name="a", family="RESTARTED", alive_at=2 * S, dead_at=3 * S, until=5 * S, successor="i-2",
                code=3, log=("\x1b]0;owned\x07 \u202e \ud800",), evidence=("exit\x9b31m",))  # fmt: skip
    raw = line_of("stop", stop, Wall([clock(0)]), back_at=3 * S + 109_000_000)
    assert raw.endswith(b"\n")
    assert raw.count(b"\n") == 1
    found = json.loads(raw)
    assert found["log"] == ["\\x1b]0;owned\\x07 \\u202e \\ud800"]
    assert found["evidence"] == ["exit\\x9b31m"]
    assert (found["gap_ms"], found["length_s"], found["interval"]["ms"]) == (109.0, 2.0, 1000.0)
    assert found["signal"] is None
    assert found["pid"] is None
    assert found["interval"]["dead_utc"] == "22:13:23.000"
