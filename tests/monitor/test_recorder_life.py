"""The recorder's own life: it goes on until it is told, or until nobody can tell it any more."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from seatrial.monitor.recorder import Recorder
from seatrial.records import Clock, Event
from tests.monitor.processes import Recording
from tests.waiting import DEADLINE_S, until


def test_it_ends_with_its_input_and_seals_the_record(recording):
    until(lambda: any(isinstance(x, Clock) for x in recording.lines()), "a heartbeat")
    recording.process.stdin.close()
    assert recording.process.wait(DEADLINE_S) == 0
    assert recording.events("seal")


def test_signals_of_a_terminal_do_not_end_it(recording):
    until(lambda: any(isinstance(x, Clock) for x in recording.lines()), "a heartbeat")
    before = len(recording.lines())
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(recording.process.pid, number)
    until(lambda: len(recording.lines()) > before + 1, "more heartbeats")
    assert recording.seal() == ()


def test_a_command_it_does_not_understand_is_said_and_passed_over(serve, recording):
    server = serve()
    recording.raw(
        b'nonsense\n\xff\xfe\n[1]\n\n{"name": 5}\n{"name":"b","host":"127.0.0.1","port":1,"base":"ftp://h:x"}\n'
    )
    recording.watch(server).healthy()
    assert len([e for e in recording.events("trouble") if "not understood" in e.text]) >= 5


def test_commands_may_come_in_pieces(serve, recording):
    server = serve()
    recording.raw(b'{"name":"a","host":"127.0.0.1",')
    until(lambda: any(isinstance(x, Clock) for x in recording.lines()), "a heartbeat")
    recording.raw(b'"port":%d,"base":"%s"}\n' % (server.port, server.url.encode()))
    recording.healthy()


def test_a_host_that_is_not_ours_is_watched_by_http_alone(recording):
    recording.command(name="far", host="192.0.2.1", port=9, base="http://192.0.2.1:9", pid=None, generation=0)
    first, *_ = until(lambda: len(recording.probes()) >= 3 and recording.probes(), "three probes")
    assert (first.listens, first.owner, first.oom_host, first.health) == (None, None, None, None)
    assert "not on this host" in first.why
    assert [p.why for p in recording.probes()[1:]] == [""] * (len(recording.probes()) - 1)
    assert not recording.samples()


def test_a_port_where_nobody_listens_is_no_trouble(recording):
    recording.command(name="a", host="127.0.0.1", port=1, base="http://127.0.0.1:1", pid=None, generation=0)
    probe = until(recording.probes, "a probe")[0]
    assert (probe.listens, probe.error) == (False, "refused")
    assert recording.seal() == ()


def test_a_pid_that_is_gone_is_passed_over(serve, recording):
    server = serve()
    recording.watch(server, pid=2**22 - 1).healthy()
    assert [e.pid for e in recording.events("found")] == [server.pid]


def test_a_full_disk_is_said_once_and_ends_nothing(serve, tmp_path: Path):
    server = serve()
    recording = Recording(tmp_path)
    (recording.rundir.path / "watch" / "samples.jsonl").symlink_to("/dev/full")
    recording.start()
    try:
        recording.watch(server)
        until(lambda: recording.events("found"), "the process")
        server.send(signal.SIGKILL)
        server.ended_at()
        until(lambda: recording.events("exit"), "the exit")
        recording.seal()
        said = recording.process.stderr.read().decode().splitlines()
    finally:
        recording.close()
    assert len(said) == 1
    assert "No space left" in said[0]


def test_a_program_whose_path_is_no_text_is_watched(recording, tmp_path: Path):
    program = tmp_path / os.fsdecode(b"sl\xffeep")
    shutil.copy("/bin/sleep", program)
    process = subprocess.Popen([program, "600"])
    try:
        recording.watch_pid(process.pid)
        (found,) = until(lambda: recording.events("found"), "the process")
        assert found.facts["exe"].endswith("/sl\ufffdeep")
        until(lambda: len(recording.samples()) >= 2, "the watch goes on")
    finally:
        process.kill()
        process.wait()


def test_a_line_that_is_no_text_is_left_out_and_that_is_said_once(tmp_path: Path):
    rundir = Recording(tmp_path).rundir
    commands, theirs = os.pipe()
    recorder = Recorder(rundir.watch_writer("recorder"), commands)
    for text in ("\udcff", "\udcfe", "after"):
        recorder._event("found", "a", text)
    recorder._close()
    os.close(commands)
    os.close(theirs)
    said = [(x.what, x.text) for x in rundir.in_time("watch/events.jsonl") if isinstance(x, Event) and x.name != "gpu"]
    assert said == [("trouble", "a line was left out, for it is no text: Event"), ("found", "after")]


def test_a_run_that_is_none_is_one_line(tmp_path: Path):
    recording = Recording(tmp_path)
    (recording.rundir.path / "run.json").unlink()
    recording.start()
    try:
        assert recording.process.wait(DEADLINE_S) == 4
        assert recording.process.stderr.read().decode().count("\n") == 1
    finally:
        recording.close()
