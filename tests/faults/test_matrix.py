"""A short part of the matrix: each row that needs no real server once; and that its own judgement can fail."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest

from seatrial.records import Family, Stop
from seatrial.stops.state.families import OF_A_CHILD
from tests.ending import ending
from tests.faults import faults_living, simulated, twins
from tests.faults.ablation import compare
from tests.faults.processes import Golden, Process, TrialError, until
from tests.faults.runner import FAULTS, ROWS, run_all, run_trial
from tests.faults.table import Matrix
from tests.faults.verdict import account

pytestmark = pytest.mark.early

WANTED = {"F01", "F02", "F03", "F04", "F06", "F07", "F08", "F09", "F10", "F11", "F12", "F13", "F14", "F15", "F16",
          "F22", "F24", "F26", "F27"}  # fmt: skip
TWINS = {"F23", "F29", "F30", "F31", "F32", "SLOW", "BLIND"}
AT_ONCE = 6
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    """Every row once, several at a time."""
    rows = [row for row in (*FAULTS, *twins.ROWS) if not row.only]
    jobs = [(row, 1, None) for row in sorted(rows, key=lambda row: -row.ticks)]
    return {a.row: a for a in run_all(jobs, tmp_path_factory.mktemp("matrix"), AT_ONCE)}


@pytest.mark.parametrize("name", [row.id for row in (*FAULTS, *twins.ROWS) if not row.only])
def test_each_row_is_told_as_it_was(accounts, name):
    found = accounts[name]
    assert not found.trouble
    assert found.detected, found.missed
    assert found.wrong == ()
    assert found.alarms == ()
    assert [f"{k}: {v}" for k, v in found.ablated.items() if v.startswith("WRONG")] == []


def test_what_does_not_come_to_its_strike_is_set_up_once_more_and_no_more(tmp_path):
    tried = []

    def setup(trial):
        tried.append(trial)
        raise TrialError(f"setup {len(tried)}")

    def strike(trial):
        raise TrialError("the strike")

    found = run_trial(replace(ROWS["F01"], setup=setup), 1, tmp_path / "a")
    assert (len(tried), found.again, found.trouble, found.detected) == (2, "setup 1", "setup 2", False)
    found = run_trial(replace(ROWS["F01"], strike=strike), 1, tmp_path / "b")
    assert (found.again, found.trouble) == ("", "the strike")


def test_the_matrix_holds_every_row_that_was_asked_for():
    assert {row.id for row in FAULTS} >= WANTED
    assert {row.id for row in twins.ROWS} >= TWINS
    assert all(row.twin for row in twins.CONTROLS)


def test_every_family_has_its_fault():
    """One that is struck, or a twin that must be told of."""
    struck = {expected.family for row in FAULTS for expected in row.expected}
    assert struck | {row.must_notice for row in twins.ROWS} - {None} == set(get_args(Family))


def test_no_two_rows_bear_one_name():
    rows = [row.id for row in (*FAULTS, *twins.ROWS, *twins.CONTROLS)]
    assert len(ROWS) == len(rows)
    assert len({row.id for row, *_ in simulated.ROWS}) == len(simulated.ROWS)


def test_hundreds_of_phases_on_a_simulated_clock():
    for found in simulated.run(4, seed=1):
        assert found.detected, found
        assert found.wrong == found.alarms == (), found


def _stop(**fields) -> Stop:
    given = {"name": "a", "family": "STOPPED", "alive_at": 90, "dead_at": 110, "kind": "signal", "signal": 9}
    return Stop(**{**given, **fields})


@pytest.mark.parametrize(("told", "missed", "wrong"), [
    ([_stop()], 0, 0),
    ([], 1, 0),
    ([_stop(name="b")], 1, 1),
    ([_stop(signal=15)], 1, 1),
    ([_stop(kind="unknown", signal=None)], 1, 0),
    ([_stop(cause="the kernel's OOM killer, in the server's cgroup")], 0, 1),
    ([_stop(), _stop(family="WEDGED", kind="", signal=None)], 0, 1),
    ([_stop(), _stop(planned=True, family="DEAF")], 0, 0),
])  # fmt: skip
def test_what_is_wrong_is_called_wrong(told, missed, wrong):
    found = account(ROWS["F01"], 1, told, 100)
    assert (len(found.missed), len(found.wrong)) == (missed, wrong)
    assert found.detected is not missed


@pytest.mark.parametrize(("told", "detected", "wrong"), [
    ([_stop(family="RESTARTED", restarts=5)], True, 0),
    ([_stop(family="RESTARTED")], False, 0),
    ([_stop(family="RESTARTED", restarts=5), _stop(family="RESTARTED")], True, 1),
])  # fmt: skip
def test_a_crash_loop_is_one_story_with_all_its_lives(told, detected, wrong):
    found = account(ROWS["LOOP"], 1, told, 100)
    assert (found.detected, len(found.wrong)) == (detected, wrong)


def test_a_stop_in_a_twin_is_a_false_alarm():
    assert account(ROWS["F30"], 1, [_stop()], 100).alarms
    assert account(ROWS["BLIND"], 1, [], 100).missed
    assert not account(ROWS["BLIND"], 1, [_stop(family="UNOBSERVED", kind="", signal=None)], 100).alarms


@pytest.mark.parametrize(("less", "word"), [
    ([_stop()], "same"),
    ([], "weaker"),
    ([_stop(kind="unknown", signal=None)], "weaker"),
    ([_stop(signal=15)], "WRONG"),
    ([_stop(cause="the gateway")], "WRONG"),
    ([_stop(family="DEAF", kind="", signal=None)], "WRONG"),
    ([_stop(), _stop()], "WRONG"),
    ([_stop(family="UNOBSERVED", kind="", signal=None, cause="nobody looked")], "weaker"),
    ([_stop(name="b", family="UNOBSERVED", kind="", signal=None, cause="nobody looked")], "WRONG"),
])  # fmt: skip
def test_a_removed_source_may_weaken_and_never_change(less, word):
    assert compare([_stop()], less).startswith(word)


@pytest.mark.parametrize(("rung", "word"), [(OF_A_CHILD, "weaker"), ("the process", "WRONG")])
def test_the_end_of_a_child_alone_may_be_told_as_an_engine_that_gives_no_token(rung, word):
    assert compare([_stop(rung=rung)], [_stop(family="WEDGED", kind="", signal=None)]).startswith(word)


def test_the_table_holds_only_if_all_does(accounts):
    from tests.faults.__main__ import options

    whole = [ROWS[name] for name in accounts]
    matrix = Matrix(whole, list(accounts.values()), {}, [], options([]), 1.0)
    assert matrix.holds
    assert "| F01 | SIGKILL | 1 | 1 of 1 |" in matrix.markdown()
    assert not Matrix(whole, [account(ROWS["F01"], 1, [], 100)], {}, [], options([]), 1.0).holds
    assert not Matrix([], [], {}, [], options([]), 1.0).holds


def test_a_trial_leaves_nothing_behind(tmp_path):
    """Also where its thread ends without a word: the kernel ends what it had started."""
    started: list[Process] = []

    def begin() -> None:
        started.append(Golden(tmp_path, random.Random(1)))

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    assert started[0].process.wait(10) == -signal.SIGKILL
    started[0].close()


def test_a_trial_that_recycles_nobody_is_none(monkeypatch):
    monkeypatch.setattr(faults_living, "until", lambda what, text: until(what, text, 0.05))
    nobody = SimpleNamespace(watch=SimpleNamespace(lines=list), server=SimpleNamespace(workers=[4, 5]), facts={})
    with pytest.raises(TrialError, match="the watch knows a worker"):
        faults_living.recycle(nobody)


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    """Neither processes nor scratch, also where it was started with SIGINT ignored."""
    ignoring = 'trap "" INT; exec "$0" -m tests.faults --rows=C-talking --times=2 --real=0 --keep="$1"'
    process = subprocess.Popen(["sh", "-c", ignoring, sys.executable, tmp_path], cwd=REPOSITORY,
                               stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)  # fmt: skip
    with ending(process):
        until(lambda: len(_about(tmp_path)) >= 4, "two trials have begun")
        process.send_signal(signal.SIGINT)
        assert b"nothing is left running" in process.stderr.read()
        process.wait(30)
    assert process.returncode == 130
    assert _about(tmp_path) == []


def _about(folder: Path) -> list[str]:
    """The processes in whose arguments a folder stands, but for the command itself."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            arguments = path.read_bytes().replace(b"\0", b" ").decode()
            if str(folder) in arguments and "tests.faults" not in arguments:
                found.append(arguments)
    return found
