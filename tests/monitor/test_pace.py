"""How fast a log grows: counted each second, reckoned where it is much, and written only where it is fast."""

from __future__ import annotations

import os

import pytest

from seatrial.monitor.sources import pace
from seatrial.records import LogRate
from seatrial.wire.masking.mask import Mask

DEADLINE_S = 10


@pytest.fixture
def paced(tmp_path, monkeypatch):
    """A log, and what is told of it by each beat, a second apart."""
    path = tmp_path / "log"
    now = iter(range(10**9, 10**12, 10**9))
    monkeypatch.setattr(pace.time, "monotonic_ns", lambda: next(now))
    source = pace.Pacer("a", str(path), Mask("sk-secret-1234"), os.eventfd(0, os.EFD_NONBLOCK))

    def beat(content: bytes | None = None, *, mode: str = "ab") -> list[LogRate]:
        if content is not None:
            with path.open(mode) as log:
                log.write(content)
        source.ticked()
        source.settle(DEADLINE_S)
        return [line for line in source.take() if isinstance(line, LogRate)]

    yield beat
    source.close()


def test_what_is_slow_is_written_once_a_minute(paced):
    assert paced(b"begin\n" * 5000) == []  # what stood there before the watch
    assert paced() == []
    assert paced(b"a line\n" * 150) == []
    assert [line for _ in range(57) for line in paced(b"a line\n")] == []
    (line,) = paced(b"a line\n")
    assert (line.lines, line.size, line.text) == (208, 208 * 7, "")


def test_a_log_that_says_nothing_is_told_of_too(paced):
    paced(b"")
    (line,) = [line for _ in range(70) for line in paced()]
    assert (line.lines, line.size) == (0, 0)


def test_what_was_slow_before_a_storm_is_not_told_with_it(paced):
    paced(b"")
    paced(b"a line\n" * 10)
    (line,) = paced(b"a line\n" * 5000)
    assert line.lines == 5000


def test_what_is_fast_is_written_and_once_more_after_it(paced):
    paced(b"")
    (line,) = paced(b"a line\n" * 5000)
    assert (line.lines, line.size, line.text) == (5000, 35_000, "a line")
    (line,) = paced(b"one\n")
    assert line.lines == 1
    assert paced() == []


def test_much_is_reckoned_from_a_part(paced):
    paced(b"")
    (line,) = paced(b"x" * 99 + b"\n" + (b"y" * 99 + b"\n") * 20_000)
    assert abs(line.lines - 20_001) < 50


def test_a_log_that_is_cut_or_replaced_is_counted_anew(paced, tmp_path):
    paced(b"old\n" * 9000)
    (line,) = paced(b"new\n" * 400, mode="wb")
    assert line.lines == 400
    (tmp_path / "log").rename(tmp_path / "log.1")
    assert paced(b"another\n" * 6000) == []
    (line,) = paced(b"another\n" * 300)
    assert line.lines == 300


def test_a_log_that_goes_away_is_no_trouble(paced, tmp_path):
    assert paced() == []
    paced(b"x\n" * 10)
    (tmp_path / "log").unlink()
    assert paced() == []
    os.mkfifo(tmp_path / "log")
    assert paced() == []


def test_a_key_and_strange_bytes_do_not_get_through(paced):
    paced(b"")
    (line,) = paced(b"\xff\xfe nonsense\n" * 600 + b"the key is sk-secret-1234\n")
    assert line.text.startswith("the key is")
    assert "secret" not in line.text
    (line,) = paced(b"\xff\xfe\x00 nonsense\n" * 600 + b"the key is sk-secret-1234\n")
    assert line.text == ""  # what holds a NUL is no text
