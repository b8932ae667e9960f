"""The last words of a server's log: read when a rung breaks, also of one that was rotated, binary or is none."""

from __future__ import annotations

import base64
import gzip
import os
import select
import signal
import subprocess
import sys
import time

import pytest

from seatrial.monitor.sources.log import LINES, WIDTH, WINDOW, Tail, last_lines
from seatrial.monitor.sources.source import LATE_S
from seatrial.records import Event, Log
from seatrial.wire.masking.mask import Mask
from tests.monitor.beats import beats, between, mid_second, pace
from tests.waiting import DEADLINE_S, until

KEY = "sk-quite-secret-key"
MS = 1_000_000


class Reader:
    """A tail, and what it has found."""

    def __init__(self, path, mask=None) -> None:
        self.wake = os.eventfd(0)
        self.tail = Tail("a", str(path), mask or Mask(), self.wake)
        self.tail.settle(DEADLINE_S)

    def read(self, *, late: bool = False) -> list[Log]:
        self.tail.read(7, late=late)
        self.tail.settle(DEADLINE_S)
        return self.tail.take()

    def close(self) -> None:
        self.tail.close()
        os.close(self.wake)


@pytest.fixture
def reader():
    made: list[Reader] = []

    def start(path, mask=None) -> Reader:
        made.append(Reader(path, mask))
        return made[-1]

    yield start
    for each in made:
        each.close()


def test_the_last_lines_are_shown_and_cut(tmp_path, reader):
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {n}\n" for n in range(100)) + "x" * 1000 + "\n")
    (line,) = reader(log).read()
    assert (line.name, line.file, line.at, line.note) == ("a", str(log), 7, "")
    assert len(line.text) == LINES
    assert line.text[-2] == "line 99"
    assert (len(line.text[-1]), line.text[-1][-2:]) == (WIDTH, "x…")


def test_an_empty_log_has_no_lines(tmp_path, reader):
    log = tmp_path / "a.log"
    log.touch()
    (line,) = reader(log).read()
    assert (line.text, line.note) == ((), "")


@pytest.mark.parametrize("spelled", [KEY, base64.b64encode(b"x:" + KEY.encode()).decode()])
def test_the_key_is_masked(tmp_path, reader, spelled):
    log = tmp_path / "a.log"
    log.write_text(f"authorization: {spelled}\nnext\n")
    (line,) = reader(log, Mask(KEY)).read()
    assert "secret" not in str(line.text)
    assert spelled[4:-4] not in str(line.text)
    assert line.text[0].startswith("authorization: ")


@pytest.mark.parametrize("at", range(WINDOW - 30, WINDOW + 30))
def test_a_key_at_the_edge_of_what_is_read_shows_nowhere(at):
    data = b"y" * 50 + KEY.encode() + b"z" * at
    window = data[-2 * WINDOW :]
    text, _ = last_lines(window, Mask(KEY), whole=len(window) == len(data))
    assert not any(KEY[n : n + 4] in "".join(text) for n in range(len(KEY) - 3))


def test_what_was_written_since_is_read_a_moment_later(tmp_path, reader):
    log = tmp_path / "a.log"
    log.write_text("ordinary\n")
    one = reader(log)
    one.tail.read(7, late=True)
    until(lambda: select.select([one.wake], [], [], 1)[0], "the first reading")
    with log.open("a") as file:
        file.write("terminate called after throwing\n")
    one.tail.settle(DEADLINE_S)
    lines = one.tail.take()
    assert [line.text[-1] for line in lines] == ["ordinary", "terminate called after throwing"]
    assert lines[1].at > lines[0].at
    start = time.monotonic()
    assert len(one.read(late=True)) == 1  # nothing new came
    assert time.monotonic() - start >= LATE_S


def test_a_log_that_was_rotated_is_read_with_the_one_before(tmp_path, reader):
    log = tmp_path / "a.log"
    log.write_text("before\n")
    one = reader(log)
    with log.open("a") as writer:
        log.rename(tmp_path / "a.log.1")
        log.write_text("after\n")
        writer.write("to the old one\n")
    old, new = one.read()
    assert (old.text, new.text) == (("before", "to the old one"), ("after",))
    assert old.note.startswith("rotated: these are the last lines of the file that stood there before")
    assert new.note == "rotated: another file stands at its path now"
    (line,) = one.read()
    assert (line.text, line.note) == (("after",), "")
    with (tmp_path / "a.log.1").open("a") as writer:
        writer.write("its process writes there still\n")
    assert [line.text[-1] for line in one.read()] == ["its process writes there still", "after"]


def test_a_log_that_was_cut_is_said_to_be(tmp_path, reader):
    log = tmp_path / "a.log"
    log.write_text("before\n" * 10)
    one = reader(log)
    with log.open("r+b") as file:  # as copytruncate does under a writer that goes on where it was
        file.truncate(0)
        file.seek(40)
        file.write(b"after\n")
    (line,) = one.read()
    assert (line.text, line.note) == (("after",), "rotated: cut from 70 bytes to 46")


def test_a_log_that_was_removed_is_read_all_the_same(tmp_path, reader):
    log = tmp_path / "a.log"
    log.write_text("before\n")
    one = reader(log)
    log.unlink()
    note, line = one.read()
    assert note.note.startswith("rotated: no file stands at its path any more (")
    assert line.text == ("before",)


