"""A job's nights, acted: who is told of what, how often, and what a night that was cut leaves."""

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

from seatrial.cli.app import run_command
from seatrial.given.errors import ConfigError
from seatrial.nightly import child, keeping, night, state
from seatrial.records import JobWord, NightWord
from seatrial.run.writer import RunDirError
from seatrial.servers import locks
from tests.nightly.acted import BROKEN, GONE, READY, STILL, Acted
from tests.waiting import until


def words(job: Acted) -> dict[str, str]:
    return {run.endpoint: str(run.word) for run in job.latest.endpoints}


def test_a_change_for_the_worse_is_told_once_and_one_for_the_better_never(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch)
    assert [job.night(e=READY), len(job.hooks)] == [0, 0]
    assert [job.night(e=BROKEN), len(job.hooks)] == [1, 1]
    assert [job.night(e=STILL), len(job.hooks)] == [1, 1]
    assert [job.night(e=READY), len(job.hooks)] == [0, 1]
    assert [job.night(e=BROKEN), len(job.hooks)] == [1, 2]
    told = job.hooks[0]
    assert told["worse"] == ["e: READY -> NOT READY", "e: broke a/x[s]"]
    assert told["endpoints"][0]["changes"]["broke"] == ["a/x[s]"]
    given = job.environment(0)
    assert given["SEATRIAL_ENDPOINTS"] == "e"
    assert given["SEATRIAL_EXIT"] == "1"
    assert Path(given["SEATRIAL_LATEST"]) == job.directory / "latest.json"


def test_the_first_night_is_worse_than_nothing_and_a_case_that_breaks_in_a_broken_night_is_worse(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch)
    assert job.night(e=STILL) == 1
    assert (job.latest.worse, job.latest.hook, job.hooks) == ((), None, [])
    job.night(e=BROKEN)
    assert job.latest.worse == ("e: broke a/x[s]",)
    assert "\x1b" not in "".join(job.said)


def test_a_server_that_is_gone_is_told_once_and_coming_back_as_it_was_is_no_change(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch)
    job.night(e=STILL)
    assert [job.night(e=GONE), len(job.hooks)] == [4, 1]
    assert "NOT READY -> NOT TRIED: ERROR: nothing listens" in job.hooks[0]["worse"][0]
    assert [job.night(e=GONE), len(job.hooks)] == [4, 1]
    assert [job.night(e=STILL), len(job.hooks)] == [1, 1]


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ({"a": READY, "b": READY}, 0),
        ({"a": READY, "b": {"word": "NOT PROVEN"}}, 10),
        ({"a": {"word": "NOT PROVEN"}, "b": GONE}, 4),
        ({"a": GONE, "b": STILL}, 1),
        ({"a": {"signal": signal.SIGKILL}, "b": READY}, 10),
    ],
)
def test_the_exit_status_is_that_of_the_worst(tmp_path, monkeypatch, steps, code):
    assert Acted(tmp_path, monkeypatch, ("a", "b"), hook=None).night(**steps) == code


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


def test_a_hook_that_fails_is_told_and_not_called_again(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, hook="echo no route to pager; exit 3")
    job.night(e=READY)
    job.night(e=BROKEN)
    assert job.latest.hook is not None
    assert job.latest.hook.trouble == "ended with 3: no route to pager"
    assert "seatrial_nightly_hook_failed" in (tmp_path / "s.prom").read_text()
    job.night(e=STILL)
    assert len(job.hooks) == 1


def test_the_hook_gets_no_key_and_the_run_its_header_by_the_environment_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("KEY", "sk-0123456789")
    monkeypatch.setenv("TEAM", "a 'secret' team")
    job = Acted(tmp_path, monkeypatch)
    table = 'api-key-env = "KEY"\nheader-env = { X-Team = "TEAM" }\n'
    job.file.write_text(job.file.read_text() + f"\n{table}")
    job.night(e=READY)
    job.night(e={**BROKEN, "reasons": [{"word": "FAIL", "text": "sk-0123456789", "case": ""}]})
    given = job.environment(0)
    assert not {"KEY", "TEAM"} & given.keys()
    assert "sk-0123456789" not in json.dumps([job.hooks, given])
    run = job.directory / "runs" / job.kept.nights[-1].runs["e"]
    assert json.loads((run / "run.json").read_text())["addopts"].endswith(
        "--header=X-Team: a '\"'\"'secret'\"'\"' team'"
    )


