"""How the families of a watch are told: who came in whose place, what still answered, and what is no silent stop."""

from __future__ import annotations

import json

import msgspec
import pytest

from seatrial.records import SECOND, Ask, Clock, LoadRow, Log, Noted, Outcome, Record, Stop, Threads
from seatrial.report.allure import results
from seatrial.report.allure.page import section
from seatrial.report.block import render
from seatrial.report.run import Report
from seatrial.report.words import witness
from seatrial.report.words.plain import Wall
from seatrial.report.words.stops import headline, stop_rows
from tests.report.sample import NAME, T0, WALL0, Trial, at, case, judged_run

WALL = Wall([Clock(t=T0, wall_ns=WALL0, boot_ns=T0, raw_ns=T0)])


def stop(family: str, **more) -> Stop:
    """A stop of the tenth second that the record sufficed for two seconds later."""
    fields = {"alive_at": at(10), "dead_at": at(10.002), "seen_at": at(12.002)} | more
    return Stop(name=NAME, family=family, **fields)


REPLACED = stop(
    "RUNNER REPLACED",
    pid=7,
    incarnation="b1-4-7-100",
    successor="b1-4-9-300",
    signal=9,
    until=at(10.109),
    evidence=("child 7 -> 9 under its parent 3, which lives", "the successor began 0.11 s after the end"),
    alike=("ollama/ollama #9330: a runner ends under a living parent",),
)
STALL = stop("STREAM STALL", streams=3, suspects=("load1-2", "load1-5", "canary-9"), evidence=("load1-2: silent",))
STEPPED = stop("CLOCK STEPPED", step_ns=240 * SECOND)
WEDGED = stop("WEDGED", evidence=("/health: 200", "scheduler silent for 31 s", "GPU: not busy"), pid=7)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            stop("RESTARTED", pid=7, successor="b1-4-9-300", signal=9, until=at(10.111), uptime_s=9),
            "RESTARTED by SIGKILL between 21:00:10.000 and 21:00:10.002 UTC; pid 7, up 9.00 s -> pid 9; gap 109 ms",
        ),
        (REPLACED, "UTC; child 7 -> 9 under its parent 3, which lives; gap 107 ms; back at 21:00:10.109"),
        (
            stop("IMPOSTOR", pid=7, evidence=("the port is owned by x (pid 9); declared was y (pid 7)",)),
            "IMPOSTOR between 21:00:10.000 and 21:00:10.002 UTC; the port is owned by x (pid 9); declared was y",
        ),
        (WEDGED, "UTC; pid 7; /health: 200; scheduler silent for 31 s; not back in the"),
        (STEPPED, "CLOCK STEPPED by +4 min between 21:00:10.000 and 21:00:10.002 UTC"),
        (stop("CLOCK STEPPED", step_ns=-SECOND // 2), "CLOCK STEPPED by -0.5 s "),
        (STALL, "STREAM STALL: 3 streams between"),
        (stop("DEAF", successor="nonsense"), "followed by nonsense"),
        (stop("STOPPED", seen_at=0), "STOPPED, how is not observable between"),
    ],
    ids=lambda value: value.family if isinstance(value, Stop) else "",
)  # fmt: skip
def test_the_headline(told, said):
    assert said in headline(told, WALL, at(40))


def test_what_the_headline_says_is_not_said_again():
    rows = dict(stop_rows(REPLACED, WALL, at(40)))
    assert rows["evidence"] == "the successor began 0.11 s after the end"
    assert rows["detected"] == "2.00 s after the first proof of it"
    assert rows["looks like"].startswith("ollama/ollama #9330")


def test_a_stop_of_an_older_run_has_no_empty_lines():
    rows = dict(stop_rows(stop("STOPPED", seen_at=0), WALL, at(40)))
    assert not {"detected", "looks like", "evidence"} & set(rows)
    assert all(rows.values())


def test_streams_are_told_with_their_ids_and_of_how_many():
    rows = dict(stop_rows(STALL, WALL, at(40), 240))
    assert rows[""].startswith("STREAM STALL: 3 of 240 streams between")
    assert rows["streams"] == "load1-2, load1-5, canary-9"
    assert "last sign of life" not in rows
    assert "more" in dict(stop_rows(stop("EMPTY", streams=99, suspects=tuple("abcdefghijk")), WALL, at(40)))["streams"]


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """A run with a soak, and one that is a watch: the same stops."""

    def made(name: str, cases: list):
        made = Trial(tmp_path_factory.mktemp(name) / "run")
        made.watch(30)
        made.soak(1, 20, 8)
        return judged_run(made.write(), cases, (WEDGED, STALL, STEPPED))

    return made


