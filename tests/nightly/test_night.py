"""A job's nights, acted: who is told of what, and how often."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from seatrial.cli.app import run_command
from seatrial.nightly import night, state
from seatrial.records import JobWord, NightWord
from seatrial.run.writer import RunDirError
from tests.nightly.acted import BROKEN, GONE, READY, STILL, Acted


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


def test_words_of_a_night_are_those_of_a_verdict_and_three_more():
    assert {str(word) for word in NightWord} - {str(word) for word in state.JUDGED} == {"NOT TRIED", "CUT", "RUNNING"}