def test_a_disk_that_has_no_room_is_told_before_anything_is_asked(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch)
    job.night(e=READY)
    job.file.write_text(job.file.read_text().replace('directory = "d"', 'directory = "d"\nspace = "900000TB"'))
    assert job.night(e=READY) == 4
    assert "GB are free in" in job.hooks[0]["worse"][0]
    assert len(job.runs) == 1


def test_a_disk_that_fills_in_the_night_costs_no_run_and_no_hook(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, ("a", "b"))
    job.night(a=READY, b=READY)
    calls, write = [], state.write

    def full(folder, what):
        calls.append(what)
        if len(calls) == 1:
            return write(folder, what)
        raise RunDirError("cannot write it: No space left on device; free space or name another with --run-dir")

    monkeypatch.setattr(state, "write", full)
    assert job.night(a=READY, b=BROKEN) == 1
    assert len(job.hooks) == 1
    assert len(job.hooks[0]["endpoints"]) == 2
    assert any(line.startswith("notice") and line.endswith("free space or keep fewer nights") for line in job.said)
    calls.clear()
    assert job.night(a=READY, b=READY) == 10  # what it came to is written nowhere


def test_the_textfile_tells_the_last_that_is_known_while_the_next_night_goes_on(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, ("a", "b"), hook=None)
    job.night(a=READY, b=STILL)
    text = (tmp_path / "s.prom").read_text()
    assert 'seatrial_nightly_verdict{job="job",endpoint="a"} 0' in text
    assert 'seatrial_nightly_verdict{job="job",endpoint="b"} 2' in text
    assert 'seatrial_nightly_exit_code{job="job"} 1' in text
    names = [line.split("{")[0] for line in text.splitlines() if line and line[0] != "#"]
    for name in names:
        assert text.count(f"# TYPE {name} ") == text.count(f"# HELP {name} ") == 1
    seen = []
    write = state.write
    monkeypatch.setattr(state, "write", lambda folder, what: (write(folder, what), seen.append(what)))
    job.night(a=STILL, b=READY)
    running = [each for each in seen if getattr(each, "state", None) is JobWord.RUNNING]
    assert [sorted(str(run.word) for run in each.endpoints) for each in running[:2]] == [["NOT READY", "READY"]] * 2


def test_a_textfile_that_cannot_be_written_costs_no_night(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, hook=None)
    write = night.write_atomically
    monkeypatch.setattr(night, "write_atomically", lambda path, content: write(path / "no", content))
    assert job.night(e=READY) == 0
    assert "textfile: cannot write" in job.latest.notices[0]


def test_an_endpoint_that_another_job_asks_is_waited_for(tmp_path, monkeypatch):
    lock, said = tmp_path / "lock", []
    first = state.turn(lock, "h:1", 1, said.append, lambda: False)
    assert state.turn(lock, "h:1", 0.7, said.append, lambda: False) is None
    assert said == ["waiting for h:1: another nightly job asks it"]
    os.close(first)
    os.close(state.turn(lock, "h:1", 1, said.append, lambda: False))


def test_a_directory_of_another_job_or_one_that_cannot_be_read_is_left_alone(tmp_path, monkeypatch, capsys):
    job = Acted(tmp_path, monkeypatch)
    job.night(e=READY)
    before = (job.directory / "nights.json").read_bytes()
    job.file.write_text('name = "other"\n' + job.file.read_text())
    assert run_command(["nightly", str(job.file)]) == 4
    assert "is the job 'job''s" in capsys.readouterr().err
    (job.directory / "nights.json").write_text("{")
    assert run_command(["nightly", str(job.file)]) == 4
    assert "cannot be read" in capsys.readouterr().err
    assert json.loads(before)["job"] == "job"
    assert len(job.runs) == 1


