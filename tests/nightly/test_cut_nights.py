"""Nights that are cut, or wait for their turn: what the next one tells of them, and what it costs."""

from __future__ import annotations

import datetime
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from seatrial.given.errors import ConfigError
from seatrial.nightly import child, night, state
from seatrial.records import JobWord
from seatrial.servers import locks
from tests.nightly.acted import BROKEN, READY, STILL, Acted
from tests.waiting import until


def words(job: Acted) -> dict[str, str]:
    return {run.endpoint: str(run.word) for run in job.latest.endpoints}


def test_a_run_that_is_killed_is_cut_and_the_next_endpoint_has_its_turn(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, ("a", "b"))
    job.night(a={"signal": signal.SIGKILL}, b=READY)
    assert words(job) == {"a": "CUT", "b": "READY"}
    assert "pytest was ended by SIGKILL" in job.latest.endpoints[0].why
    cut = job.latest.endpoints[0]
    assert f"seatrial judge {job.directory / 'runs' / cut.run}" in cut.why


def test_a_run_that_takes_too_long_is_asked_for_its_end(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, more='limit = "1s"')
    assert job.night(e={"waits": str(tmp_path / "up")}) in {4, 10}
    assert "took longer than 1 s" in job.latest.endpoints[0].why


def test_one_that_does_not_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(child, "DRAINS_S", 0.5)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which a child inherits
    try:
        words = ("sh", "-c", "while :; do sleep 1; done")
        ended = child.RunChild().run(words, tmp_path, tmp_path / "log", dict(os.environ), (), 0.3)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.code == -signal.SIGKILL
    assert "did not end within" in ended.why


def test_what_is_said_on_a_signal_ends_the_run_and_the_night(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, ("a", "b"))
    job.night(a=READY, b=READY)
    up = tmp_path / "up"
    ended = threading.Thread(target=lambda: (until(up.exists, "the run"), os.kill(os.getpid(), signal.SIGTERM)))
    ended.start()
    assert job.night(a={"waits": str(up)}, b=READY) == 4
    ended.join()
    assert words(job) == {"a": "CUT", "b": "NOT TRIED"}
    assert job.latest.state is JobWord.ENDED
    assert "ended before its turn" in job.latest.endpoints[1].why
    assert (job.latest.worse, job.hooks) == ((), [])  # it is no change of a server
    job.night(a={"word": "NOT PROVEN"}, b=READY)
    assert job.latest.worse == ("a: READY -> NOT PROVEN",)


@pytest.mark.parametrize("asked", [True, False], ids=["ended", "in vain"])
def test_a_night_that_is_ended_while_it_waits_for_its_turn_is_no_change_for_the_worse(tmp_path, monkeypatch, asked):
    monkeypatch.setattr(night.locks, "folder", lambda: tmp_path)
    job = Acted(tmp_path, monkeypatch)
    job.night(e=READY)
    if not asked:
        job.file.write_text(f'limit = "1s"\n{job.file.read_text()}')
    (lock,) = tmp_path.glob("nightly-*.lock")
    with lock.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waits = threading.Thread(
            target=lambda: (until(lambda: "waiting" in " ".join(job.said), "it"), os.kill(os.getpid(), signal.SIGTERM))
        )
        if asked:
            waits.start()
        assert job.night(e=READY) == 4
        if asked:
            waits.join()
    assert words(job) == {"e": "NOT TRIED"}
    told = "the night was ended before its turn" if asked else "another nightly job asked 127.0.0.1:1 all the time"
    assert job.latest.endpoints[0].why == told
    assert len(job.hooks) == (0 if asked else 1)


CUT = """
import pathlib, sys
from seatrial.nightly import child, config, night
child.words = lambda target, run: (sys.executable, {acts!r}, str(run), target.name, {plan!r})
night.JobNight(config.read(pathlib.Path({file!r})), print).run()
"""


