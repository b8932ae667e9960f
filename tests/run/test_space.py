"""A log that floods is bounded: how it began and how it ended is kept."""

from __future__ import annotations

from pathlib import Path

from seatrial.run.space import bound

MOST = 1 << 20


def lines(first: int, last: int) -> bytes:
    return b"".join(b"%09d\n" % n for n in range(first, last))


def test_a_log_within_its_bound_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(lines(0, 50_000))
    assert not bound(log, MOST)
    assert log.read_bytes() == lines(0, 50_000)
    assert not bound(tmp_path / "none", MOST)


def test_a_log_that_floods_loses_its_middle_and_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("ab", buffering=0) as file:
        for part in range(8):
            file.write(lines(part * 50_000, (part + 1) * 50_000))
            bound(log, MOST)
            assert log.stat().st_blocks * 512 <= MOST
    content = log.read_bytes()
    assert len(content) == 400_000 * 10
    assert content.startswith(lines(0, 20_000))
    assert content.endswith(lines(380_000, 400_000))