@pytest.mark.parametrize("content", [b"{", b"\xff", b"", b"[]", b'{"v":9}', None], ids=str)
def test_a_state_that_cannot_be_read_is_told_and_one_that_is_not_there_is_nothing_to_tell(
    tmp_path, monkeypatch, content
):
    job = Acted(tmp_path, monkeypatch)
    job.night(e=READY)
    job.config.latest.unlink()
    if content is not None:
        job.config.latest.write_bytes(content)
    assert job.night(e=READY) == 0
    told = "latest.json cannot be read: whether the last night was cut, nobody knows"
    assert job.latest.notices == ((told,) if content is not None else ())
    assert any(told in line for line in job.said) is (content is not None)
    job.night(e=READY)
    assert job.latest.notices == ()


# what is kept


def test_old_nights_go_once_the_new_one_is_sealed_and_what_is_pointed_at_stays(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, more='keep = 2\nwaive = "w.toml"', hook=None)
    (tmp_path / "w.toml").write_text("")
    job.night(e=READY)
    (first,) = job.runs
    (tmp_path / "w.toml").write_text(f'[[waive]]\ncase = "a/x"\nwho = "k"\nwhy = "as in {first}"\nuntil = 2030-01-01\n')
    (job.directory / "runs" / "20200101T000000Z-aaaa").mkdir()  # not of this job
    for _ in range(3):
        job.night(e=READY)
    assert len(job.runs) == 4
    assert {"20200101T000000Z-aaaa", first} < set(job.runs)
    assert {path.stem for path in (job.directory / "logs").iterdir()} == {*job.runs} - {"20200101T000000Z-aaaa"}
    (tmp_path / "w.toml").write_text("")
    job.night(e=READY)
    assert first not in job.runs
    assert (job.directory / "runs" / "latest").resolve().name == job.kept.nights[-1].runs["e"]


def test_nights_that_came_to_nothing_push_no_good_one_out(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, more="keep = 2", hook=None)
    for step in (READY, READY, GONE, {"signal": signal.SIGKILL}, GONE):
        job.night(e=step)
    assert len(job.runs) == 3
    assert [len(night.runs) for night in job.kept.nights] == [1] * 5


def test_what_a_run_that_goes_on_points_at_stays(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, more="keep = 1", hook=None)
    job.night(e=READY)
    (first,) = job.runs
    other = job.directory / "runs" / "20300101T000000Z-bbbb"
    (other / "watch").mkdir(parents=True)
    (other / "run.json").write_text(json.dumps({"id": other.name, "started": "x", "arguments": [f"--rerun={first}"]}))
    job.night(e=READY)
    assert first in job.runs
    (other / "verdict.json").write_text("{}")  # it has ended
    job.night(e=READY)
    assert first not in job.runs


def test_only_a_folder_that_is_that_run_is_removed(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, more="keep = 1", hook=None)
    job.night(e=READY)
    (first,) = job.runs
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (job.directory / "runs" / first).rename(job.directory / "moved")
    (job.directory / "runs" / first).symlink_to(precious)
    job.night(e=READY)
    assert (precious / "file").exists()
    assert f"{first} is left alone: no folder of ours stands there" in job.latest.notices
    second = next(name for name in job.runs if name != first)
    (job.directory / "runs" / second / "run.json").write_text('{"id": "another"}')
    job.night(e=READY)
    assert second in job.runs
    forged = msgspec.structs.replace(job.kept.nights[0], runs={"e": "../../precious"})
    state.write(job.directory, msgspec.structs.replace(job.kept, nights=(forged, *job.kept.nights)))
    job.night(e=READY)
    assert (precious / "file").exists()


def test_a_removal_that_was_cut_is_finished_and_no_half_run_is_read(tmp_path, monkeypatch):
    job = Acted(tmp_path, monkeypatch, hook=None)
    job.night(e=READY)
    half = job.directory / "runs" / f"{keeping.GOING}{job.runs[0]}"
    half.mkdir()
    (half / "run.json").touch()
    job.night(e=READY)
    assert not half.exists()


def test_words_of_a_night_are_those_of_a_verdict_and_three_more():
    assert {str(word) for word in NightWord} - {str(word) for word in state.JUDGED} == {"NOT TRIED", "CUT", "RUNNING"}
