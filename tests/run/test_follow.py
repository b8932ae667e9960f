"""The record read while it is written: in order of time, torn lines whole, what has been read given back."""

import time

import msgspec
import pytest

from seatrial.records import Clock, Event
from seatrial.run.follow import FORGET_BYTES, WINDOW_NS, Follower, Growing, last_bytes
from tests.waiting import until


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "keeper").mkdir()
    return tmp_path


def add(path, *lines):
    with path.open("ab") as file:
        for line in lines:
            file.write(line if isinstance(line, bytes) else msgspec.json.encode(line) + b"\n")


def event(at, text=""):
    return Event(what="trouble", name="a", at=at, t=at, text=text)


def test_lines_of_several_files_come_in_order_of_their_time(folder):
    follower = Follower(folder)
    now = time.monotonic_ns() - 10 * WINDOW_NS
    add(folder / "samples.jsonl", event(now + 2), event(now + 4))
    add(folder / "keeper" / "events.jsonl", event(now + 1), event(now + 3))
    assert [line.t - now for line in follower.read()] == [1, 2, 3, 4]
    assert follower.read() == []


def test_a_young_line_waits_for_those_before_it(folder):
    follower = Follower(folder)
    now = time.monotonic_ns()
    add(folder / "samples.jsonl", event(now + 1))
    assert follower.read() == []
    add(folder / "events.jsonl", event(now))  # written a moment later, and before it in time
    assert [line.t - now for line in until(follower.read, "the window is over")] == [0, 1]


def test_to_the_end_nothing_waits(folder):
    follower = Follower(folder)
    add(folder / "samples.jsonl", event(time.monotonic_ns() + 10**12))
    assert len(follower.read(to_the_end=True)) == 1


def test_a_torn_line_comes_when_it_is_whole_and_what_is_no_line_is_counted(folder):
    follower = Follower(folder)
    raw = msgspec.json.encode(event(1)) + b"\n"
    add(folder / "samples.jsonl", raw[:20])
    assert follower.read() == []
    add(folder / "samples.jsonl", raw[20:], b'{"kind":"of tomorrow"}\n', b"\xff\n")
    assert [line.t for line in follower.read()] == [1]
    assert follower.unknown == 2


def test_what_has_been_read_is_given_back_to_the_disk(folder):
    follower = Follower(folder, forget=True)
    path = folder / "samples.jsonl"
    line = msgspec.json.encode(Clock(t=1, wall_ns=0, boot_ns=0, raw_ns=0, w="x" * 1000)) + b"\n"
    add(path, line * (FORGET_BYTES // len(line) + 100))
    before = path.stat()
    found = follower.read(to_the_end=True)
    assert len(found) == FORGET_BYTES // len(line) + 100
    after = path.stat()
    assert after.st_size == before.st_size
    assert after.st_blocks < before.st_blocks / 10
    add(path, line)
    assert len(follower.read(to_the_end=True)) == 1
    follower.close()


def test_a_file_that_is_not_there_yet_is_read_from_its_beginning(folder):
    growing = Growing(folder / "rows.jsonl")
    assert growing.lines() == []
    add(folder / "rows.jsonl", event(1), event(2))
    assert [line.t for line in growing.lines()] == [1, 2]
    assert growing.lines() == []
    growing.close()
    growing.close()


def test_the_end_of_a_file_is_read_whatever_its_length(folder):
    (folder / "log").write_bytes(b"0123456789")
    assert [last_bytes(folder / "log", most) for most in (4, 10, 100)] == [b"6789", b"0123456789", b"0123456789"]
    assert last_bytes(folder / "none", 4) == b""
    assert last_bytes(folder, 4) == b""