@pytest.mark.parametrize(
    "data", [b"GGUF\0\0\0\3", gzip.compress(os.urandom(3000)), bytes(range(128, 256)) * 20, "text".encode("utf-16")]
)
def test_a_binary_log_is_said_to_be_and_shows_nothing(tmp_path, reader, data):
    log = tmp_path / "a.log"
    log.write_bytes(data)
    (line,) = reader(log).read()
    assert line.text == ()
    assert line.note.startswith("binary")


def test_a_few_bytes_that_are_no_text_spoil_no_log(tmp_path, reader):
    log = tmp_path / "a.log"
    log.write_bytes(b"caf\xe9 \x1b[31mred\x1b[0m\n50%\r100%\r\nend")
    (line,) = reader(log).read()
    assert line.text == ("caf\ufffd \x1b[31mred\x1b[0m", "50%", "100%", "end")


def test_what_cannot_be_read_is_said_once_and_read_when_it_can_be(tmp_path, reader):
    log = tmp_path / "a.log"
    one = reader(log)
    (said,) = one.tail.take()
    assert isinstance(said, Event)
    assert (said.what, said.text) == ("trouble", f"log {log}: No such file or directory")
    (line,) = one.read()
    assert line.note == "not readable: No such file or directory"
    assert one.read() == []
    log.write_text("there\n")
    (line,) = one.read()
    assert (line.text, line.note) == (("there",), "")


@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_what_is_no_file_is_not_read_and_hangs_nothing(tmp_path, reader, kind):
    path = {"fifo": tmp_path / "fifo", "device": "/dev/zero", "folder": tmp_path}[kind]
    if kind == "fifo":
        os.mkfifo(path)
    (said,) = reader(path).tail.take()
    assert said.text == f"log {path}: not a regular file"


def logging_server(recording, serve, log, **more):
    log.write_text("listening\n")
    server = serve()
    recording.watch(server, log=str(log), **more).healthy()
    return server


def test_the_log_is_read_at_a_servers_end_and_once_more_for_its_last_words(serve, recording, tmp_path):
    log = tmp_path / "a.log"
    server = logging_server(recording, serve, log, key=KEY)
    server.send(signal.SIGKILL)
    server.ended_at()
    first = until(recording.logs, "the log")[0]
    with log.open("a") as file:
        file.write(f"what():  std::bad_alloc {KEY}\n")
    second = until(lambda: recording.logs()[1:], "its last words")[0]
    (event,) = recording.events("exit")
    assert (first.at, first.text) == (event.at, ("listening",))
    assert second.text[-1] == "what():  std::bad_alloc " + "*" * len(KEY)
    recording.seal()


def test_the_log_is_read_when_a_server_is_stopped_and_when_it_goes_deaf(serve, recording, tmp_path):
    server = logging_server(recording, serve, tmp_path / "a.log")
    server.send(signal.SIGSTOP)
    until(lambda: len(recording.logs()) == 1, "the log of a stopped server")
    server.send(signal.SIGCONT)
    until(lambda: recording.probes()[-1].health == 200, "it runs again")
    server.send(signal.SIGUSR1)
    until(lambda: recording.probes()[-1].listens is False, "no socket")
    until(lambda: len(recording.logs()) == 2, "the log of a deaf server")
    assert {line.text for line in recording.logs()} == {("listening",)}


def test_the_log_is_read_when_health_is_silent_twice_but_its_process_runs(recording, tmp_path):
    code = (
        "import socket\nkept = []\nserver = socket.create_server(('127.0.0.1', 0))\n"
        "print(server.getsockname()[1], flush=True)\nwhile True: kept.append(server.accept())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    port, log = int(process.stdout.readline()), tmp_path / "a.log"
    log.write_text("accepts and says nothing\n")
    try:
        recording.command(name="a", host="127.0.0.1", port=port, base=f"http://127.0.0.1:{port}", log=str(log))
        until(recording.logs, "the log")
        assert [p.error for p in recording.probes()][:2] == ["deadline", "deadline"]
        until(recording.threads, "its threads")
        count = len(recording.probes())
        until(lambda: len(recording.probes()) >= count + 3, "it stays silent")
        assert len(recording.logs()) == 1
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_log_that_hangs_delays_neither_heartbeat_nor_end(serve, recording, tmp_path):
    """A FIFO that somebody writes to is the nearest to a file system that hangs: a plain open of it would wait."""
    fifo = tmp_path / "a.log"
    os.mkfifo(fifo)
    server = serve()
    recording.watch(server, log=str(fifo)).healthy()
    mid_second(lambda: beats(recording.lines())[-1])
    server.send(signal.SIGKILL)
    ended_at = server.ended_at()
    (event,) = until(lambda: recording.events("exit"), "the exit")
    found = beats(recording.lines())
    assert between(found, ended_at, event.at) == 0
    assert [t for t in recording.troubles() if t.startswith("log")] == [f"log {fifo}: not a regular file"]
    assert pace(found) < 1.5
    recording.seal()


def test_the_last_words_are_waited_for_when_the_record_is_sealed(serve, recording, tmp_path):
    server = logging_server(recording, serve, tmp_path / "a.log")
    server.send(signal.SIGKILL)
    server.ended_at()
    recording.seal()
    assert recording.logs()
    assert recording.lines()[-1].what == "seal"
