"""What other programs get of a watch: the file of its state, and the command that is run at a stop."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import sys
import threading
import time

import pytest

from seatrial.given.access import Access
from seatrial.given.errors import ConfigError
from seatrial.records import SECOND, Clock, Probe, Stop
from seatrial.report.words.plain import Wall
from seatrial.stops import fold
from seatrial.stops.fold import Limits
from seatrial.watching import hook, settings, status
from seatrial.watching.findings import Findings
from seatrial.watching.hook import Hook
from seatrial.watching.status import StatusFile
from seatrial.watching.telling import ToTell
from seatrial.watching.view import TargetView, View
from tests.waiting import until
from tests.watch.watching import lives

KEY = "sk-0123456789-secret"
STOP = Stop(
    id="a-1", name="a", family="STOPPED", alive_at=SECOND, dead_at=2 * SECOND, seen_at=3 * SECOND, signal=9, pid=7,
    cause="SIGKILL \x1b[2J from outside",
)  # fmt: skip


def told(stop=STOP):
    return ToTell(stop, Wall([]), stop.seen_at)


# the command


def run(tmp_path, code, *, access=None, stops=1, patience_s=20.0):
    """What a hook of Python code left in its file, and what was told of it."""
    script = tmp_path / "hook.py"
    script.write_text(f"import json, os, sys, time\nPATH = {str(tmp_path / 'left')!r}\n{code}")
    made = Hook((sys.executable, str(script)), access or Access())
    for _ in range(stops):
        made.stop(told())
    made.close(patience_s=patience_s)
    left = tmp_path / "left"
    return left.read_text() if left.exists() else "", list(made.troubles())


TELLS = "open(PATH, 'a').write(json.dumps([dict(os.environ), json.load(sys.stdin)]) + '\\n')"


def test_it_gets_facts_and_the_whole_stop_and_nothing_is_said_where_all_is_well(tmp_path):
    left, troubles = run(tmp_path, TELLS)
    env, stop = json.loads(left)
    assert (env["SEATRIAL_NAME"], env["SEATRIAL_VERDICT"], env["SEATRIAL_SIGNAL"]) == ("a", "STOPPED", "SIGKILL")
    assert (env["SEATRIAL_PID"], env["SEATRIAL_CODE"], stop["id"], stop["kind"]) == ("7", "", "a-1", "stop")
    assert "\x1b" not in env["SEATRIAL_CAUSE"] + env["SEATRIAL_TEXT"]
    assert troubles == []


def test_it_never_gets_the_key(tmp_path, monkeypatch):
    monkeypatch.setenv("A_KEY", KEY)
    monkeypatch.setenv("ANOTHER", f"Bearer {KEY}")
    left, troubles = run(tmp_path, TELLS + f"\nprint({KEY!r}); sys.exit(3)", access=Access(key_env="A_KEY"))
    assert KEY not in left + str(troubles)
    assert troubles[0].startswith(f"--on-stop: {sys.executable} ended with 3: ")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("sys.exit(2)", "ended with 2"),
        ("print('no mail'); sys.exit(1)", "ended with 1: no mail"),
        ("os.kill(os.getpid(), 15)", "was ended by SIGTERM"),
        ("sys.stdin.close(); print('x' * 5_000_000); sys.exit(1)", "ended with 1: xxx"),
    ],
)
def test_its_failure_is_told(tmp_path, code, said):
    _, troubles = run(tmp_path, code)
    assert said in troubles[0]
    assert len(troubles[0]) < 400


def test_it_is_killed_with_all_that_it_started_when_its_time_is_over(tmp_path, monkeypatch):
    monkeypatch.setattr(hook, "SECONDS", 1.0)
    code = "child = os.fork()\nif child: open(PATH, 'w').write(str(child))\ntime.sleep(60)"
    left, troubles = run(tmp_path, code)
    assert "was killed: it took longer than 1 s" in troubles[0]
    until(lambda: not lives(int(left)), "its child is gone too")


def test_nothing_is_left_of_one_that_runs_when_the_watch_ends(tmp_path):
    code = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid())); __import__('time').sleep(60)"
    made = Hook((sys.executable, "-c", code), Access())
    made.stop(told())
    pid = until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "it runs")
    made.close(patience_s=0)
    until(lambda: not lives(int(pid)), "it is gone")


def test_a_command_that_went_away_is_told_and_the_next_stop_is_taken(tmp_path):
    made = Hook((str(tmp_path / "gone"),), Access())
    made.stop(told())
    made.stop(told())
    made.close()
    assert [text.partition("gone ")[2] for text in made.troubles()] == ["cannot be run: No such file or directory"] * 2


@pytest.mark.parametrize("code", ["", "if not os.fork(): time.sleep(60)", "time.sleep(60)"])
def test_a_number_that_it_gave_up_is_never_killed(tmp_path, monkeypatch, code):
    monkeypatch.setattr(hook, "SECONDS", 3.0)
    killed, kill = [], os.killpg
    monkeypatch.setattr(hook.os, "killpg", lambda pid, number: (killed.append(pid), kill(pid, number)))
    left, _ = run(tmp_path, "open(PATH, 'a').write(f'{os.getpid()} ')\n" + code)
    assert killed == ([int(left)] if code.startswith("time") else [])
    with contextlib.suppress(ProcessLookupError):
        kill(int(left), signal.SIGKILL)


def test_its_last_words_are_waited_for_a_moment(tmp_path, monkeypatch):
    drain = hook._drain
    monkeypatch.setattr(hook, "_drain", lambda *args: (threading.Event().wait(0.3), drain(*args)))
    _, troubles = run(tmp_path, "print('no mail'); sys.exit(1)")
    assert troubles[0].endswith("ended with 1: no mail")


def test_one_whose_child_prints_on_and_on_is_told_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(hook, "LAST_WORDS_S", 0.2)
    code = (
        "if os.fork():\n    open(PATH, 'w').write(str(os.getpid())); os._exit(1)\n"
        "end = time.time() + 10\nwhile time.time() < end: os.write(1, b'x' * 4000)"
    )
    left, troubles = run(tmp_path, code)
    os.killpg(int(left), signal.SIGKILL)
    assert "ended with 1: xxx" in troubles[0]


def test_what_fails_for_one_stop_is_said_and_the_next_one_is_taken(tmp_path, monkeypatch):
    lines, line = [RuntimeError("strange")], hook.line_of

    def once(*args, **more):
        if lines:
            raise lines.pop()
        return line(*args, **more)

    monkeypatch.setattr(hook, "line_of", once)
    left, troubles = run(tmp_path, TELLS, stops=2)
    assert left.count("\n") == 1
    assert [text.rpartition("hook.py ")[2].rpartition(" cannot")[2] for text in troubles] == [" be run: RuntimeError"]


def test_a_crash_loop_is_no_queue_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(hook, "SECONDS", 0.5)
    _, troubles = run(tmp_path, "time.sleep(60)", stops=3 * hook.PENDING, patience_s=0.1)
    assert "more than 64 wait for it" in str(troubles), "beside what became of those that ran meanwhile"


# the state


def watched(*lines, **more):
    """The view and the findings after some lines."""
    view, found = View([TargetView("a"), TargetView("b", job=True)]), Findings(("a", "b"), Limits())
    for line in lines:
        view.take(line)
        found.take(line)
    return view, found, settings.WatchSettings(endpoints={"a": "http://x/v1"}, pids={"b": 7}, **more)


def beat(at):
    return Clock(w="recorder", t=at, wall_ns=at, boot_ns=at, raw_ns=at)


def test_the_state_is_there_from_the_first_and_holds_the_exit_status_at_the_end(tmp_path):
    now = time.monotonic_ns()
    view, found, given = watched(Probe(w="recorder", t=now, name="a", listens=True, health=200), beat(now))
    file = StatusFile(tmp_path / "s.json", given)
    assert file.write(view, found) == ""
    state = json.loads((tmp_path / "s.json").read_text())
    assert (state["running"], state["observing"], state["exit"], state["quiet"]) == (True, True, None, False)
    a, b = state["targets"]
    assert (a["name"], a["up"], a["health"], a["engine_observed"], a["stops"]) == ("a", True, 200, True, {})
    assert (b["up"], b["health"], b["engine_observed"], b["last_stop"]) == (None, None, None, None)
    assert file.write(view, found, 0) == ""
    state = json.loads((tmp_path / "s.json").read_text())
    assert (state["running"], state["observing"], state["exit"]) == (False, False, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_a_recorder_that_is_silent_is_not_observing():
    view, found, given = watched(beat(time.monotonic_ns() - 6 * SECOND))
    assert StatusFile(settings.Path("/x"), given).state(view, found)["observing"] is False


def test_prometheus_text_holds_what_is_known_and_each_name_once(tmp_path):
    now = time.monotonic_ns()
    view, found, given = watched(Probe(w="recorder", t=now, name="a", listens=True, health=503), beat(now))
    found.told["a-1"] = STOP
    view.targets["a"].stops["a-1"] = STOP
    StatusFile(tmp_path / "s.prom", given).write(view, found)
    lines = (tmp_path / "s.prom").read_text().splitlines()
    for line in (
        "seatrial_watch_running 1",
        'seatrial_target_up{target="a"} 0',
        'seatrial_target_health_status{target="a"} 503',
        'seatrial_target_stopped{target="a",verdict="STOPPED"} 1',
        'seatrial_target_stops_total{target="a",verdict="STOPPED"} 1',
        "# TYPE seatrial_target_stops_total counter",
    ):
        assert lines.count(line) == 1
    assert not [line for line in lines if 'target="b"' in line], "nothing is known of it"
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert sorted(names) == sorted(set(names))
    assert set(names) <= set(status.HELP)


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    view, found, given = watched()
    folder = tmp_path / "gone"
    said = StatusFile(folder / "s.json", given).write(view, found)
    assert said == f"--status={folder / 's.json'} cannot be written: No such file or directory"


# a quiet time


@pytest.mark.parametrize(
    ("dead", "over", "last", "planned"),
    [(5, 8, 20, True), (5, None, 9, True), (5, None, 11, False), (5, 11, 20, False), (11, 12, 20, False)],
)
def test_only_what_happens_and_is_over_in_the_quiet_time_is_planned(dead, over, last, planned):
    stop = Stop(id="a-1", name="a", family="STOPPED", alive_at=1, dead_at=dead, seen_at=dead, until=over)
    state = fold.State(limits=Limits(quiet_until=10), last=last)
    assert fold.in_quiet(stop, state).planned is planned
    assert not fold.in_quiet(stop, fold.State(limits=Limits(), last=last)).planned


@pytest.mark.parametrize(("text", "seconds"), [("45m", 2700), ("90s", 90), ("8h", 28800)])
def test_a_duration_from_now(text, seconds):
    before = time.monotonic_ns()
    until = settings.quiet_until(text)
    assert before <= until - seconds * SECOND <= time.monotonic_ns()


def test_a_time_of_day_and_a_date():
    now = datetime.datetime.now().astimezone()
    soon = (now + datetime.timedelta(minutes=5)).replace(second=0, microsecond=0)
    for text in (soon.strftime("%H:%M"), soon.isoformat(), soon.replace(tzinfo=None).isoformat()):
        left = (settings.quiet_until(text) - time.monotonic_ns()) / SECOND
        assert 200 < left <= 300
    passed = (now - datetime.timedelta(minutes=5)).strftime("%H:%M")
    assert (settings.quiet_until(passed) - time.monotonic_ns()) / SECOND > 80_000, "it is tomorrow's"
    assert settings.quiet_until(None) == 0


@pytest.mark.parametrize(
    "text",
    ["", "soon", "25:00", "14", "1430", "14:30+02:00", "2020-01-01T00:00", "2999-01-01T00:00", "9999h", "0s", "-5m",
     "14:30\x1b[2J", "1" * 5000],
)  # fmt: skip
def test_what_is_no_time_is_one_line(text):
    with pytest.raises(ConfigError) as error:
        settings.quiet_until(text)
    assert str(error.value).startswith("--quiet-until")
    assert str(error.value).isprintable()


def test_a_command_is_words_and_no_shell(tmp_path):
    assert settings.command("--on-stop", "sh -c 'echo \"$SEATRIAL_NAME\"'") == ("sh", "-c", 'echo "$SEATRIAL_NAME"')
    for text, why in (("sh -c 'x", "not closed"), ("  ", "no command"), ("no-such-program x", "no such command")):
        with pytest.raises(ConfigError, match=why):
            settings.command("--on-stop", text)
    assert settings.command("--on-stop", None) == ()


def test_a_file_of_the_state_must_be_one_that_can_be_made(tmp_path):
    assert settings.status(str(tmp_path / "s")) == tmp_path / "s"
    for text, why in (
        (str(tmp_path), "is a folder"),
        (str(tmp_path / "x" / "s"), "there is no folder"),
        ("a\x1b", "cannot be shown"),
    ):
        with pytest.raises(ConfigError, match=why):
            settings.status(text)
