"""The keeper with a real embedded server: ready, real exit status, restart, and the end, however it comes."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from seatrial.records.targets import Watched
from seatrial.run.space import LOG_BYTES, SPARE
from seatrial.servers.keeping import Keeping, ServerError, ask
from seatrial.servers.orders import EmbeddedSpec
from tests.ending import ending
from tests.waiting import until

from .conftest import RECORDER, WAIT_S, lives

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("embedded")]


PART = 1 << 20


@pytest.fixture
def keeping(run, spec):
    kept = Keeping.start(run, (), spec, recorder=RECORDER)
    yield kept
    kept.close()


def answers(url):
    with urllib.request.urlopen(f"{url}/models", timeout=5) as reply:
        return reply.status == 200


def test_the_server_answers_when_start_returns_and_the_recorder_is_told(keeping, told):
    url, pid = keeping.embedded
    assert answers(url)
    (watch,) = until(lambda: told.recorder("name"), "the recorder is told", WAIT_S)
    expected = ("embedded", "127.0.0.1", pid, 0, url)
    assert (watch["name"], watch["host"], watch["pid"], watch["generation"], f"{watch['base']}/v1") == expected
    assert [e.what for e in told.events()] == ["start", "ready"]
    assert lives(keeping.pid)


def test_a_close_leaves_no_process_no_socket_and_a_planned_stop_before_the_exit(keeping, told):
    _, pid = keeping.embedded
    keeping.close()
    assert not lives(pid)
    assert not Path(keeping.address).parent.exists()
    assert [e.what for e in told.events()] == ["start", "ready", "planned-stop", "exit", "seal"]
    (ended,) = told.events("exit")
    assert (ended.pid, ended.source, os.waitstatus_to_exitcode(ended.status)) == (pid, "waitid", -signal.SIGTERM)
    planned, sealed = told.recorder("planned_stop"), told.recorder("seal")
    assert planned[0]["planned_stop"] == "embedded"
    assert planned[0]["at"] <= ended.at <= sealed[0]["at"]


def test_a_log_that_floods_is_bounded_and_spare_room_is_given_back(keeping, run, told):
    log, spare = run.path / "server" / "embedded-0.log", run.path / "load" / f"load1{SPARE}"
    spare.write_bytes(b"x")
    with log.open("ab", buffering=0) as file:
        for _ in range(LOG_BYTES // PART + 1):
            file.write(b"a line of it\n" * (PART // 13 + 1))
    (cut,) = until(lambda: told.events("log-cut"), "its log is cut", WAIT_S)
    assert cut.text == "its log floods: of more than 64 MB the middle is not kept"
    assert log.stat().st_blocks * 512 <= LOG_BYTES
    keeping.close()
    assert not spare.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_the_exit_of_a_killed_server_is_seen_at_once_with_its_signal_and_no_planned_stop(keeping, told, number):
    _, pid = keeping.embedded
    pidfd = os.pidfd_open(pid)
    sent = time.monotonic_ns()
    signal.pidfd_send_signal(pidfd, number)
    (ended,) = until(lambda: told.events("exit"), "the end", WAIT_S)
    assert os.waitstatus_to_exitcode(ended.status & ~0x80) == -number
    assert sent <= ended.signalled_at <= ended.at <= sent + 250e6
    assert not told.events("planned-stop")
    assert ended.generation == 0
    assert not lives(pid)


def test_a_restart_keeps_the_url_raises_the_generation_and_is_made_once(keeping, told):
    url, pid = keeping.embedded
    os.kill(pid, signal.SIGKILL)
    first = ask(keeping.address, {"restart": "embedded", "generation": 0}, 60)
    again = ask(keeping.address, {"restart": "embedded", "generation": 0}, 60)
    assert first == again
    assert (first["generation"], first["url"]) == (1, url)
    assert first["pid"] != pid
    assert answers(url)
    assert not told.events("planned-stop")
    second = until(lambda: told.recorder("name")[1:], "the second one", WAIT_S)
    assert [(w["generation"], w["pid"]) for w in second] == [(1, first["pid"])]
    assert {p.name for p in (told.run.path / "server").iterdir()} == {"embedded-0.log", "embedded-1.log"}


def test_a_later_generation_that_died_too_is_no_answer(keeping, told):
    os.kill(keeping.embedded[1], signal.SIGKILL)
    first = ask(keeping.address, {"restart": "embedded", "generation": 0}, 60)
    os.kill(first["pid"], signal.SIGKILL)
    until(lambda: told.events("exit")[1:], "the second end", WAIT_S)
    second = ask(keeping.address, {"restart": "embedded", "generation": 0}, 60)
    assert (second["generation"], second["url"]) == (2, first["url"])
    assert answers(second["url"])


def test_a_restart_on_demand_of_a_server_that_hangs_is_a_planned_stop(keeping, told):
    _, pid = keeping.embedded
    os.kill(pid, signal.SIGSTOP)
    reply = ask(keeping.address, {"restart": "embedded"}, 60)
    assert reply["generation"] == 1
    assert not lives(pid)
    assert [e.what for e in told.events()] == ["start", "ready", "planned-stop", "exit", "start", "ready"]


def test_a_stopped_server_is_ended_too(keeping):
    _, pid = keeping.embedded
    os.kill(pid, signal.SIGSTOP)
    keeping.close()
    assert not lives(pid)


PYTEST = """
import signal, sys
from pathlib import Path
from seatrial.run.directory import RunDir
from seatrial.servers.keeping import Keeping
from seatrial.servers.orders import EmbeddedSpec
spec = EmbeddedSpec(model=sys.argv[2], slots=2, context=1024)
kept = Keeping.start(RunDir.open(Path(sys.argv[1])), (), spec, recorder=sys.argv[3])
print(kept.pid, kept.embedded[1], kept.address, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_killed_pytest(run, told, spec, number):
    command = [sys.executable, "-c", PYTEST, str(run.path), spec.model, RECORDER]
    with ending(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as process:
        keeper, server, address = process.stdout.readline().split()
        process.send_signal(number)
        process.wait(WAIT_S)
    recorder = told.recorder("began")[0]["began"]
    until(lambda: not any(map(lives, (keeper, server, recorder))), "the end of all", WAIT_S)
    assert not Path(address).parent.exists()
    assert [e.what for e in told.events()] == ["start", "ready", "planned-stop", "exit", "seal"]


def test_the_server_does_not_outlive_a_killed_keeper(keeping, told):
    _, pid = keeping.embedded
    os.kill(keeping.pid, signal.SIGKILL)
    until(lambda: not any(map(lives, (keeping.pid, pid))), "the end of both", WAIT_S)
    until(lambda: told.recorder("orphaned"), "the recorder is alone", WAIT_S)
    with pytest.raises(ServerError, match="does not answer"):
        ask(keeping.address, {"restart": "embedded"}, 2)
    Path(keeping.address).unlink()
    Path(keeping.address).parent.rmdir()


def test_a_model_that_cannot_load_is_one_line_and_the_log(run, told, tmp_path):
    (tmp_path / "bad.gguf").write_bytes(b"no model")
    with pytest.raises(ServerError, match=r"ended while starting \(exit code 1\); its log: ") as caught:
        Keeping.start(run, (), EmbeddedSpec(model=str(tmp_path / "bad.gguf")), recorder=RECORDER)
    assert "\n" not in str(caught.value)
    assert any("model" in line for line in caught.value.log)
    recorder = told.recorder("began")[0]["began"]
    assert not lives(recorder)


def test_a_hung_recorder_is_not_waited_for_long(run, told, monkeypatch):
    monkeypatch.setenv("RECORDER_DEAF", "1")
    watched = Watched(name="8080", host="127.0.0.1", port=8080, base="http://127.0.0.1:8080")
    kept = Keeping.start(run, (watched,), recorder=RECORDER)
    assert kept.embedded is None
    assert until(lambda: told.recorder("name"), "the recorder is told", WAIT_S)[0]["port"] == 8080
    kept.close()
    assert [e.text for e in told.events("trouble")] == ["it did not seal the record in 2 s and was killed"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"restart": "nobody"}, "started no server called nobody"),
        ({"restart": "8080"}, "started no server called 8080"),
        ({"dance": 1}, "does not understand"),
        ([], "does not understand"),
    ],
)
def test_requests_that_make_no_sense_are_answered(run, request_, message):
    kept = Keeping.start(run, (), recorder=RECORDER)
    try:
        with pytest.raises(ServerError, match=message):
            ask(kept.address, request_, 5)
    finally:
        kept.close()