def test_a_night_that_was_cut_is_told_by_the_next_and_costs_it_nothing(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch)
    job.night(e=READY)
    up = tmp_path / "up"
    job.plan.write_text(json.dumps({"e": [{"waits": str(up)}]}))
    code = CUT.format(acts=str(tmp_path / "acts.py"), plan=str(job.plan), file=str(job.file))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL) as first:
        run = int(until(lambda: up.exists() and up.read_text(), "the run"))
        assert job.latest.state is JobWord.RUNNING
        with pytest.raises(ConfigError, match=f"another night of this job goes on.*process {first.pid}"):
            job.night(e=READY)
        first.kill()
        first.wait()
    with pytest.raises(ConfigError, match="another night of this job goes on"):
        job.night(e=READY)  # its run holds the lock as well: nobody else asks its server meanwhile
    os.kill(run, signal.SIGKILL)
    until(
        lambda: not Path(f"/proc/{run}").exists() or "Z" in Path(f"/proc/{run}/stat").read_text().split()[2], "its end"
    )
    until(lambda: _begins(job), "the lock")
    assert job.latest.cut[0].endswith("was cut: its process is gone, and wrote no end")
    assert "its run may go on" in job.latest.cut[1]
    assert words(job) == {"e": "READY"}
    assert len(job.kept.nights) == 3


def test_what_was_worse_in_nights_that_were_cut_is_told_by_the_next_that_ends(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, ("a", "b"), more="keep = 1")
    job.night(a=READY, b=READY)
    write, first = state.write, job.runs
    days = (datetime.datetime(2030, 1, day, 22, tzinfo=datetime.UTC) for day in range(1, 9))
    clock = SimpleNamespace(UTC=datetime.UTC, datetime=SimpleNamespace(now=lambda tz: next(days)))
    monkeypatch.setattr(night, "datetime", clock)

    def cut(folder, what):  # as by SIGKILL once the first endpoint is judged
        write(folder, what)
        if any(run.night == getattr(what, "night", "") for run in getattr(what, "endpoints", ())):
            raise SystemExit

    monkeypatch.setattr(state, "write", cut)
    for steps in ({"a": BROKEN, "b": READY}, {"a": STILL, "b": READY}):
        with pytest.raises(SystemExit):
            job.night(**steps)
    monkeypatch.setattr(state, "write", write)
    job.night(a=STILL, b=READY)
    worse = job.latest.worse
    assert [line.partition(" (in the night ")[0] for line in worse] == ["a: READY -> NOT READY", "a: broke a/x[s]"]
    assert all(line.endswith(", which was cut)") for line in worse)
    assert len(job.hooks) == 1
    known = {name for each in job.kept.nights for name in each.runs.values()}
    assert known == set(job.runs)  # and no run of a night that was cut stays for good
    assert not {*first} & {*job.runs}


def test_a_night_that_was_cut_once_it_was_remembered_is_remembered_once(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch)
    job.night(e=READY)
    state.write(job.directory, msgspec.structs.replace(job.latest, state=JobWord.RUNNING))
    job.night(e=READY)
    assert len(job.kept.nights) == 2


def test_a_log_or_a_lock_that_is_not_ours_to_touch_costs_no_night(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, ("a", "b"), more="keep = 1")
    job.night(a=READY, b=READY)
    for name in job.runs:
        log = job.directory / "logs" / f"{name}.log"
        log.unlink()
        log.mkdir()
    (tmp_path / "own").write_text("")
    places = tmp_path / "locks"
    places.mkdir()
    (places / f"nightly-{locks.key('http://127.0.0.1:2')}.lock").symlink_to(tmp_path / "own")
    monkeypatch.setattr(locks, "folder", lambda: places)
    assert job.night(a=READY, b=READY) == 4
    assert words(job) == {"a": "READY", "b": "NOT TRIED"}
    assert "cannot open" in job.latest.endpoints[1].why
    assert job.latest.state is JobWord.DONE


def _begins(job: Acted) -> bool:
    try:
        return job.night(e=READY) == 0
    except ConfigError:
        return False