def test_in_a_suite_run_streams_stand_below_the_stops_and_weigh_nothing(trial):
    judged = trial("suite", [case("sse/done-comes-once-and-last", "plain", Outcome.PASS)])
    text = render(Report(judged).summary, None, width=400)
    lines = text.splitlines()
    stops = [n for n, line in enumerate(lines) if line.startswith("  SILENT STOP   WEDGED")]
    streams = [n for n, line in enumerate(lines) if line.startswith("  STREAMS       STREAM STALL: 3 of 8 streams")]
    assert stops < streams
    assert "silent stops: 1" in text
    assert "notice        CLOCK STEPPED by +4 min between 21:00:10.000 and 21:00:10.002 UTC; restarts 0" in text
    assert text.count("STREAM STALL") == 1
    only = judged_run(judged.run, list(judged.cases), (STALL, STEPPED))
    assert (only.verdict.exit, only.verdict.endpoints[NAME].verdict.value) == (0, "READY")


def test_a_watch_without_suites_is_told_without_cases(trial):
    judged = trial("watch", [])
    report = Report(judged)
    text = render(report.summary, None, width=400)
    assert "PASS" not in text
    assert "suites        none ran: the server was watched, not tested" in text
    assert "  STOP          STREAM STALL" in text
    page = section(report, {})
    assert "WEDGED" in page
    assert "<svg" in page
    assert report.around(WEDGED).count("<svg") == 1


@pytest.mark.parametrize(("tested", "words"), [(True, "STREAMS"), (False, "SILENT_STOP")])
def test_allure_knows_the_families(trial, tmp_path, tested, words):
    cases = [case("sse/done-comes-once-and-last", "plain", Outcome.PASS)] if tested else []
    results.write(Report(trial(f"allure{tested}", cases)), tmp_path / "results")
    found = {}
    for path in (tmp_path / "results").glob("*-result.json"):
        result = json.loads(path.read_text())
        found[result["fullName"].partition("@")[0]] = result
    assert found["stop/WEDGED"]["statusDetails"]["message"].startswith("SILENT_STOP: WEDGED")
    assert found["stop/STREAM STALL"]["statusDetails"]["message"].startswith(f"{words}: STREAM STALL")
    assert found["stop/STREAM STALL"]["status"] == ("passed" if tested else "failed")
    assert (found["stop/CLOCK STEPPED"]["status"], found["stop/WEDGED"]["status"]) == ("passed", "failed")


def test_log_and_threads_are_those_read_around_the_stop():
    lines = [
        Log(name=NAME, file="a.log", at=at(11), text=("last words\x1b[2J",), note="rotated"),
        Log(name=NAME, file="a.log", at=at(200), text=("much later",)),
        Log(name="other", file="b.log", at=at(11), text=("another's",)),
        Threads(t=at(2), name=NAME, pid=7, incarnation="i", threads=((7, "main", "S", 1, "futex"),)),
        Threads(t=at(11), name=NAME, pid=7, incarnation="i", threads=((7, "main\x1b", "R", None, ""),), total=80),
    ]
    assert witness.log(WEDGED, lines) == "a.log (rotated):\n  last words\\x1b[2J"
    told = witness.threads(WEDGED, lines)
    assert told.splitlines()[0] == "pid 7: 80 threads, 1 of them read, +1.00 s from the first proof"
    assert "CPU not readable" in told
    assert "\x1b" not in told
    assert witness.threads(WEDGED, []) == ""
    assert witness.log(WEDGED, []) == "no log of this server is open to us"


def test_a_note_is_told_by_its_own_clock():
    wall = Wall([Noted(name="a", at=0, what="stopped", value=0.0)])
    told = Stop(name="a", family="STOPPED", alive_at=600 * SECOND, dead_at=7260 * SECOND, until=7320 * SECOND)
    assert headline(told, wall, 0).endswith("between 00:10 and 02:01 by the note's clock; back at 02:02, as noted")
    assert "not noted" in dict(stop_rows(told, wall, 0))["last sign of life"]


def test_canaries_count_as_streams(trial):
    judged = trial("canaries", [])
    asks = tuple(
        Ask(t=at(n), name=NAME, rung="canary", id=f"canary-{n // 2}", asked_at=at(n), ended_at=at(n)) for n in range(4)
    )
    more = type(judged)(**{**vars(judged), "lines": Record((*judged.lines, *asks))})
    rows = sum(isinstance(line, LoadRow) for line in judged.lines)
    assert f"3 of {rows + 2} streams" in render(Report(more).summary, None, width=400)
    assert msgspec.json.encode(more.verdict)
